#include "attnlaw/laws/filtering/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "attnlaw/base/index.h"
#include "attnlaw/base/instances.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"

namespace attnlaw::laws {
namespace {

using base::reject;
using base::size;
using base::Stream;
using Eigen::ArrayXXd;
using Eigen::Index;
using Matrix = base::Matrix<double>;

/// Adds the predictions for directions begin … end − 1 of a group, at both ends of the spectrum for n samples in d
/// dimensions.
void add_directions(const WeightLaw& weights, const RelevantMoments& relevant, int d, double n, int group, int begin,
                    int end, LofiTheory& theory) {
  const RelevantMoments part =
      relevant.diagonal() ? RelevantMoments{relevant.moments.middleCols(begin, end - begin), end - begin} : relevant;
  const LofiLaw upper(weights, n / d), lower(weights.negated(), n / d);
  for (const Kept side : {Kept::above, Kept::below}) {
    const LofiLaw& law = side == Kept::above ? upper : lower;
    const std::vector<LofiOutlier> seen = law.outliers(part);
    for (const LofiThreshold& threshold : emergence_thresholds(law.weights(), part)) {
      if (!std::isfinite(threshold.delta)) continue;
      LofiPrediction prediction{group, side, threshold.delta * d, 0, law.upper_edge().eigenvalue, 0};
      for (const LofiOutlier& outlier : seen) {
        if (std::abs(outlier.direction.dot(threshold.direction)) < 0.99) continue;
        prediction.eigenvalue = outlier.eigenvalue, prediction.overlap = outlier.overlap;
      }
      if (side == Kept::below) prediction.eigenvalue = -prediction.eigenvalue;
      Eigen::ArrayXd g = Eigen::ArrayXd::Zero(weights.t.size());
      for (int a = 0; a < part.r; ++a)
        for (int b = 0; b < part.r; ++b) {
          if (part.diagonal() && a != b) continue;
          g += threshold.direction[a] * threshold.direction[b] * part.moments.col(part.diagonal() ? a : a * part.r + b);
        }
      prediction.wide_threshold = d * large_delta_threshold(weights, (weights.probability * weights.t * (g - 1)).sum());
      theory.directions.push_back(prediction);
    }
  }
}

}  // namespace

LofiTheory predict_lofi(const LofiTarget& target, int d, double n) {
  if (d <= target.relevant()) reject("d must exceed the {} relevant directions, got {}", target.relevant(), d);
  LofiTheory theory;
  const int tokens = target.tokens();
  const double rows = n * tokens;  // every token is a sample of the operator
  const LofiLaw law(target.weights(), rows / d), mirrored(target.weights().negated(), rows / d);
  theory.upper_edge = law.upper_edge().eigenvalue, theory.lower_edge = -mirrored.upper_edge().eigenvalue;
  add_directions(target.weights(), target.moments(), d, rows, 1, 0, target.first_group(), theory);
  std::stable_sort(theory.directions.begin(), theory.directions.end(),
                   [](const LofiPrediction& a, const LofiPrediction& b) { return a.threshold < b.threshold; });
  for (LofiPrediction& direction : theory.directions) {
    direction.threshold /= tokens, direction.wide_threshold /= tokens;
    theory.mean_overlap += direction.overlap / target.first_group();
  }
  if (target.kind() == LofiTarget::Kind::leap) {
    const LeapLaw leap = leap_law(target);
    add_directions(leap.weights, leap.moments, d - target.first_group(), n, 2, 0, leap.moments.r, theory);
  }
  const double inputs = static_cast<double>(d) * tokens;
  theory.kernel_threshold = 0.5 * inputs * inputs;
  theory.kernel_plateau = 1 - target.linear_share();
  if (target.kind() == LofiTarget::Kind::sine || target.kind() == LofiTarget::Kind::staircase) {
    const std::size_t forms = target.coefficients().size();
    std::vector<double> overlaps(forms, 0), lambdas(forms, 0);
    for (const LofiLaw* side : {&law, &mirrored}) {
      for (const LofiOutlier& outlier : side->outliers(target.moments())) {
        Index j = 0;
        outlier.direction.maxCoeff(&j);
        overlaps[size(j)] = outlier.overlap, lambdas[size(j)] = (side == &law ? 1 : -1) * outlier.eigenvalue;
      }
    }
    if (tokens > 1) {  // the one direction is read in every token
      std::fill(overlaps.begin(), overlaps.end(), overlaps[0]);
      std::fill(lambdas.begin(), lambdas.end(), lambdas[0]);
    }
    if (theory.mean_overlap > 0) theory.depth_two_error = depth_two_error(target, overlaps, lambdas);
  }
  return theory;
}

namespace {

LabelledSamples draw(const LofiTarget& target, int d, int n, std::uint64_t seed, Stream purpose,
                     std::uint64_t instance) {
  const int tokens = target.tokens(), relevant = target.relevant();
  LabelledSamples samples{Matrix(static_cast<Index>(n) * tokens, d), Matrix(n, target.outputs()), tokens,
                          target.kind() == LofiTarget::Kind::attention};
  base::NormalStream(seed, base::stream_id(purpose, static_cast<std::uint64_t>(d), instance))
      .fill(0, {samples.x.data(), size(samples.x.size())});
  std::vector<double> s;
  for (Index mu = 0; mu < n; ++mu) {
    base::check_interrupt();
    s.clear();
    for (Index a = 0; a < tokens; ++a)
      for (int j = 0; j < relevant; ++j) s.push_back(samples.x(mu * tokens + a, j));
    target.label(s, {&samples.y(mu, 0), size(samples.y.cols())});
  }
  return samples;
}

/// Returns ‖P̂U‖²_F/r for coordinates begin … end − 1.
double subspace_overlap(const std::vector<LofiFeature>& features, int begin, int end) {
  double sum = 0;
  for (const LofiFeature& feature : features)
    if (feature.kept != Kept::degree_one) sum += feature.direction.segment(begin, end - begin).squaredNorm();
  return sum / (end - begin);
}

/// Throws MemoryError unless the samples, standardised and deflated, and the lift with its rotation and squares fit.
void require_memory(const LofiTarget& target, int d, int n, int test, const LofiOptions& options) {
  const double inputs = static_cast<double>(d) * target.tokens();
  const double lift =
      std::max({static_cast<double>(options.lift), options.lazy ? static_cast<double>(options.lazy_lift) : 0,
                options.lazy ? inputs * (inputs + 3) / 2 : 0});
  base::require_memory(
      sizeof(double) * ((n + static_cast<double>(test)) * (4.0 * inputs + 4.0 * lift) + 3.0 * lift * lift),
      fmt::format("filtering n = {} samples", n), "fewer samples or features");
}

}  // namespace

LofiMeasurement measure_lofi(const LofiTarget& target, int d, int n, int test, std::uint64_t instance,
                             const LofiOptions& options) {
  if (d < 2 * target.relevant())
    reject("d must be at least {} for '{}', got {}", 2 * target.relevant(), target.spec(), d);
  constexpr int kLeast = 10;
  if (n < kLeast || test < kLeast) reject("n and the test samples must be {} or more, got {} and {}", kLeast, n, test);
  require_memory(target, d, n, test, options);
  const LabelledSamples train = draw(target, d, n, options.seed, Stream::filtering_data, instance);
  const LabelledSamples fresh = draw(target, d, test, options.seed, Stream::filtering_test_data, instance);
  const ArrayXXd t = train.y.array().unaryExpr([&](double y) { return target.weight(y); });
  LofiMeasurement measurement;
  measurement.result = run_lofi(train, fresh, t, options);
  const FilteredLayer& first = measurement.result.first;
  for (const LofiFeature& feature : first.features) {
    measurement.feature_overlaps.push_back(feature.direction.head(target.relevant()).squaredNorm());
    measurement.seen += feature.kept != Kept::degree_one;
  }
  measurement.mean_overlap = subspace_overlap(first.features, 0, target.first_group());
  if (measurement.result.leap && target.first_group() < target.relevant())
    measurement.leap_overlap =
        subspace_overlap(measurement.result.leap->features, target.first_group(), target.relevant());
  return measurement;
}

}  // namespace attnlaw::laws
