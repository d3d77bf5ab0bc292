#pragma once
/// Defines a Problem: what is learned, from how many data, by which student.
///
/// ```cpp
/// #include <cstdio>
///
/// #include "attnlaw/model/problem.h"
///
/// attnlaw::model::Problem problem;  // two tokens, softmax attention, square loss, tied student
/// problem.alpha = 0.5;              // n = d²/2 sequences
/// problem.lambda = 0.05;
/// problem.noise = 0.1;
/// problem.target = attnlaw::model::Target::parse("wishart:0.5");
/// problem.validate();
/// std::fputs(to_toml(problem).c_str(), stdout);
/// ```

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "attnlaw/base/describe.h"
#include "attnlaw/base/names.h"
#include "attnlaw/model/target.h"

namespace attnlaw::model {

using base::name;

/// Says which sequences queries and keys come from (docs/theory/cross_attention.md).
enum class Attention {
  self,  ///< one sequence of T tokens on both sides: h_ab = (x_aᵀ S x_b − δ_ab Tr S)/√d
  cross  ///< T1 queries x_a and T2 keys y_b of two sequences: h_ab = x_aᵀ S y_b/√d
};

/// The output nonlinearity of the attention layer.
enum class Head {
  softmax,  ///< row-wise softmax of β h, T ≥ 2 (one row of one entry is always 1)
  linear,   ///< the scores h themselves, T ≥ 1
  hardmax   ///< marks the largest score of each row (β = ∞); only for the student bayes with T = 2
};

/// Says which part of a sequence's outputs is labelled and fitted.
enum class Readout {
  rows,   ///< all rows
  entry,  ///< the first entry of the first softmax row alone
  score   ///< one combination u = c·z, |c| = 1, of scores: h_12; h_11/√2 at T = 1, h_11 with cross-attention
};

/// Says how the noisy scores of the target become labels.
enum class Labels {
  soft,     ///< the outputs of the head themselves
  sampled,  ///< one-hot rows drawn with the probabilities of the softmax rows
  sign      ///< ±1, the sign of the score; readout score only
};

/// The loss that training minimises (docs/theory/losses.md).
enum class Loss {
  square,         ///< squared Frobenius distance of the outputs
  cross_entropy,  ///< −Σ_ab y_ab log σ_β(h)_ab
  logistic        ///< log(1 + exp(−y β u)) of sign labels y, u the score
};

/// The student that learns (docs/theory/students.md).
enum class Student {
  tied,            ///< S = W Wᵀ/√(m_h d) ⪰ 0, penalty λ d Tr S (weight decay on W); self-attention
  direct,          ///< every entry of S is a parameter; S = Sᵀ in self-attention, penalty λ d ‖S‖²_F
  direct_general,  ///< as direct in self-attention, but S need not be symmetric
  untied,          ///< S = W_Q W_Kᵀ/√(m_h d), penalty λ d ‖S‖_* (weight decay on W_Q and W_K)
  bayes            ///< the posterior mean of S*, which knows the law of the target and the noise; no penalty
};

/// Says how λ is given.
enum class LambdaRule {
  value,      ///< Problem::lambda
  ridgeless,  ///< "0+": the limit λ → 0 of the trained student
  optimal,    ///< "optimal": the λ of least predicted test error
  edge,       ///< "edge": the least λ that trains the noise of the bulk to zero; tied student, untied cross-attention
  none        ///< student bayes, which has no penalty
};

/// The largest T. Softmax over T tokens is an integral over 2(K − 1) = T(T+1) − 2 Gaussian coordinates, 270 at T = 16,
/// and an experiment holds α d³ T numbers: for a larger T neither gives an answer that anybody would wait for.
inline constexpr int kMaxTokens = 16;
/// The largest α and λ only keep counts and products finite: in practice no machine holds the data of such an α, and
/// nothing is left of the student at such a λ. Where Problem::lambda_unit is above 1 the largest λ is in that unit.
inline constexpr double kMaxAlpha = 1e6;
inline constexpr double kMaxLambda = 1e6;

struct CustomLoss;
struct CustomPenalty;

/// One learning problem in the normalisation of docs/conventions.md.
struct Problem {
  Attention attention = Attention::self;
  int tokens = 2;      ///< T, tokens per sequence, or T1, queries, with cross-attention; at most kMaxTokens
  int key_tokens = 2;  ///< T2, keys; only read with cross-attention
  Head head = Head::softmax;
  Readout readout = Readout::rows;
  Labels labels = Labels::soft;
  Loss loss = Loss::square;
  double alpha = 1;      ///< n/d² > 0, at most kMaxAlpha
  double lambda = 0.05;  ///< penalty on the summed loss, > 0, at most largest_lambda(); read if lambda_rule is `value`
  LambdaRule lambda_rule = LambdaRule::value;
  double beta = 1;         ///< inverse temperature of the student, > 0 (softmax only)
  double target_beta = 1;  ///< inverse temperature of the labels, > 0 (softmax only)
  double noise = 0;        ///< Δ ≥ 0: labels use h* + √Δ Ξ, Var Ξ_ab = 1 + δ_ab (1 with cross-attention)
  Target target;           ///< 0 < Q* < ∞
  Student student = Student::tied;
  double width = 1;  ///< κ = m_h/d > 0 of the tied student; κ ≥ 1 is full width
  /// A loss and labels in place of `readout`, `labels` and `loss`, which keep their defaults (custom_loss.h). The head
  /// is softmax where its coordinates are probabilities, else linear. Documents name it.
  std::shared_ptr<const CustomLoss> custom_loss = nullptr;
  /// A penalty in place of that of the student (custom_penalty.h).
  std::shared_ptr<const CustomPenalty> custom_penalty = nullptr;

  /// Throws std::invalid_argument that names the first value out of range and what is accepted.
  void validate() const;

  bool cross() const { return attention == Attention::cross; }
  /// Returns by which of its values a matrix is a target: symmetric S* by its eigenvalues, others by singular values.
  MatrixValues matrix_values() const { return cross() ? MatrixValues::singular_values : MatrixValues::eigenvalues; }
  /// Tells whether S = W_Q W_Kᵀ acts on one sequence: the trained S is then no function of a spectrum
  /// (docs/theory/students.md).
  bool untied_self() const { return student == Student::untied && !cross(); }
  /// Tells whether S has a symmetric and an antisymmetric part that learn at different rates.
  bool two_sectors() const { return student == Student::direct_general || untied_self(); }
  /// Tells whether training minimises a loss plus a penalty; the posterior mean does not.
  bool penalised() const { return student != Student::bayes; }
  /// Tells whether λ is known before training: it is a number, or there is none.
  bool lambda_known() const { return lambda_rule == LambdaRule::value || lambda_rule == LambdaRule::none; }
  /// Tells whether training soft-thresholds the eigenvalues of a noisy view of S*, or with cross-attention its singular
  /// values. The trained S then collapses to 0 at a finite λ.
  bool soft_threshold() const {
    return !custom_penalty && (student == Student::tied || (student == Student::untied && cross()));
  }
  /// Returns β*/β: the student that gives the outputs of the target is S* times this.
  double beta_ratio() const { return target_beta / beta; }
  /// Returns what λ scales with where the target is written in other units: c S* with c² Δ, and β/c and β*/c with a
  /// softmax, is the same problem at the same λ over this. Depends on Q* for a softmax, on Q* + Δ for linear scores.
  double lambda_unit() const;
  double largest_lambda() const;
  /// Returns the number of keys of every query: T, or T2 with cross-attention.
  int keys() const { return cross() ? key_tokens : tokens; }

  /// Returns K, the number of distinct scores of a symmetric S: T(T+1)/2, or T1 T2 with cross-attention.
  int score_count() const { return cross() ? tokens * key_tokens : tokens * (tokens + 1) / 2; }

  /// Returns K_eff, the number of combinations of scores that a noiseless label determines: a softmax row hides its own
  /// shift, and symmetry leaves one common shift of all rows. Without a finite temperature (hardmax) none is
  /// determined.
  int observed_score_count() const;

  /// Tells whether a label is all outputs of the head, as they are.
  bool labels_are_outputs() const { return !custom_loss && readout == Readout::rows && labels == Labels::soft; }

  /// Tells whether as λ → 0 all labels can be fitted, by fixing K_eff linear combinations of scores. This fails for
  /// sampled and signed labels, and for one entry of a row of three or more scores, whose level sets are curved.
  bool linear_when_fitted() const {
    return !custom_loss && labels == Labels::soft && !(readout == Readout::entry && keys() > 2);
  }

  /// Returns d² over the number of free parameters of S: 2 for symmetric matrices (and for each of the two parts,
  /// symmetric and antisymmetric, of a general S in self-attention), 1 with cross-attention. The equations of both
  /// attentions differ in nothing else: self-attention has 2α, 2λ where cross-attention has α, λ
  /// (docs/theory/cross_attention.md).
  int symmetry() const { return cross() ? 1 : 2; }

  /// Returns how many parts of a label share no score: with cross-attention every row is one, as if its query were a
  /// sequence of its own.
  int independent_rows() const { return cross() && readout == Readout::rows && !custom_loss ? tokens : 1; }

  /// Returns the law by which a target of this spectrum enters the equations: that of its eigenvalues, or with
  /// cross-attention that of its singular values and their negatives, half of the mass each.
  matrix_laws::Spectrum law_of(const matrix_laws::Spectrum& spectrum) const;
  matrix_laws::Spectrum target_law() const { return law_of(target.spectrum()); }
};

/// The keys of JSON and TOML documents are the option names of the command line in snake_case. Reading takes dashes for
/// underscores, rejects unknown keys and wrong types with std::invalid_argument, takes default_problem for missing
/// ones, and validates. `alpha` is required, and so is `lambda` (a number, "0+", "optimal" or "edge") except for the
/// student bayes, where it is null or missing. `tokens` is a number, or "T1,T2" with cross-attention. Where `readout`,
/// `loss` or `head` is missing, `labels` decides: sign labels take score, logistic and linear, sampled ones
/// cross-entropy.
nlohmann::json to_json(const Problem& problem);
Problem problem_from_json(const nlohmann::json& document);
std::string to_toml(const Problem& problem);
Problem problem_from_toml(const std::string& text);

/// Returns the keys of a TOML problem as a JSON object. The values are unchecked: callers complete it before
/// problem_from_json.
nlohmann::json json_from_toml(const std::string& text);

/// Returns λ as options write it: a number, "0+", "optimal", "edge", or "none".
std::string lambda_text(const Problem& problem);
/// "own", or the name of the penalty that is in its place.
std::string penalty_text(const Problem& problem);

/// Returns the values of all options that a document does not set; some depend on its `attention` and `labels`.
Problem default_problem(const nlohmann::json& document);

/// Describes the fields of a problem for everything that reads, shows or documents them.
const base::Description& describe(const Problem*);

// base::name and base::value_of look into these tables.
std::span<const base::Named<Attention>> names_table(Attention);
std::span<const base::Named<Head>> names_table(Head);
std::span<const base::Named<Readout>> names_table(Readout);
std::span<const base::Named<Labels>> names_table(Labels);
std::span<const base::Named<Loss>> names_table(Loss);
std::span<const base::Named<Student>> names_table(Student);

/// Returns T, or "T1,T2" with cross-attention.
std::string tokens_text(const Problem& problem);

}  // namespace attnlaw::model
