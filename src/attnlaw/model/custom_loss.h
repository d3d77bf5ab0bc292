#pragma once
/// Defines a loss and a law of labels by functions of blocks of samples, in place of those that Problem names
/// (docs/theory/custom.md).

#include <Eigen/Core>
#include <functional>
#include <string>

#include "attnlaw/base/matrix.h"
#include "attnlaw/base/names.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::model {

/// Says what of a sequence a custom loss is a function of.
enum class Coordinates {
  row,         ///< the first row of the softmax, as many probabilities as there are keys
  rows,        ///< all its rows, one after the other
  row_scores,  ///< the first row of scores h_1b
  scores,      ///< all scores h_ab, row by row; those of a symmetric S stand twice
  score        ///< one combination u = c·z of scores, |c| = 1: h_12; h_11/√2 at T = 1, h_11 with cross-attention
};
std::span<const base::Named<Coordinates>> names_table(Coordinates);

/// Says how the noisy scores of the target become the labels of a custom loss.
enum class CustomLabels {
  outputs,   ///< the coordinates themselves, with target_beta in place of beta
  sampled,   ///< one-hot rows drawn with the probabilities of softmax rows
  sign,      ///< the sign of the score
  function,  ///< CustomLoss::label_function
};
std::span<const base::Named<CustomLabels>> names_table(CustomLabels);

/// Samples are rows, and what belongs to one is spread over columns.
using SampleBlock = base::Columns<double>;

/// What a loss is at every sample of a block. A function fills `value`, and may fill the rest; what it leaves empty is
/// found by finite differences.
struct LossBlock {
  Eigen::ArrayXd value;
  SampleBlock gradient;  ///< samples × coordinates
  SampleBlock hessian;   ///< samples × coordinates², row by row
};

/// A loss ℓ(y, u) of labels y and coordinates u that somebody else has written. Its minimum over the students must
/// exist; where it has a kink, V̂ is found without derivatives. Experiments call both functions from several threads.
struct CustomLoss {
  std::string name = "custom:loss";  ///< in documents
  Coordinates coordinates = Coordinates::row;
  std::function<void(const SampleBlock& labels, const SampleBlock& at, LossBlock& out)> function;
  CustomLabels labels = CustomLabels::outputs;
  /// Labels (samples × label_count) of noisy scores h* + √Δ Ξ: those of Coordinates::row_scores for the coordinates row
  /// and row_scores, of Coordinates::scores for rows and scores, and u for score.
  std::function<SampleBlock(const SampleBlock& scores)> label_function;
  int label_count = 0;  ///< of label_function; 0: it is called to find out
  /// ℓ(y, ·) is known to be convex in the scores: then one search finds a proximal point.
  bool convex = false;

  /// Tells whether the coordinates are probabilities of a softmax.
  bool softmax() const { return coordinates == Coordinates::row || coordinates == Coordinates::rows; }
};

/// Names of custom losses and penalties begin with it.
inline constexpr std::string_view kCustomPrefix = "custom:";

/// Lets documents name a loss, `"loss": "custom:…"`, for as long as somebody holds it. Its name must begin with
/// kCustomPrefix.
void publish(const std::shared_ptr<const CustomLoss>& loss);
/// Returns a published loss. Throws std::invalid_argument where there is none of this name.
std::shared_ptr<const CustomLoss> published_loss(const std::string& name);

/// Value, gradient and Hessian (lower rows) of a loss in coordinates that scores are linear in, for a block of samples.
struct LossExpansion {
  Eigen::ArrayXd value;
  SampleBlock gradient;
  SampleBlock hessian;  ///< entry (i, j ≤ i) in column i(i+1)/2 + j
};

/// Which derivatives an expansion has.
enum class Derivatives { none, gradient, hessian };

/// The custom loss of a problem as a function of ζ, with the scores h = A ζ that it depends on.
///
/// Derivatives that the function does not give are central differences of ζ over 1e-4 (values) or 1e-5 (gradients) of
/// the length over which outputs change: relative errors are about 1e-8 where third derivatives are of order one.
class ScoredLoss {
 public:
  /// `A` has score_rows(problem) rows. `problem.custom_loss` must not be null; it is kept. Differences are taken over
  /// `length` times the lengths above.
  ScoredLoss(const Problem& problem, Eigen::MatrixXd A, double length = 1);

  const CustomLoss& loss() const { return *loss_; }
  Eigen::Index dimension() const { return A_.cols(); }
  Eigen::Index keys() const { return keys_; }  ///< of a row of scores
  const Eigen::MatrixXd& scores_of_coordinates() const { return A_; }
  /// Returns the length over which outputs change, in units of scores.
  double reach() const { return loss_->softmax() ? 1 / beta_ : 1; }

  SampleBlock scores(const SampleBlock& zeta) const;
  /// Writes value and derivatives at ζ (samples × dimension).
  void expand(const SampleBlock& labels, const SampleBlock& zeta, Derivatives derivatives, LossExpansion& at) const;

  /// Returns the labels of noisy scores of the target; for sampled labels their probabilities.
  SampleBlock labels(const SampleBlock& target_scores) const;
  /// Returns how many labels scores may have: more than one where they are drawn.
  int outcomes() const;
  /// Makes probabilities the k-th label that is drawn from them, and returns its probability.
  Eigen::ArrayXd outcome(int k, SampleBlock& labels) const;

 private:
  SampleBlock outputs(const SampleBlock& scores, double beta) const;
  void call(const SampleBlock& labels, const SampleBlock& at, LossBlock& out) const;
  /// Value and as many of the derivatives as the function gives, at every sample; returns which.
  Derivatives evaluate(const SampleBlock& labels, const SampleBlock& zeta, Derivatives wanted, LossExpansion& at) const;
  void pull_back(const SampleBlock& outputs, const LossBlock& given, Derivatives available, LossExpansion& at) const;
  void difference_gradients(const SampleBlock& labels, const SampleBlock& zeta, LossExpansion& at) const;
  void difference_values(const SampleBlock& labels, const SampleBlock& zeta, Derivatives wanted,
                         LossExpansion& at) const;

  std::shared_ptr<const CustomLoss> loss_;
  Eigen::MatrixXd A_;
  double beta_, target_beta_, length_;
  int labels_;  ///< numbers of one
  Eigen::Index keys_;
};

/// Returns how many scores a custom loss depends on (CustomLoss::label_function says which).
int score_rows(const Problem& problem);

/// Returns how many numbers the label of one sequence has.
int custom_label_count(const Problem& problem);

/// Returns A with h = A ζ for ζ of unit metric, without directions that the loss cannot see: h ~ N(0, q A Aᵀ) for S of
/// second moment q.
Eigen::MatrixXd visible_scores(const Problem& problem);

/// Compares what the function of a problem's custom loss gives with differences at fixed points, and differences of two
/// lengths with each other. Throws std::invalid_argument that names the derivative and the deviation, or a value that
/// is not finite. Points where a loss has a kink are few; a tenth of all may deviate.
void require_consistent(const Problem& problem);

}  // namespace attnlaw::model
