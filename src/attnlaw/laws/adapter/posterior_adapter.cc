#include "attnlaw/laws/adapter/posterior_adapter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::laws {
namespace {

/// So many widths of a normal law are looked at: beyond them it has 1e-14 of its mass.
constexpr double kReach = 8;

double normal_density(double x, double width) {
  return std::exp(-0.5 * x * x / (width * width)) / (width * std::sqrt(2 * std::numbers::pi));
}

/// Sums over v of the cavity law and its first moment, on equal steps of z = v² + e ζ.
class LabelSums {
 public:
  explicit LabelSums(double width) : width_(width), step_(width / kStepsPerWidth) {
    const double last = kFurthest * kFurthest + kReach * width;
    mass_.resize(static_cast<std::size_t>((last + kReach * width) / step_) + 2);
    moment_.resize(mass_.size());
  }

  void clear() {
    std::fill(mass_.begin(), mass_.end(), 0.0);
    std::fill(moment_.begin(), moment_.end(), 0.0);
  }

  /// Adds a weight of v, whose distance from the centre of the cavity law is `off`.
  void add(double v, double off, double weight) {
    const double z = v * v;
    const auto first = static_cast<std::size_t>(std::max(0.0, std::ceil(z / step_)));
    const auto last = std::min(mass_.size() - 1, static_cast<std::size_t>((z + 2 * kReach * width_) / step_));
    for (std::size_t i = first; i <= last; ++i) {
      const double kernel = weight * normal_density(place(i) - z, width_);
      mass_[i] += kernel;
      moment_[i] += kernel * off;
    }
  }

  /// ∫ moment²/mass dz.
  double squared_shift() const {
    double sum = 0;
    for (std::size_t i = 0; i < mass_.size(); ++i)
      if (mass_[i] > std::numeric_limits<double>::min()) sum += moment_[i] * moment_[i] / mass_[i];
    return sum * step_;
  }

  static constexpr double kFurthest = 7;  ///< |v| that are looked at

 private:
  /// Trapezoids of this many steps in a width are exact to rounding for what has the kernel's smoothness.
  static constexpr double kStepsPerWidth = 4;

  double place(std::size_t i) const { return -kReach * width_ + step_ * static_cast<double>(i); }

  double width_, step_;
  std::vector<double> mass_, moment_;
};

/// The map q → q̂/(1 + q̂).
class PosteriorMap {
 public:
  PosteriorMap(double alpha, double relative_noise) : alpha_(alpha), width_(std::sqrt(2 * relative_noise)) {}

  double operator()(double q) const {
    const double variance = 1 - q, spread = std::sqrt(variance);
    // Half a line of centres: the law is even.
    const double width = std::sqrt(q), last = kReach * width;
    const double step = kPart * std::min(spread, width);
    LabelSums sums(width_);
    double information = 0;
    for (double centre = 0; centre <= last; centre += step) {
      const double weight = (centre == 0 ? 1 : 2) * step * normal_density(centre, width);
      information += weight * squared_shift(centre, spread, sums);
    }
    const double q_hat = alpha_ * information / (variance * variance);
    return q_hat / (1 + q_hat);
  }

 private:
  static constexpr double kPart = 0.5, kFine = 0.25;

  double squared_shift(double centre, double spread, LabelSums& sums) const {
    sums.clear();
    const double furthest = std::min(LabelSums::kFurthest, std::abs(centre) + kReach * spread);
    const double step = kFine * std::min(spread, width_ / std::max(1.0, 2 * furthest));
    const double first = std::max(-LabelSums::kFurthest, centre - kReach * spread);
    const double last = std::min(LabelSums::kFurthest, centre + kReach * spread);
    for (double v = first; v <= last; v += step) sums.add(v, v - centre, step * normal_density(v - centre, spread));
    return sums.squared_shift();
  }

  double alpha_, width_;
};

struct Overlap {
  double q = 0;
  bool converged = false;
};

/// Iterates the map, which increases, with an extrapolation of every two steps (Aitken) as long as that stays between 0
/// and 1.
Overlap iterate(const PosteriorMap& map, double q) {
  constexpr int kSteps = 60;
  constexpr double kTolerance = 1e-7, kVanishing = 1e-5, kCertain = 1 - 1e-9;
  for (int step = 0; step < kSteps; ++step) {
    const double first = std::min(map(q), kCertain), second = std::min(map(first), kCertain);
    const double bend = second - 2 * first + q;
    double next = second;
    if (std::abs(bend) > 0) {
      const double extrapolated = q - (first - q) * (first - q) / bend;
      const bool further = (extrapolated - second) * (second - first) >= 0;
      if (extrapolated > 0 && extrapolated < 1 && further) next = extrapolated;
    }
    if (second < kVanishing && second < first) return {0, true};
    if (std::abs(second - first) < kTolerance * (1 - second)) return {next, true};
    q = std::min(next, kCertain);
  }
  return {q, false};
}

}  // namespace

const base::Description& describe(const LoraBayes*) {
  using B = LoraBayes;
  static const base::Description description{
      "the posterior mean of the adapter, which no other beats",
      {base::field("alignment", &B::alignment, {.symbol = "cos²", .doc = "its squared cosine with u"}),
       base::field("adapter_error", &B::adapter_error, {.doc = "ω²(1 − cos⁴)"}),
       base::field("index_error", &B::index_error, {.doc = "of the scores of a fresh sequence, noiseless"}),
       base::field("from_nothing", &B::from_nothing,
                   {.doc = "cos² that message passing reaches without knowledge to start from"}),
       base::field("converged", &B::converged, {.doc = "whether the search ended at a solution"})}};
  return description;
}

void require_posterior(const LoraTask& task) {
  if (task.head != model::Head::linear || task.tokens != 1)
    base::reject("the posterior mean of an adapter is known for head linear with tokens = 1, got {} with tokens = {}",
                 name(task.head), task.tokens);
}

LoraBayes predict_posterior(const LoraTask& task, const PretrainedOverlaps& pretrained) {
  task.validate();
  pretrained.validate();
  require_posterior(task);
  const double E = residual_variance(task, pretrained);
  if (!(E > 0)) base::reject("the posterior mean of an adapter needs labels with noise: E_pre + noise > 0, got {}", E);
  const PosteriorMap map(task.alpha, E / (task.omega * task.omega));
  constexpr double kNothing = 1e-3, kInformed = 0.95;
  const Overlap nothing = iterate(map, kNothing), informed = iterate(map, kInformed);
  LoraBayes result;
  result.alignment = std::max(informed.q, nothing.q);
  result.from_nothing = nothing.q;
  result.adapter_error = task.omega * task.omega * (1 - result.alignment * result.alignment);
  result.index_error = task.score_square() * (pretrained.E_pre() + result.adapter_error);
  result.converged = nothing.converged && informed.converged;
  return result;
}

LocalPosterior local_posterior(double y, double centre, double variance, double omega, double noise) {
  const double spread = std::sqrt(variance), width = std::sqrt(2 * noise) / omega, z = y / omega + 1;
  const double furthest = std::abs(centre) + kReach * spread;
  constexpr double kFine = 0.25;
  const double step = kFine * std::min(spread, width / std::max(1.0, 2 * furthest));
  // Exponents are taken from their least, which no single v may underflow.
  const auto exponent = [&](double v) {
    const double a = (v - centre) / spread, b = (z - v * v) / width;
    return 0.5 * (a * a + b * b);
  };
  const auto steps = static_cast<int>(std::ceil(2 * kReach * spread / step));
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i <= steps; ++i) least = std::min(least, exponent(centre - kReach * spread + i * step));
  double mass = 0, first = 0, second = 0;
  for (int i = 0; i <= steps; ++i) {
    const double off = -kReach * spread + i * step, weight = std::exp(least - exponent(centre + off));
    mass += weight, first += weight * off, second += weight * off * off;
  }
  const double mean = first / mass;
  return {centre + mean, second / mass - mean * mean};
}

base::Matrix<double> posterior_mean(const base::Matrix<double>& X, std::span<const double> labels, double omega,
                                    double noise, const base::Matrix<double>& start) {
  constexpr int kMaxIterations = 200;
  constexpr double kTolerance = 1e-6, kDamping = 0.5;
  // A start that is believed half: wide enough to be corrected, narrow enough to tell u from −u.
  constexpr double kBelieved = 0.5;
  const auto n = X.rows();
  const auto d = static_cast<double>(X.cols());
  base::Matrix<double> mean = std::sqrt(kBelieved) * start / start.norm();
  double variance = 1 - kBelieved;
  Eigen::VectorXd g = Eigen::VectorXd::Zero(n);
  for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
    const Eigen::VectorXd centres = (X * mean).col(0) - variance * g;
    double q_hat = 0;
    for (Eigen::Index mu = 0; mu < n; ++mu) {
      const LocalPosterior at =
          local_posterior(labels[static_cast<std::size_t>(mu)], centres[mu], variance, omega, noise);
      g[mu] = (at.mean - centres[mu]) / variance;
      q_hat += (1 - at.variance / variance) / variance;
    }
    q_hat = std::max(q_hat / d, 0.0);
    const base::Matrix<double> next = (X.transpose() * g / d + q_hat * mean) / (1 + q_hat);
    const double change = (next - mean).norm();
    mean = (1 - kDamping) * mean + kDamping * next;
    variance = (1 - kDamping) * variance + kDamping / (1 + q_hat);
    if (change < kTolerance) break;
  }
  return mean;
}

}  // namespace attnlaw::laws
