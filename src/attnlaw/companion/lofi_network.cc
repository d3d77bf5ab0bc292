#include "attnlaw/companion/lofi_network.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attnlaw/base/index.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/memory.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/companion/lofi_published.h"
#include "attnlaw/companion/lofi_ridge.h"

namespace attnlaw::companion {
namespace {

using base::reject;
using base::size;
using Eigen::ArrayXd;
using Eigen::Index;

/// Purposes of random numbers.
enum Stream : std::uint64_t { kTrain = 32, kTest = 33, kLift = 34, kLazyLift = 37 };

double variance(const ArrayXd& y) { return (y - y.mean()).square().mean(); }

std::vector<LofiFeature> of_degree_two(const FilteredLayer& layer) {
  std::vector<LofiFeature> features;
  for (const LofiFeature& feature : layer.features)
    if (feature.kept != Kept::degree_one) features.push_back(feature);
  return features;
}

/// ĥ = Σ λ_j (ŝ_j² − 1).
ArrayXd quadratic_feature(const Samples& phi, const std::vector<LofiFeature>& features) {
  const Samples s = projections(phi, features);
  ArrayXd h = ArrayXd::Zero(phi.rows());
  for (Index j = 0; j < s.cols(); ++j) h += features[size(j)].eigenvalue * (s.col(j).array().square() - 1);
  return h;
}

/// The two forms of one set of samples: what depth 1 and depth 2 read out.
struct Representation {
  Samples first, second;
};

class Network {
 public:
  Network(const LabelledSamples& train, const LabelledSamples& test, const ArrayXd& t, const LofiOptions& options)
      : train_(train),
        test_(test),
        options_(options),
        standardise_(standardisation_of(train.x)),
        phi_(standardise_(train.x)) {
    result_.first = filter_layer(phi_, t, options.filter);
    known_ = result_.first.features;
    if (options.leap && !of_degree_two(result_.first).empty()) leap();
  }

  LofiResult run() {
    measure_whiteness();
    const Samples other = standardise_(test_.x);
    const Representation here = represent(phi_), there = represent(other);
    read_out("depth 1", here.first, there.first, options_.lift, kLift);
    read_out("depth 2", here.second, there.second, options_.lift, kLift);
    if (options_.lazy) {
      read_out("lazy: ReLU features of x", phi_, other, options_.lazy_lift, kLazyLift);
      add_readout("lazy: kernel of degree 2", phi_.cols(), degree_two_features(phi_), degree_two_features(other));
    }
    if (options_.published) published(other);
    return std::move(result_);
  }

 private:
  void leap() {
    ArrayXd h = quadratic_feature(phi_, of_degree_two(result_.first));
    h = (h - h.mean()) / std::sqrt(variance(h));
    const Samples rest = deflated(phi_, known_);
    FilterOptions filter = options_.filter;
    filter.degree_one = false;
    const ArrayXd y = (train_.y - train_.y.mean()) / std::sqrt(variance(train_.y));
    result_.leap = filter_layer(rest, leap_weights(y, h), filter, phi_.cols() - static_cast<Index>(known_.size()));
  }

  Representation represent(const Samples& phi) const {
    std::vector<LofiFeature> all = known_;
    std::vector<ArrayXd> deep;
    if (const auto group = of_degree_two(result_.first); !group.empty()) deep.push_back(quadratic_feature(phi, group));
    if (!known_.empty() && known_.back().kept == Kept::degree_one)
      deep.push_back(projections(phi, {known_.back()}).col(0).array());
    if (result_.leap && !result_.leap->features.empty()) {
      deep.push_back(quadratic_feature(phi, result_.leap->features));
      all.insert(all.end(), result_.leap->features.begin(), result_.leap->features.end());
    }
    Representation representation{projections(phi, all), Samples(phi.rows(), static_cast<Index>(deep.size()))};
    for (std::size_t j = 0; j < deep.size(); ++j) representation.second.col(static_cast<Index>(j)) = deep[j].matrix();
    return representation;
  }

  void read_out(const std::string& name, const Samples& here, const Samples& there, int features, Stream purpose) {
    if (here.cols() == 0) {
      result_.readouts.push_back({name, 0, (test_.y - train_.y.mean()).square().mean() / variance(test_.y), 1, 0});
      return;
    }
    const Standardisation standardise = standardisation_of(here);
    const ReluLift lift(here.cols(), features, options_.seed, purpose);
    add_readout(name, here.cols(), lift(standardise(here)), lift(standardise(there)));
  }

  void add_readout(const std::string& name, Index inputs, const Samples& here, const Samples& there) {
    const Ridge ridge = fit_ridge(here, train_.y);
    result_.readouts.push_back({name, static_cast<int>(inputs),
                                (test_.y - ridge(there)).square().mean() / variance(test_.y),
                                ridge.validation_error / variance(train_.y), ridge.penalty});
  }

  /// Widths and kept features of the comparison in docs/theory/lofi.md.
  void published(const Samples& other) {
    constexpr int kWidths[] = {1500, 1000}, kKeep[] = {16, 12};
    for (const bool centre : {false, true}) {
      Samples here = phi_, there = other;
      for (std::uint64_t l = 0; l < std::size(kWidths); ++l) {
        const PublishedLayer layer =
            published_layer(here, train_.y, {kWidths[l], kKeep[l], centre, options_.seed, 2 * l + centre});
        here = layer(here), there = layer(there);
        if (!centre) continue;
        const Standardisation standardise = standardisation_of(here);
        here = standardise(here), there = standardise(there);
      }
      read_out(centre ? "published, centred" : "published", here, there, options_.lift, kLift);
    }
    if (phi_.rows() <= kMostKernel) kernel_limit(other);
    if (options_.patches > 0) convolution(other);
  }

  /// One layer of infinite width.
  void kernel_limit(const Samples& other) {
    constexpr int kKeep = 16;
    const double scale = root_mean_square_length(phi_);
    const Samples gram = relu_kernel(phi_, phi_, scale);
    const KernelLayer layer = kernel_layer(gram, train_.y, std::min<int>(kKeep, static_cast<int>(phi_.rows() / 2)));
    read_out("published, kernel limit", product(gram, layer.coordinates),
             product(relu_kernel(other, phi_, scale), layer.coordinates), options_.lift, kLift);
  }

  /// One layer that all patches share, its features squared and averaged over the patches.
  void convolution(const Samples& other) {
    constexpr int kWidth = 500, kKeep = 16;
    const Samples here = patches_of(phi_, options_.patches), there = patches_of(other, options_.patches);
    const PublishedLayer layer = published_layer(here, repeated(train_.y, options_.patches),
                                                 {kWidth, kKeep, true, options_.seed, kConvolutionNumber});
    read_out("published, convolution", pooled(layer(here).cwiseAbs2(), options_.patches),
             pooled(layer(there).cwiseAbs2(), options_.patches), options_.lift, kLift);
  }

  void measure_whiteness() {
    const Samples covariance = weighted_operator(phi_, ArrayXd::Ones(phi_.rows()));
    Eigen::VectorXd v = Eigen::VectorXd::Ones(phi_.cols()).normalized();
    constexpr int kPowerIterations = 100;
    double value = 0;
    for (int i = 0; i < kPowerIterations; ++i) {
      const Eigen::VectorXd next = covariance * v;
      value = next.norm();
      if (value == 0) break;
      v = next / value;
    }
    const double ratio = std::sqrt(static_cast<double>(phi_.cols()) / static_cast<double>(phi_.rows()));
    result_.whiteness = value / ((1 + ratio) * (1 + ratio));
  }

  /// Samples up to which an eigenproblem of their number is solved.
  static constexpr Index kMostKernel = 3000;
  static constexpr std::uint64_t kConvolutionNumber = 100;

  const LabelledSamples& train_;
  const LabelledSamples& test_;
  const LofiOptions& options_;
  Standardisation standardise_;
  Samples phi_;
  std::vector<LofiFeature> known_;
  LofiResult result_;
};

void require_valid(const LabelledSamples& train, const LabelledSamples& test, const LofiOptions& options) {
  constexpr int kMostLift = 10000;
  for (const int lift : {options.lift, options.lazy_lift})
    if (lift < 1 || lift > kMostLift) reject("a lift must have 1 to {} features, got {}", kMostLift, lift);
  if (train.x.cols() != test.x.cols())
    reject("training and test samples must have equally many features, got {} and {}", train.x.cols(), test.x.cols());
  constexpr Index kLeast = 10;
  if (train.x.rows() < kLeast || test.x.rows() < 2)
    reject("{} or more training samples and 2 or more test samples are needed, got {} and {}", kLeast, train.x.rows(),
           test.x.rows());
  if (!(variance(train.y) > 0) || !(variance(test.y) > 0)) reject("labels must not all be the same");
}

/// The ends at which coordinate-wise thresholds are least.
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

ArrayXd data_weights(const ArrayXd& y, double clip) {
  if (!(clip > 0)) reject("clip must be a number > 0 (standard deviations of the labels), got {}", clip);
  const double deviation = std::sqrt(variance(y));
  if (!(deviation > 0)) reject("labels must not all be the same");
  const ArrayXd t = ((y - y.mean()) / deviation).max(-clip).min(clip);
  return t - t.mean();
}

LofiResult run_lofi(const LabelledSamples& train, const LabelledSamples& test, const ArrayXd& t,
                    const LofiOptions& options) {
  require_valid(train, test, options);
  return Network(train, test, t, options).run();
}

LofiTheory predict_lofi(const LofiTarget& target, int d, double n) {
  if (d <= target.relevant()) reject("d must exceed the {} relevant directions, got {}", target.relevant(), d);
  LofiTheory theory;
  const LofiLaw law(target.weights(), n / d), mirrored(target.weights().negated(), n / d);
  theory.upper_edge = law.upper_edge().eigenvalue, theory.lower_edge = -mirrored.upper_edge().eigenvalue;
  add_directions(target.weights(), target.moments(), d, n, 1, 0, target.first_group(), theory);
  std::stable_sort(theory.directions.begin(), theory.directions.end(),
                   [](const LofiPrediction& a, const LofiPrediction& b) { return a.threshold < b.threshold; });
  for (const LofiPrediction& direction : theory.directions)
    theory.mean_overlap += direction.overlap / target.first_group();
  if (target.kind() == LofiTarget::Kind::leap) {
    const LeapLaw leap = leap_law(target);
    add_directions(leap.weights, leap.moments, d - target.first_group(), n, 2, 0, leap.moments.r, theory);
  }
  theory.kernel_threshold = 0.5 * d * d;
  theory.kernel_plateau = 1 - target.linear_share();
  if (target.kind() == LofiTarget::Kind::sine || target.kind() == LofiTarget::Kind::staircase) {
    std::vector<double> overlaps(size(target.relevant()), 0), lambdas(size(target.relevant()), 0);
    for (const LofiLaw* side : {&law, &mirrored}) {
      for (const LofiOutlier& outlier : side->outliers(target.moments())) {
        Index j = 0;
        outlier.direction.maxCoeff(&j);
        overlaps[size(j)] = outlier.overlap, lambdas[size(j)] = (side == &law ? 1 : -1) * outlier.eigenvalue;
      }
    }
    if (theory.mean_overlap > 0) theory.depth_two_error = depth_two_error(target, overlaps, lambdas);
  }
  return theory;
}

namespace {

LabelledSamples draw(const LofiTarget& target, int d, int n, std::uint64_t seed, Stream purpose,
                     std::uint64_t instance) {
  LabelledSamples samples{Samples(n, d), ArrayXd(n)};
  base::NormalStream(seed, base::stream_id(purpose, static_cast<std::uint64_t>(d), instance))
      .fill(0, {samples.x.data(), size(samples.x.size())});
  for (Index mu = 0; mu < n; ++mu)
    samples.y[mu] = target.label({&samples.x(mu, 0), static_cast<std::size_t>(target.relevant())});
  return samples;
}

/// ‖P̂U‖²_F/r for coordinates begin … end − 1.
double subspace_overlap(const std::vector<LofiFeature>& features, int begin, int end) {
  double sum = 0;
  for (const LofiFeature& feature : features)
    if (feature.kept != Kept::degree_one) sum += feature.direction.segment(begin, end - begin).squaredNorm();
  return sum / (end - begin);
}

}  // namespace

LofiMeasurement measure_lofi(const LofiTarget& target, int d, int n, int test, std::uint64_t instance,
                             const LofiOptions& options) {
  if (d < 2 * target.relevant())
    reject("d must be at least {} for '{}', got {}", 2 * target.relevant(), target.spec(), d);
  constexpr int kLeast = 10;
  if (n < kLeast || test < kLeast) reject("n and the test samples must be {} or more, got {} and {}", kLeast, n, test);
  // Samples standardised and deflated, and the lift with its rotation and squares.
  const double lift =
      std::max({options.lift, options.lazy ? options.lazy_lift : 0, options.lazy ? d * (d + 3) / 2 : 0});
  const double needed = 8.0 * ((n + static_cast<double>(test)) * (4.0 * d + 4.0 * lift) + 3.0 * lift * lift);
  if (needed > static_cast<double>(base::memory_limit()))
    throw base::MemoryError(
        fmt::format("n = {} samples need {:.3g} bytes, this machine has {}", n, needed, base::memory_limit()));
  const LabelledSamples train = draw(target, d, n, options.seed, kTrain, instance);
  const LabelledSamples fresh = draw(target, d, test, options.seed, kTest, instance);
  const ArrayXd t = train.y.unaryExpr([&](double y) { return target.weight(y); });
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

}  // namespace attnlaw::companion
