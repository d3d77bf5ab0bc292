#include "attnlaw/laws/adapter/posterior_adapter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/base/index.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/normal.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::laws {
namespace {

using base::index;
using base::size;

/// So many widths of a normal law are looked at: beyond them it has 1e-15 of its mass.
constexpr double kReach = 8;
/// Integrals over v take steps of this part of the narrower of the two laws whose product they integrate. The product
/// is at least 0.7 of that wide, and equal steps of 0.7 of a width leave e^(−2π²/0.7²) = 1e-17 of an integral.
constexpr double kFine = 0.5;

double normal_density(double x, double width) { return base::normal_density(x / width) / width; }

/// An overlap that still falls below this is none: it falls by the factor α/α_c at every step.
constexpr double kVanishing = 1e-5;

/// The step in v of ∫ N(v; ·, spread²) N(z; v², width²) dv for |v| up to `furthest`: as a function of v the second law
/// has the width `width`/(2|v|), or about `width` close to 0.
double fine_step(double spread, double width, double furthest) {
  return kFine * std::min(spread, width / std::max(1.0, 2 * furthest));
}

/// Sums over v of the cavity law and its first moment, on equal steps of z = v² + e ζ.
class LabelSums {
 public:
  explicit LabelSums(double width) : width_(width), step_(width / kStepsPerWidth) {
    const double last = kReach * kReach + kReach * width;
    mass_.resize(static_cast<std::size_t>((last + kReach * width) / step_) + 2);
    moment_.resize(mass_.size());
  }

  void clear() {
    for (std::ptrdiff_t i = first_; i < last_; ++i) mass_[size(i)] = moment_[size(i)] = 0;
    first_ = index(mass_.size()), last_ = 0;
  }

  /// Adds a weight of v, whose distance from the centre of the cavity law is `off`.
  void add(double v, double off, double weight) {
    const double z = v * v;
    const auto first = static_cast<std::ptrdiff_t>(std::ceil(z / step_));
    const auto last = std::min(index(mass_.size()), first + kSteps);
    first_ = std::min(first_, first), last_ = std::max(last_, last);
    // A normal density on equal steps is a product of ratios, whose own ratio is constant.
    const double x = (place(first) - z) / width_;
    double kernel = weight * normal_density(x, 1) / width_, ratio = std::exp(-kStep * (x + 0.5 * kStep));
    for (std::ptrdiff_t i = first; i < last; ++i) {
      mass_[size(i)] += kernel;
      moment_[size(i)] += kernel * off;
      kernel *= ratio;
      ratio *= kShrinkage;
    }
  }

  /// ∫ moment²/mass dz.
  double squared_shift() const {
    return over_mass([](double mass, double moment) { return moment * moment / mass; });
  }
  /// ∫ mass log(mass) dz.
  double log_evidence() const {
    return over_mass([](double mass, double) { return mass * std::log(mass); });
  }

 private:
  /// Trapezoids of this many steps in a width are exact to rounding for what has the kernel's smoothness.
  static constexpr int kStepsPerWidth = 2;
  static constexpr double kStep = 1.0 / kStepsPerWidth;
  static constexpr std::ptrdiff_t kSteps = 2 * static_cast<int>(kReach) * kStepsPerWidth;
  static inline const double kShrinkage = std::exp(-kStep * kStep);

  double place(std::ptrdiff_t i) const { return -kReach * width_ + step_ * static_cast<double>(i); }

  template <class Integrand>
  double over_mass(const Integrand& integrand) const {
    double sum = 0;
    for (std::ptrdiff_t i = first_; i < last_; ++i)
      if (mass_[size(i)] > std::numeric_limits<double>::min()) sum += integrand(mass_[size(i)], moment_[size(i)]);
    return sum * step_;
  }

  double width_, step_;
  std::vector<double> mass_, moment_;
  std::ptrdiff_t first_ = 0, last_ = 0;  ///< where there is any mass
};

/// What labels tell of v at the overlap q: q̂/α = E g² and E log Z of a label.
struct LabelInformation {
  double squared_field = 0;
  double log_evidence = 0;
};

/// The map q → q̂/(1 + q̂), and the free entropy whose stationary points are its fixed points.
class PosteriorMap {
 public:
  PosteriorMap(double alpha, double relative_noise) : alpha_(alpha), width_(std::sqrt(2 * relative_noise)) {}

  double operator()(double q) const {
    const double q_hat = alpha_ * information(q).squared_field;
    return q_hat / (1 + q_hat);
  }

  /// α E log Z + ½[log(1 − q) + q]: of several fixed points the posterior has the one where it is largest.
  double free_entropy(double q) const {
    q = std::max(q, kVanishing);  // it is stationary at 0, where there is no law of centres
    return alpha_ * information(q).log_evidence + 0.5 * (std::log1p(-q) + q);
  }

 private:
  /// Centres of the cavity law lie on steps of this part of the narrower of their own law and the cavity's, to which
  /// the same estimate applies as to kFine.
  static constexpr double kPart = 0.5;

  LabelInformation information(double q) const {
    const double variance = 1 - q, spread = std::sqrt(variance);
    // Half a line of centres: the law is even.
    const double width = std::sqrt(q), last = kReach * width;
    const double step = kPart * std::min(spread, width);
    LabelSums sums(width_);
    LabelInformation result;
    for (double centre = 0; centre <= last; centre += step) {
      base::check_interrupt();
      const double weight = (centre == 0 ? 1 : 2) * step * normal_density(centre, width);
      fill(centre, spread, sums);
      result.squared_field += weight * sums.squared_shift() / (variance * variance);
      result.log_evidence += weight * sums.log_evidence();
    }
    return result;
  }

  /// Sums over the cavity law around a centre. |v| beyond kReach is not looked at: v itself has variance 1.
  void fill(double centre, double spread, LabelSums& sums) const {
    sums.clear();
    const double first = std::max(-kReach, centre - kReach * spread);
    const double last = std::min(kReach, centre + kReach * spread);
    const double step = fine_step(spread, width_, std::max(std::abs(first), std::abs(last)));
    for (double v = first; v <= last; v += step) sums.add(v, v - centre, step * normal_density(v - centre, spread));
  }

  double alpha_, width_;
};

struct Overlap {
  double q = 0;
  bool converged = false;
};

/// Iterates the map, which increases, so that a start ends at the next solution above or below it. Where steps shrink
/// by a constant factor the rest of them is added at once (Aitken); elsewhere that could leap over a solution.
Overlap iterate(const PosteriorMap& map, double q) {
  constexpr int kMostSteps = 40;
  // Of 1 − q: differences of free entropies are of second order in what is left.
  constexpr double kTolerance = 1e-7;
  // Closer to 1 the cavity law is too narrow for any grid of centres.
  constexpr double kCertain = 1 - 1e-9;
  // Factors count as constant where they leave the sum of all further steps to this part of it.
  constexpr double kSteady = 0.2;
  for (int step = 0; step < kMostSteps; ++step) {
    const double first = std::min(map(q), kCertain), second = std::min(map(first), kCertain),
                 third = std::min(map(second), kCertain);
    const double before = (second - first) / (first - q), ratio = (third - second) / (second - first);
    const bool steady = ratio < 1 && std::abs(ratio - before) < kSteady * (1 - ratio);
    const double rest = steady ? (third - second) * ratio / (1 - ratio) : 0;
    const double next = third + rest > 0 ? std::min(third + rest, kCertain) : third;
    if (third < kVanishing && third < second) return {0, true};
    if (std::abs(third - second) < kTolerance * (1 - third)) return {next, true};
    q = next;
  }
  return {q, false};
}

}  // namespace

const base::Description& describe(const LoraBayes*) {
  using B = LoraBayes;
  static const base::Description description{
      "the posterior mean of the adapter, which no other beats",
      {base::field(
           "alignment", &B::alignment,
           {.symbol = "cos²", .doc = "its squared cosine with u: of two solutions that of larger free entropy"}),
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
  // From below and from above all solutions: an overlap of 0 is a solution itself, which this start leaves where α >
  // α_c; the best one has 1 − q of the order of E/α, to which the map, which increases, leads from any q above the
  // others.
  constexpr double kNothing = 1e-3, kInformed = 1 - 1e-3;
  const Overlap nothing = iterate(map, kNothing), informed = iterate(map, kInformed);
  LoraBayes result;
  result.alignment = map.free_entropy(informed.q) > map.free_entropy(nothing.q) ? informed.q : nothing.q;
  result.from_nothing = nothing.q;
  result.adapter_error = task.omega * task.omega * (1 - result.alignment * result.alignment);
  result.index_error = task.score_square() * (pretrained.E_pre() + result.adapter_error);
  result.converged = nothing.converged && informed.converged;
  return result;
}

LocalPosterior local_posterior(double y, double centre, double variance, double omega, double noise) {
  const double spread = std::sqrt(variance), width = std::sqrt(2 * noise) / omega, z = y / omega + 1;
  const double furthest = std::abs(centre) + kReach * spread;
  const double step = fine_step(spread, width, furthest);
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

PosteriorMean posterior_mean(const base::Matrix<double>& X, std::span<const double> labels, double omega, double noise,
                             const base::Matrix<double>& start) {
  // Of the length of the mean, at most 1: far below the 1/√d of one data set against another.
  constexpr double kTolerance = 1e-6;
  // At finite d full steps may overshoot in turns; half of each leaves a factor of about ½, and 20 steps for all
  // digits.
  constexpr double kDamping = 0.5;
  constexpr int kMaxIterations = 200;
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
      base::check_interrupt();
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
    if (change < kTolerance) return {std::move(mean), true};
  }
  return {std::move(mean), false};
}

}  // namespace attnlaw::laws
