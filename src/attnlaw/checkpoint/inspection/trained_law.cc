#include "attnlaw/checkpoint/inspection/trained_law.h"

#include <algorithm>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>

#include "attnlaw/base/estimate.h"
#include "attnlaw/base/index.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/matrix.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/matrix_laws/kolmogorov.h"
#include "attnlaw/matrix_laws/nulls/random_matrices.h"
#include "attnlaw/matrix_laws/nulls/tied_factor.h"
#include "attnlaw/matrix_laws/nulls/tracy_widom.h"

namespace attnlaw::checkpoint {
namespace {

namespace laws = attnlaw::matrix_laws;
using base::size;

constexpr int kFewestEigenvalues = 20;  ///< eigenvalues
constexpr int kLargestSpikePart = 10;   ///< one of so many may be a spike
constexpr double kFitLevel = 0.05;
/// Below this share of the largest, eigenvalues are those that the threshold of training sets to 0: what an optimiser
/// leaves of them, and rounding of weights of single precision.
constexpr double kLeastShare = 1e-6;

/// F(x) of the semicircle on [−2, 2].
double semicircle_cdf(double x) {
  if (x <= -2) return 0;
  if (x >= 2) return 1;
  return 0.5 + x * std::sqrt(4 - x * x) / (4 * std::numbers::pi) + std::asin(x / 2) / std::numbers::pi;
}

double semicircle_quantile(double p) {
  std::uintmax_t iterations = 200;
  const auto [low, high] =
      boost::math::tools::toms748_solve([p](double x) { return semicircle_cdf(x) - p; }, -2.0, 2.0, -p, 1 - p,
                                        boost::math::tools::eps_tolerance<double>(40), iterations);
  return 0.5 * (low + high);
}

/// The places of the n largest of d eigenvalues of a semicircle, descending, and where the last of them is cut.
struct Places {
  std::vector<double> y;
  double cut = 0;
};

Places places(int n, int d) {
  Places result{std::vector<double>(size(n)), n < d ? semicircle_quantile(1 - static_cast<double>(n) / d) : -2};
  for (int i = 0; i < n; ++i) result.y[size(i)] = semicircle_quantile(1 - (i + 0.5) / d);
  return result;
}

/// e = a y − t.
struct Line {
  double a = 0, t = 0;
};

/// Least squares over the eigenvalues against as many of the places.
Line fitted(std::span<const double> eigenvalues, std::span<const double> y) {
  const auto n = static_cast<double>(eigenvalues.size());
  const double mean_e = base::mean_of(eigenvalues), mean_y = base::mean_of(y.first(eigenvalues.size()));
  double both = 0, squares = 0;
  for (std::size_t i = 0; i < eigenvalues.size(); ++i) {
    both += (y[i] - mean_y) * (eigenvalues[i] - mean_e);
    squares += (y[i] - mean_y) * (y[i] - mean_y);
  }
  return n > 1 ? Line{both / squares, both / squares * mean_y - mean_e} : Line{};
}

/// The Kolmogorov distance of a bulk from the part of the semicircle that is above its cut.
double distance(std::span<const double> descending, const Line& line, int d) {
  std::vector<double> x(descending.rbegin(), descending.rend());
  for (double& value : x) value = (value + line.t) / line.a;
  const double share = static_cast<double>(x.size()) / d;
  return laws::kolmogorov_distance(
      x, [share](double value) { return std::clamp(1 - (1 - semicircle_cdf(value)) / share, 0.0, 1.0); }, 0);
}

/// The n largest eigenvalues, descending, of a matrix of the Gaussian orthogonal ensemble on [−2, 2], by its
/// tridiagonal form (Dumitriu and Edelman, J. Math. Phys. 43 (2002) 5830).
std::vector<double> goe_top(int n, int d, laws::Draws& draws) {
  std::vector<double> diagonal(size(d)), off(size(d - 1));
  const double root = std::sqrt(d);
  for (double& x : diagonal) x = std::numbers::sqrt2 / root * draws.normal();
  for (int i = 0; i + 1 < d; ++i) off[size(i)] = std::sqrt(draws.chi_squared(d - 1 - i)) / root;
  std::vector<double> values = base::largest_tridiagonal_eigenvalues(diagonal, off, size(n));
  std::reverse(values.begin(), values.end());
  return values;
}

/// Takes spikes off until the next eigenvalue is no farther out than that of a semicircle is once in a hundred times.
int count_spikes(std::span<const double> eigenvalues, int d) {
  static const double kReach = laws::tracy_widom_quantile(0.99);
  int k = 0;
  for (const int most = static_cast<int>(eigenvalues.size()) / kLargestSpikePart; k <= most; ++k) {
    const std::span<const double> below = eigenvalues.subspan(size(k + 1));
    const int left = d - k - 1;
    const Line line = fitted(below, places(static_cast<int>(below.size()), left).y);
    const double edge = line.a * (2 + kReach * std::pow(d - k, -2.0 / 3)) - line.t;
    if (!(eigenvalues[size(k)] > edge)) break;
  }
  return k;
}

double deviation(const std::vector<double>& values) {
  return std::sqrt(base::squared_deviations(values) / static_cast<double>(values.size() - 1));
}

void add_spikes(std::span<const double> eigenvalues, TrainedLawFit& fit) {
  for (int i = 0; i < fit.spikes; ++i) {
    const double x = (eigenvalues[size(i)] + fit.threshold) / fit.noise;
    const double w = (x + std::sqrt(std::max(0.0, x * x - 4))) / 2;
    fit.spike_strengths.push_back(fit.noise * w);
    fit.spike_overlaps.push_back(1 - 1 / (w * w));
  }
}

/// (4 − τ²)^{3/2}, of which the moments of a semicircle above τ are made.
double above(double tau) { return std::pow(std::max(0.0, 4 - tau * tau), 1.5); }

/// V V̂ = ∫ (y − τ) y ρ(y) dy over y > τ, for the semicircle ρ on [−2, 2].
double response(double tau) {
  const double first = above(tau) / (6 * std::numbers::pi);
  const double second = 1 - semicircle_cdf(tau) + tau * above(tau) / (8 * std::numbers::pi);
  return second - tau * first;
}

double sum_of_squares(std::span<const double> values) {
  return std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
}

/// The error of estimation Tr (S − S*)²/d of a target that is the spikes alone.
double estimation_error(std::span<const double> eigenvalues, const TrainedLawFit& fit, int d) {
  double sum = sum_of_squares(eigenvalues);
  for (std::size_t k = 0; k < fit.spike_strengths.size(); ++k) {
    const double target = fit.spike_strengths[k];
    sum += target * (target - 2 * eigenvalues[k] * fit.spike_overlaps[k]);
  }
  return sum / d;
}

/// What a law says of its training.
struct Training {
  double samples = kAbsent, decay = kAbsent, noise = kAbsent;
};

/// For the squared error of scores m̂ = V̂, so that spikes are those of the target, q̂ = V̂² (E + Δ)/(2αK) and V̂ = 2αK/(V +
/// 1/4): a² = (E + Δ)/(2αK), V̂ = 4(2αK − V V̂), t = 2λ/V̂. The least αK is that of no noise, or of no decay.
Training training_of(const Line& line, double error, std::optional<double> samples) {
  const double response_here = response(line.t / line.a), square = line.a * line.a;
  Training training{.samples = std::max(error / square, response_here) / 2};
  training.decay = 2 * line.t * (2 * samples.value_or(training.samples) - response_here);
  if (samples) training.noise = 2 * *samples * square - error;
  return training;
}

/// Figures of the fit over matrices that have its law.
struct Fluctuations {
  std::vector<double> noise, threshold, cut, samples, decay, label_noise;

  void add(const Line& line, double cut_of, const Training& training) {
    noise.push_back(line.a);
    threshold.push_back(line.t);
    cut.push_back(cut_of);
    samples.push_back(training.samples);
    decay.push_back(training.decay);
    label_noise.push_back(training.noise);
  }
};

/// Fills p, errors, and what the law says of its training, from matrices that have the fitted law.
void add_draws(std::span<const double> eigenvalues, int d, const Places& at, const Draw& draw,
               std::optional<double> samples, int draws, TrainedLawFit& fit) {
  const Line line{fit.noise, fit.threshold};
  const std::span<const double> bulk = eigenvalues.subspan(size(fit.spikes));
  const int left = d - fit.spikes;
  const double measured = distance(bulk, line, left), error = estimation_error(eigenvalues, fit, d);
  Fluctuations drawn;
  std::size_t reached = 0;
  for (int i = 0; i < draws; ++i) {
    laws::Draws numbers(draw.seed,
                        base::stream_id(base::Stream::semicircle_draws, draw.head, static_cast<std::uint64_t>(i)));
    std::vector<double> top = goe_top(static_cast<int>(bulk.size()), left, numbers);
    // Brings a = 1, t = 0 to the units of the fit.
    for (double& e : top) e = line.a * e - line.t;
    const Line again = fitted(top, at.y);
    if (distance(top, again, left) >= measured) ++reached;
    const double other = error + (sum_of_squares(top) - sum_of_squares(bulk)) / d;
    drawn.add(again, again.a * at.cut - again.t, training_of(again, other, samples));
  }
  fit.noise_error = deviation(drawn.noise);
  fit.threshold_error = deviation(drawn.threshold);
  fit.cut_error = deviation(drawn.cut);
  fit.p = laws::monte_carlo_p_value(reached, size(draws));
  // Where the width of the head cuts the law, its response is another one.
  constexpr double kDeviations = 2;
  if (!(fit.p > kFitLevel && std::abs(fit.cut) <= kDeviations * fit.cut_error)) return;
  const Training training = training_of(line, error, samples);
  fit.implied_samples = training.samples;
  fit.implied_samples_error = deviation(drawn.samples);
  // No decay and no noise make this law from fewer samples.
  fit.too_few_samples = samples && *samples < training.samples - kDeviations * fit.implied_samples_error;
  if (fit.too_few_samples) return;
  fit.implied_decay = training.decay;
  fit.implied_decay_error = deviation(drawn.decay);
  fit.implied_noise = training.noise;
  fit.implied_noise_error = deviation(drawn.label_noise);
}

double tied_distance(std::span<const double> descending, double beta) {
  std::vector<double> x(descending.rbegin(), descending.rend());
  const double mean = base::mean_of(x);
  for (double& value : x) value /= mean;
  return laws::kolmogorov_distance(
      x, [beta](double value) { return 1 - laws::tied_mass_above(beta, value); }, 0);
}

/// The p-value of a random tied head, whose one parameter is the scale.
double random_tied_p(std::span<const double> eigenvalues, int d, const Draw& draw, int draws) {
  const int m = static_cast<int>(eigenvalues.size());
  const double beta = static_cast<double>(m) / d, measured = tied_distance(eigenvalues, beta);
  std::size_t reached = 0;
  for (int i = 0; i < draws; ++i) {
    laws::Draws numbers(draw.seed,
                        base::stream_id(base::Stream::tied_factors, draw.head, static_cast<std::uint64_t>(i)));
    const Eigen::MatrixXd L = laws::bartlett_factor(m, d, numbers);
    const Eigen::MatrixXd G = L * L.transpose();
    std::vector<double> values = base::eigenvalues(G.transpose());
    std::reverse(values.begin(), values.end());
    if (tied_distance(values, beta) >= measured) ++reached;
  }
  return laws::monte_carlo_p_value(reached, size(draws));
}

}  // namespace

std::span<const base::Named<FitStatus>> names_table(FitStatus) {
  static constexpr base::Named<FitStatus> kStatus[] = {
      {FitStatus::fitted, "fitted"},
      {FitStatus::law_rejected, "law-rejected"},
      {FitStatus::not_tied_like, "not-tied-like"},
      {FitStatus::too_few_eigenvalues, "too-few-eigenvalues"},
      {FitStatus::no_fit, "no-fit"},
      {FitStatus::not_distinguishable_from_random_tied, "not-distinguishable-from-random-tied"}};
  return kStatus;
}

TrainedLawFit fit_trained_law(std::span<const double> eigenvalues, int d, const Draw& draw,
                              std::optional<double> samples, int draws) {
  TrainedLawFit fit;
  const int n = static_cast<int>(eigenvalues.size());
  if (n < kFewestEigenvalues) return fit.status = FitStatus::too_few_eigenvalues, fit;
  fit.spikes = count_spikes(eigenvalues, d);
  const std::span<const double> bulk = eigenvalues.subspan(size(fit.spikes));
  const Places at = places(static_cast<int>(bulk.size()), d - fit.spikes);
  const Line line = fitted(bulk, at.y);
  if (!(line.a > 0)) return fit.status = FitStatus::no_fit, fit;
  fit.noise = line.a;
  fit.threshold = line.t;
  fit.ratio = line.t / line.a;
  fit.cut = line.a * at.cut - line.t;
  if (fit.spikes * kLargestSpikePart > n) return fit.status = FitStatus::law_rejected, fit;
  add_spikes(eigenvalues, fit);
  add_draws(eigenvalues, d, at, draw, samples, draws, fit);
  fit.status = fit.p > kFitLevel ? FitStatus::fitted : FitStatus::law_rejected;
  return fit;
}

TrainedLawFit fit_trained_law(const FactoredMap& map, const SymmetryMeasures& symmetry, const Draw& draw,
                              std::optional<double> samples, int draws) {
  if (!like_tied(symmetry)) return {};
  const int d = static_cast<int>(map.query_dimension);
  std::vector<double> positive;
  for (auto e = map.symmetric_eigenvalues.rbegin(); e != map.symmetric_eigenvalues.rend(); ++e)
    if (*e > kLeastShare * map.symmetric_eigenvalues.back() && positive.size() < size(map.m())) positive.push_back(*e);
  TrainedLawFit fit = fit_trained_law(positive, d, draw, samples, draws);
  if (fit.status == FitStatus::too_few_eigenvalues) return fit;
  fit.random_tied_p = random_tied_p(positive, d, draw, draws);
  if (fit.status == FitStatus::fitted && fit.random_tied_p > kFitLevel) {
    fit.status = FitStatus::not_distinguishable_from_random_tied;
    for (double* implied : {&fit.implied_samples, &fit.implied_samples_error, &fit.implied_decay,
                            &fit.implied_decay_error, &fit.implied_noise, &fit.implied_noise_error})
      *implied = kAbsent;
  }
  return fit;
}

}  // namespace attnlaw::checkpoint
