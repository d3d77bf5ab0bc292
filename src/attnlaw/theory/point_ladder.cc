#include "attnlaw/theory/point_ladder.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <optional>
#include <utility>

#include "attnlaw/model/custom_loss.h"
#include "attnlaw/theory/channel/logistic_features.h"
#include "attnlaw/theory/evolution/search.h"

namespace attnlaw::theory {
namespace {

using std::numbers::pi;

/// Sobol rules, as powers of two.
constexpr int kFirstLevel = 7;
constexpr int kLastLevel = 16;
constexpr int kManyLevel = kLastLevel - 3;
/// What sampled matrices of the prior leave open, no rule of the output channel mends.
constexpr int kLastSampledLevel = kFirstLevel + 3;
/// Sampling error ∝ points^-1.2 where rows have two scores, and nearer to points^-0.9 at T = 3 (both measured): taken
/// at its word, that would ask for twice the points where as many as there are nearly serve.
constexpr double kOrder = 1.2, kOrderOfRows = 1;
/// Finer rules begin with the proximal points of coarser ones, so that short steps cost little; but where some jump the
/// map of few points is rough, and may have no fixed point.
constexpr int kLongestStep = 3, kLongestWithJumps = 5;

/// Residuals, as shares of the accuracy: a fixed point is accepted with one, and aimed at with the other, far below
/// what sampling leaves open. Equations without sampling error are solved to the rounding of the spectral laws.
constexpr double kResidualShare = 0.1;
constexpr double kAimedShare = 1e-3;
/// …and on Sobol points, where one more step costs as much as all before.
constexpr double kSampledAimedShare = 0.01;
constexpr double kClosedFormAimed = 1e-11;
/// Errors of the law of the prior, likewise, and at most.
constexpr double kLawShare = 1e-5;
constexpr double kLargestLawError = 1e-8;
/// A coarse rule is as far off as this.
constexpr Tolerance kCoarseTolerance{.aimed = 1e-4, .accepted = 1e-3};
constexpr double kCoarseLaw = 1e-6;

/// Grids: the error of the first fine one is aimed at a third of the accuracy. Where that takes many points, as the
/// pole of the worst field may well be farther than it is taken to be, the first one has just as many digits as may do,
/// and the next ones what its error asks for, with a margin, within these factors.
constexpr double kCoarseDigits = 6;
constexpr double kFewPoints = 3000;
constexpr double kSpareDigits = 1, kFirstDigits = -1.6;  // beside log(1/accuracy)
constexpr double kLeastMore = 1.15, kMostMore = 1.45;
/// A grid has at most so many points, and so many fewer digits that it does; where it cannot have the least number of
/// digits Sobol points do as well. A grid of hardly more digits than the last one is not worth its time.
constexpr double kMostPoints = 2e5;
constexpr double kFewerDigits = 0.95;
constexpr double kLeastDigits = 4.5;
constexpr double kWorthwhile = 1.05;
constexpr double kMostCoarsePoints = 2000;
/// Where more points than this have several minima, integrands jump so much that Sobol points do better.
constexpr double kMostSeveral = 0.05;

/// The differences of scores that rows of two scores depend on: how many, their variance and the largest eigenvalue of
/// their covariance for S of unit second moment; and the weight of the loss (RowLoss::kWeight).
struct TwoScores {
  std::size_t coordinates;
  double variance, largest_eigenvalue, weight;
  bool custom = false;  ///< any loss of one or two coordinates: what else is said of it is a guess
};

/// Custom losses are taken to be about as smooth as the squared loss of softmax outputs. Labels that jump are left to
/// Sobol points.
std::optional<TwoScores> few_coordinates(const model::Problem& problem) {
  constexpr Eigen::Index kFew = 2;
  if (problem.custom_loss->labels == model::CustomLabels::sign) return std::nullopt;
  const Eigen::MatrixXd A = model::visible_scores(problem);
  if (A.cols() > kFew) return std::nullopt;
  // Of softmax rows differences count: of two scores twice their distance from the mean, which both have.
  const double distance = problem.custom_loss->softmax() ? 2 : 1;
  return TwoScores{static_cast<std::size_t>(A.cols()), distance * distance * A.rowwise().squaredNorm().maxCoeff(),
                   distance * A.colwise().squaredNorm().maxCoeff(), SquareLoss::kWeight, true};
}

std::optional<TwoScores> two_scores(const model::Problem& problem) {
  if (problem.custom_loss) return few_coordinates(problem);
  if (problem.head != model::Head::softmax || problem.keys() != 2 || problem.two_sectors()) return std::nullopt;
  if (problem.readout == model::Readout::entry) {
    const double variance = 1 + problem.symmetry();
    return TwoScores{1, variance, variance, EntryLoss::kWeight};
  }
  const double weight = problem.loss == model::Loss::cross_entropy ? CrossEntropyLoss::kWeight : SquareLoss::kWeight;
  if (problem.cross()) return TwoScores{1, single_metric(2).variance, single_metric(2).largest_eigenvalue, weight};
  return TwoScores{2, kPairMetric.variance, kPairMetric.largest_eigenvalue, weight};
}

/// How far from the real axis a proximal point is analytic in x = βu of a row.
///
/// Outputs have poles at ±iπ. Of a loss w(y − s)² those points come nearer where its Gauss-Newton curvature, 2wμβ²V
/// s²(1 − s)² in units of the spring's, is −1: cosh x = −1 ± iκ/2 with κ = β√(2wμV).
double analytic_height(const TwoScores& scores, double beta, double V) {
  const double kappa = beta * std::sqrt(2 * scores.weight * scores.largest_eigenvalue * V);
  return std::abs(std::acosh(std::complex<double>(-1, 0.5 * kappa)).imag());
}

/// How steep the outputs of the target are as functions of τ.
double label_slope(const TwoScores& scores, const model::Problem& problem, double Q_star) {
  return problem.target_beta * std::sqrt(scores.variance * (Q_star + problem.noise));
}

}  // namespace

PointRule rule_at_zero(const model::Problem& problem, double Q_star) {
  constexpr int kLevel = 16;
  constexpr double kDigits = 18;
  const auto scores = two_scores(problem);
  if (!scores) return SobolRule{kLevel};
  const double steepest = label_slope(*scores, problem, Q_star);
  return GridRule{.label_step = trapezoidal_step(pi / steepest, kDigits),
                  .radius = trapezoidal_radius(kDigits),
                  .hermite = 1,
                  .interleaved = false,
                  .even = !scores->custom};
}

PointLadder::PointLadder(const model::Problem& problem, double Q_star, std::optional<RidgelessPhase> phase,
                         double accuracy)
    : problem_(problem),
      Q_star_(Q_star),
      accuracy_(accuracy),
      closed_form_(closed_form(problem, phase)),
      last_level_(problem.untied_self() ? kLastSampledLevel : kLastLevel),
      rule_(SobolRule{kFirstLevel}) {
  const auto scores = two_scores(problem);
  if (!scores) return;
  // Before anything is known of the student, its outputs are taken to be as steep as those of its target, and softened.
  constexpr double kSoftened = 0.62;
  const double steepest = label_slope(*scores, problem, Q_star);
  GridRule grid{.label_step = trapezoidal_step(kSoftened * pi / steepest, kCoarseDigits),
                .interleaved = false,
                .even = !scores->custom};
  const double excess = grid_size(scores->coordinates, grid) / kMostCoarsePoints;
  if (excess > 1) grid.label_step *= std::pow(excess, 1.0 / static_cast<double>(scores->coordinates));
  rule_ = grid;
}

Resolution PointLadder::resolution() const {
  if (coarse_) return {rule_, kCoarseLaw};
  return {rule_, closed_form_ ? kLawRounding : std::min(kLargestLawError, kLawShare * accuracy_)};
}

Tolerance PointLadder::tolerance() const {
  if (coarse_) return kCoarseTolerance;
  const double share = std::holds_alternative<SobolRule>(rule_) ? kSampledAimedShare : kAimedShare;
  return {closed_form_ ? kClosedFormAimed : share * accuracy_, kResidualShare * accuracy_};
}

double PointLadder::points() const {
  if (const auto* sobol = std::get_if<SobolRule>(&rule_)) return SobolRule::kReplicates * std::exp2(sobol->log2_points);
  return grid_size(two_scores(problem_)->coordinates, std::get<GridRule>(rule_));
}

bool PointLadder::many_points() const {
  const auto* sobol = std::get_if<SobolRule>(&rule_);
  return sobol && sobol->log2_points > kManyLevel;
}

GridRule PointLadder::grid_at(const Overlaps& overlaps, double digits) const {
  const TwoScores scores = *two_scores(problem_);
  const double sigma = std::sqrt(Q_star_ + problem_.noise), along = overlaps.m / sigma;
  const double across = std::sqrt(std::max(overlaps.q - along * along, 0.0));
  const double width = std::sqrt(scores.variance);
  // Conjugates in closed form have no proximal points.
  const double height = analytic_height(scores, problem_.beta, closed_form_ ? 0 : overlaps.V);
  GridRule grid;
  grid.even = !scores.custom;
  grid.digits = digits;
  grid.label_step =
      trapezoidal_step(height / (width * std::max(problem_.target_beta * sigma, problem_.beta * along)), digits);
  grid.radius = trapezoidal_radius(digits);
  // n Gauss-Hermite nodes leave e^(−s√(2n)) of a pole at distance s. Errors of n and n + 1 nodes may have one sign, so
  // that their difference tells too little; with one coordinate two nodes more cost next to nothing.
  constexpr int kLeastNodes = 3, kSpareNodes = 2;
  const double strip = height / (width * problem_.beta * std::max(across, 1e-12));
  grid.noise_step = trapezoidal_step(strip, digits);
  const double nodes = std::max<double>(kLeastNodes, std::ceil(0.5 * digits * digits / (strip * strip))) +
                       (scores.coordinates == 1 ? kSpareNodes : 0);
  const double trapezoidal = 2 * grid.radius / grid.noise_step;
  grid.hermite = nodes <= trapezoidal + 1 ? static_cast<int>(nodes) : 0;
  return grid;
}

double PointLadder::next_digits(const Outcome& outcome) const {
  if (!coarse_)
    return digits_ +
           std::clamp(std::log(outcome.error) + kSpareDigits, (kLeastMore - 1) * digits_, (kMostMore - 1) * digits_);
  const double digits = std::log(1 / accuracy_), wanted = std::max(kCoarseDigits, digits + kSpareDigits);
  if (grid_size(two_scores(problem_)->coordinates, grid_at(outcome.overlaps, wanted)) <= kFewPoints) return wanted;
  return std::max(kLeastDigits, digits + kFirstDigits);
}

bool PointLadder::refine(const Outcome& outcome) {
  if (closed_form_ && problem_.head == model::Head::linear) return std::exchange(coarse_, false);
  const auto scores = two_scores(problem_);
  if (!scores || std::holds_alternative<SobolRule>(rule_)) return refine_sobol(outcome);
  const auto take_sobol = [this] {
    coarse_ = true;
    rule_ = SobolRule{kFirstLevel};
    return true;
  };
  if (outcome.several > kMostSeveral) return take_sobol();
  const double before = std::exchange(digits_, next_digits(outcome));
  while (grid_size(scores->coordinates, grid_at(outcome.overlaps, digits_)) > kMostPoints) digits_ *= kFewerDigits;
  // As many digits as fit; fewer than a coarse rule has are left to Sobol points, and so are custom losses and labels
  // that jump.
  if (!coarse_ && digits_ <= kWorthwhile * before) return scores->custom ? take_sobol() : false;
  coarse_ = coarse_ && digits_ < kLeastDigits;
  rule_ = coarse_ ? PointRule(SobolRule{kFirstLevel}) : PointRule(grid_at(outcome.overlaps, digits_));
  return true;
}

bool PointLadder::refine_sobol(const Outcome& outcome) {
  auto& level = std::get<SobolRule>(rule_).log2_points;
  if (level >= last_level_) return false;
  const PointGrowth growth{.order = two_scores(problem_) ? kOrder : kOrderOfRows,
                           .longest = outcome.several > 0 ? kLongestWithJumps : kLongestStep,
                           .last = last_level_};
  level = growth.next(level, outcome.error);
  coarse_ = false;
  return true;
}

}  // namespace attnlaw::theory
