#include "attnlaw/model/custom_loss.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "attnlaw/base/matrix.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/model/agreement.h"
#include "attnlaw/model/published.h"

namespace attnlaw::model {
namespace {

using base::reject;
using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;

/// Samples of one call: its arrays stay in cache, and calling costs little beside them.
constexpr Index kSamplesOfCall = 16384;
/// Differences are taken over these parts of the length over which outputs change.
constexpr double kValueStep = 1e-4, kGradientStep = 1e-5;

Index lower(Index i, Index j) { return i * (i + 1) / 2 + j; }

bool one_row(Coordinates coordinates) {
  return coordinates == Coordinates::row || coordinates == Coordinates::row_scores;
}

/// h = F z of normalised coordinates z, which are those of a symmetric S with self-attention.
MatrixXd scores_of_normals(const Problem& problem) {
  const Index T = problem.tokens, keys = problem.keys();
  const Coordinates coordinates = problem.custom_loss->coordinates;
  if (coordinates == Coordinates::score) return MatrixXd::Identity(1, 1);
  if (problem.cross() || one_row(coordinates)) {
    const Index count = score_rows(problem);
    MatrixXd F = MatrixXd::Identity(count, count);
    if (!problem.cross()) F(0, 0) = std::sqrt(2.0);
    return F;
  }
  MatrixXd F = MatrixXd::Zero(T * keys, lower(T, 0));
  for (Index a = 0; a < T; ++a)
    for (Index b = 0; b < T; ++b) F(a * T + b, lower(std::max(a, b), std::min(a, b))) = a == b ? std::sqrt(2.0) : 1;
  return F;
}

/// Takes the mean of every row of scores out.
MatrixXd contrasts(MatrixXd F, Index keys) {
  for (Index first = 0; first < F.rows(); first += keys) {
    const Eigen::RowVectorXd mean = F.middleRows(first, keys).colwise().mean();
    F.middleRows(first, keys).rowwise() -= mean;
  }
  return F;
}

/// Gradients in probabilities p, columns first, …, first + keys − 1, become those in the scores of a row.
template <class Columns>
void through_softmax(const SampleBlock& p, Index row, Index keys, double beta, Columns&& gradient) {
  const auto of_row = p.middleCols(row * keys, keys);
  gradient *= of_row;
  const ArrayXd total = gradient.rowwise().sum();
  for (Index b = 0; b < keys; ++b) gradient.col(b) -= of_row.col(b) * total;
  gradient *= beta;
}

}  // namespace

int score_rows(const Problem& problem) {
  switch (problem.custom_loss->coordinates) {
    case Coordinates::score:
      return 1;
    case Coordinates::row:
    case Coordinates::row_scores:
      return problem.keys();
    default:
      return problem.tokens * problem.keys();
  }
}

int custom_label_count(const Problem& problem) {
  const CustomLoss& loss = *problem.custom_loss;
  const int scores = score_rows(problem);
  if (loss.labels != CustomLabels::function) return scores;
  if (loss.label_count > 0) return loss.label_count;
  return static_cast<int>(loss.label_function(SampleBlock::Zero(1, scores)).cols());
}

MatrixXd visible_scores(const Problem& problem) {
  const MatrixXd F = scores_of_normals(problem);
  // A label that is a function of scores may tell them apart where a softmax does not.
  if (!problem.custom_loss->softmax() || problem.custom_loss->labels == CustomLabels::function) return F;
  constexpr double kInvisible = 1e-9;
  const base::SingularSystem system = base::singular_system(contrasts(F, problem.keys()));
  const auto visible =
      std::count_if(system.values.begin(), system.values.end(), [](double value) { return value > kInvisible; });
  return contrasts(F * system.right.topRows(visible).transpose(), problem.keys());
}

ScoredLoss::ScoredLoss(const Problem& problem, MatrixXd A, double length)
    : loss_(problem.custom_loss),
      A_(std::move(A)),
      beta_(problem.beta),
      target_beta_(problem.target_beta),
      length_(length),
      labels_(custom_label_count(problem)),
      keys_(problem.keys()) {}

SampleBlock ScoredLoss::scores(const SampleBlock& zeta) const { return (zeta.matrix() * A_.transpose()).array(); }

SampleBlock ScoredLoss::outputs(const SampleBlock& scores, double beta) const {
  if (!loss_->softmax()) return scores;
  SampleBlock p = scores;
  for (Index first = 0; first < p.cols(); first += keys_) {
    auto row = p.middleCols(first, keys_);
    const ArrayXd largest = row.rowwise().maxCoeff();
    row = ((row.colwise() - largest) * beta).exp();
    const ArrayXd sum = row.rowwise().sum();
    row.colwise() /= sum;
  }
  return p;
}

SampleBlock ScoredLoss::labels(const SampleBlock& target_scores) const {
  switch (loss_->labels) {
    case CustomLabels::outputs:
    case CustomLabels::sampled:
      return outputs(target_scores, target_beta_);
    case CustomLabels::sign:
      return (target_scores >= 0).select(SampleBlock::Ones(target_scores.rows(), target_scores.cols()), -1.0);
    case CustomLabels::function:
      break;
  }
  SampleBlock labels(target_scores.rows(), labels_);
  for (Index first = 0; first < labels.rows(); first += kSamplesOfCall) {
    const Index count = std::min(kSamplesOfCall, labels.rows() - first);
    const SampleBlock part = loss_->label_function(target_scores.middleRows(first, count));
    if (part.rows() != count || part.cols() != labels.cols())
      reject("labels must give {} numbers for each of {} samples, got {} x {}", labels.cols(), count, part.rows(),
             part.cols());
    if (!part.allFinite()) reject("labels must be finite, got one that is not");
    labels.middleRows(first, count) = part;
  }
  return labels;
}

int ScoredLoss::outcomes() const {
  int count = 1;
  for (Index row = 0; loss_->labels == CustomLabels::sampled && row < A_.rows(); row += keys_)
    count *= static_cast<int>(keys_);
  return count;
}

ArrayXd ScoredLoss::outcome(int k, SampleBlock& labels) const {
  ArrayXd probability = ArrayXd::Ones(labels.rows());
  if (loss_->labels != CustomLabels::sampled) return probability;
  const auto keys = static_cast<int>(keys_);
  for (Index first = 0; first < labels.cols(); first += keys_, k /= keys) {
    probability *= labels.col(first + k % keys);
    labels.middleCols(first, keys_).setZero();
    labels.col(first + k % keys).setOnes();
  }
  return probability;
}

void ScoredLoss::call(const SampleBlock& labels, const SampleBlock& at, LossBlock& out) const {
  loss_->function(labels, at, out);
  const Index samples = at.rows(), k = at.cols();
  if (out.value.size() != samples)
    reject("the loss must give one value for each of {} samples, got {}", samples, out.value.size());
  const auto require_shape = [samples](const SampleBlock& given, Index columns, const char* what) {
    if (given.size() > 0 && (given.rows() != samples || given.cols() != columns))
      reject("the {} of the loss must be {} x {}, got {} x {}", what, samples, columns, given.rows(), given.cols());
  };
  require_shape(out.gradient, k, "gradient");
  require_shape(out.hessian, k * k, "Hessian");
  if (!out.value.allFinite() || !out.gradient.allFinite() || !out.hessian.allFinite())
    reject("the loss and its derivatives must be finite wherever fields may be, got a number that is not");
}

Derivatives ScoredLoss::evaluate(const SampleBlock& labels, const SampleBlock& zeta, Derivatives wanted,
                                 LossExpansion& at) const {
  const SampleBlock p = outputs(scores(zeta), beta_);
  LossBlock given;
  call(labels, p, given);
  at.value = std::move(given.value);
  const bool first = given.gradient.size() > 0, second = first && given.hessian.size() > 0;
  const Derivatives available = std::min(wanted, second  ? Derivatives::hessian
                                                 : first ? Derivatives::gradient
                                                         : Derivatives::none);
  pull_back(p, given, available, at);
  return available;
}

void ScoredLoss::pull_back(const SampleBlock& p, const LossBlock& given, Derivatives available,
                           LossExpansion& at) const {
  if (available == Derivatives::none) return;
  const Index k = p.cols(), rows = loss_->softmax() ? k / keys_ : 0;
  SampleBlock slope = given.gradient;
  for (Index row = 0; row < rows; ++row) through_softmax(p, row, keys_, beta_, slope.middleCols(row * keys_, keys_));
  at.gradient = (slope.matrix() * A_).array();
  if (available == Derivatives::gradient) return;
  SampleBlock bent = given.hessian;
  // Both indices pass through the softmax; then what its own curvature adds: with w = p∘∂ℓ and R = Σ w,
  // β²(diag(w − Rp) − wpᵀ − pwᵀ + 2Rppᵀ), of which β(w − Rp) is the slope.
  for (Index row = 0; row < rows; ++row)
    for (Index i = 0; i < k; ++i) through_softmax(p, row, keys_, beta_, bent.middleCols(i * k + row * keys_, keys_));
  SampleBlock column(p.rows(), keys_);
  for (Index row = 0; row < rows; ++row)
    for (Index j = 0; j < k; ++j) {
      for (Index b = 0; b < keys_; ++b) column.col(b) = bent.col((row * keys_ + b) * k + j);
      through_softmax(p, row, keys_, beta_, column);
      for (Index b = 0; b < keys_; ++b) bent.col((row * keys_ + b) * k + j) = column.col(b);
    }
  for (Index first = 0; first < rows * keys_; first += keys_)
    for (Index c = first; c < first + keys_; ++c) {
      bent.col(c * k + c) += beta_ * slope.col(c);
      for (Index e = first; e < first + keys_; ++e)
        bent.col(c * k + e) -= beta_ * (slope.col(c) * p.col(e) + p.col(c) * slope.col(e));
    }
  const Index r = dimension();
  at.hessian.setZero(p.rows(), lower(r, 0));
  for (Index i = 0; i < r; ++i)
    for (Index j = 0; j <= i; ++j)
      for (Index c = 0; c < k; ++c)
        for (Index e = 0; e < k; ++e)
          if (const double weight = A_(c, i) * A_(e, j); weight != 0)
            at.hessian.col(lower(i, j)) += weight * bent.col(c * k + e);
}

namespace {

/// The same samples so many times, one below the other.
SampleBlock repeated(const SampleBlock& block, Index times) { return block.replicate(times, 1); }

}  // namespace

void ScoredLoss::difference_gradients(const SampleBlock& labels, const SampleBlock& zeta, LossExpansion& at) const {
  const Index samples = zeta.rows(), r = dimension();
  const double step = kGradientStep * length_ * reach();
  SampleBlock moved = repeated(zeta, 2 * r);
  for (Index i = 0; i < r; ++i) {
    moved.col(i).segment(2 * i * samples, samples) += step;
    moved.col(i).segment((2 * i + 1) * samples, samples) -= step;
  }
  LossExpansion there;
  evaluate(repeated(labels, 2 * r), moved, Derivatives::gradient, there);
  at.hessian.setZero(samples, lower(r, 0));
  for (Index i = 0; i < r; ++i)
    for (Index j = 0; j < r; ++j)
      at.hessian.col(lower(std::max(i, j), std::min(i, j))) +=
          ((i == j ? 1 : 0.5) / (2 * step)) * (there.gradient.col(j).segment(2 * i * samples, samples) -
                                               there.gradient.col(j).segment((2 * i + 1) * samples, samples));
}

void ScoredLoss::difference_values(const SampleBlock& labels, const SampleBlock& zeta, Derivatives wanted,
                                   LossExpansion& at) const {
  const Index samples = zeta.rows(), r = dimension(), pairs = wanted == Derivatives::hessian ? lower(r - 1, 0) : 0;
  const double step = kValueStep * length_ * reach();
  SampleBlock moved = repeated(zeta, 2 * (r + pairs));
  const auto part = [&](Index copy) { return moved.middleRows(copy * samples, samples); };
  for (Index i = 0; i < r; ++i) {
    part(2 * i).col(i) += step;
    part(2 * i + 1).col(i) -= step;
    for (Index j = 0; j < i && pairs > 0; ++j)
      for (const Index sign : {0, 1}) {
        const double shift = sign == 0 ? step : -step;
        part(2 * (r + lower(i - 1, j)) + sign).col(i) += shift;
        part(2 * (r + lower(i - 1, j)) + sign).col(j) += shift;
      }
  }
  LossExpansion there;
  evaluate(repeated(labels, 2 * (r + pairs)), moved, Derivatives::none, there);
  const auto value = [&](Index copy) { return there.value.segment(copy * samples, samples); };
  at.gradient.resize(samples, r);
  for (Index i = 0; i < r; ++i) at.gradient.col(i) = (value(2 * i) - value(2 * i + 1)) / (2 * step);
  if (wanted != Derivatives::hessian) return;
  at.hessian.resize(samples, lower(r, 0));
  const auto along = [&](Index copy) { return value(copy) + value(copy + 1) - 2 * at.value; };
  for (Index i = 0; i < r; ++i) {
    at.hessian.col(lower(i, i)) = along(2 * i) / (step * step);
    for (Index j = 0; j < i; ++j)
      at.hessian.col(lower(i, j)) =
          (along(2 * (r + lower(i - 1, j))) - along(2 * i) - along(2 * j)) / (2 * step * step);
  }
}

void ScoredLoss::expand(const SampleBlock& labels, const SampleBlock& zeta, Derivatives derivatives,
                        LossExpansion& at) const {
  const Index samples = zeta.rows(), r = dimension();
  at.value.resize(samples);
  if (derivatives != Derivatives::none) at.gradient.resize(samples, r);
  if (derivatives == Derivatives::hessian) at.hessian.resize(samples, lower(r, 0));
  const Index chunk = std::max<Index>(1, kSamplesOfCall / std::max<Index>(1, 2 * r));
  LossExpansion part;
  for (Index first = 0; first < samples; first += chunk) {
    const Index count = std::min(chunk, samples - first);
    const SampleBlock y = labels.middleRows(first, count), here = zeta.middleRows(first, count);
    const Derivatives available = evaluate(y, here, derivatives, part);
    if (available == Derivatives::none && derivatives != Derivatives::none)
      difference_values(y, here, derivatives, part);
    else if (available == Derivatives::gradient && derivatives == Derivatives::hessian)
      difference_gradients(y, here, part);
    at.value.segment(first, count) = part.value;
    if (derivatives != Derivatives::none) at.gradient.middleRows(first, count) = part.gradient;
    if (derivatives == Derivatives::hessian) at.hessian.middleRows(first, count) = part.hessian;
  }
}

namespace {

/// Points and labels at which a loss is tried, the same at every call.
struct Trial {
  SampleBlock labels, zeta;
};

Trial draw_trial(const ScoredLoss& loss, const Problem& problem) {
  constexpr Index kPoints = 200;
  const Index r = loss.dimension();
  base::Matrix<double> normals(kPoints, 2 * r);
  base::NormalStream(0, base::stream_id(base::Stream::fixed_points, 0, 0))
      .fill(0, std::span(normals.data(), static_cast<std::size_t>(normals.size())));
  const double width = std::sqrt(problem.target.Q_star() + problem.noise);
  Trial trial{loss.labels(loss.scores(width * normals.leftCols(r).array())), width * normals.rightCols(r).array()};
  loss.outcome(0, trial.labels);
  return trial;
}

/// Throws unless two derivatives agree at nine points in ten.
void require_close(const SampleBlock& given, const SampleBlock& differences, double tolerance, const char* what) {
  const double scale = 1e-3 + differences.abs().mean();
  const ArrayXd deviations = (given - differences).abs().rowwise().maxCoeff() / scale;
  require_agreement({deviations.begin(), deviations.end()}, tolerance, what, "point");
}

}  // namespace

void require_consistent(const Problem& problem) {
  const ScoredLoss loss(problem, visible_scores(problem));
  const Trial trial = draw_trial(loss, problem);
  LossExpansion given;
  loss.expand(trial.labels, trial.zeta, Derivatives::hessian, given);
  // The same values alone: all derivatives are then differences of them.
  Problem bare = problem;
  auto values = std::make_shared<CustomLoss>(*problem.custom_loss);
  values->function = [function = problem.custom_loss->function](const SampleBlock& y, const SampleBlock& at,
                                                                LossBlock& out) {
    LossBlock all;
    function(y, at, all);
    out.value = std::move(all.value);
  };
  bare.custom_loss = values;
  // Another length than that of a loss that gives values alone.
  constexpr double kLength = 3, kGradient = 1e-4, kHessian = 1e-2;
  LossExpansion differences;
  ScoredLoss(bare, visible_scores(problem), kLength)
      .expand(trial.labels, trial.zeta, Derivatives::hessian, differences);
  require_close(given.gradient, differences.gradient, kGradient,
                "the gradient of the loss does not agree with differences of its values");
  require_close(given.hessian, differences.hessian, kHessian,
                "the Hessian of the loss does not agree with differences of its values");
}

namespace {

constexpr base::Named<Coordinates> kCoordinates[] = {{Coordinates::row, "row"},
                                                     {Coordinates::rows, "rows"},
                                                     {Coordinates::row_scores, "row-scores"},
                                                     {Coordinates::scores, "scores"},
                                                     {Coordinates::score, "score"}};
constexpr base::Named<CustomLabels> kCustomLabels[] = {{CustomLabels::outputs, "outputs"},
                                                       {CustomLabels::sampled, "sampled"},
                                                       {CustomLabels::sign, "sign"},
                                                       {CustomLabels::function, "function"}};

Published<CustomLoss>& published_losses() {
  static Published<CustomLoss> losses;
  return losses;
}

}  // namespace

void publish(const std::shared_ptr<const CustomLoss>& loss) {
  if (loss->name.find('+') != std::string::npos)
    reject("the name of a custom loss must not contain +, got {}", loss->name);
  if (!loss->name.starts_with(kCustomPrefix))
    reject("the name of a custom loss must begin with {}, got {}", kCustomPrefix, loss->name);
  published_losses().add(loss, "loss");
}

std::shared_ptr<const CustomLoss> published_loss(const std::string& name) {
  return published_losses().find(name, "loss");
}

std::span<const base::Named<Coordinates>> names_table(Coordinates) { return kCoordinates; }
std::span<const base::Named<CustomLabels>> names_table(CustomLabels) { return kCustomLabels; }

}  // namespace attnlaw::model
