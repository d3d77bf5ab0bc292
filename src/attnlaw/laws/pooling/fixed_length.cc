#include "attnlaw/laws/pooling/fixed_length.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"

namespace attnlaw::laws {
namespace {

using base::reject;
using matrix_laws::Complex;

/// Returns the numbers of occurrences of a population, which are quantiles of Poisson(c) at equidistant levels.
std::vector<std::size_t> stratified_counts(double c, std::size_t population) {
  std::vector<std::size_t> counts(population);
  double term = std::exp(-c), below = term;
  std::size_t count = 0;
  for (std::size_t i = 0; i < population; ++i) {
    const double level = (static_cast<double>(i) + 0.5) / static_cast<double>(population);
    while (below < level && term > 0) {
      ++count;
      term *= c / static_cast<double>(count);
      below += term;
    }
    counts[i] = count;
  }
  return counts;
}

/// Draws permutations, one after the other, as Fisher and Yates do; no seed of the user changes them.
class Permutations {
 public:
  explicit Permutations(std::size_t size) : size_(size) {}

  std::vector<std::uint32_t> next() {
    std::vector<std::uint32_t> order(size_);
    std::iota(order.begin(), order.end(), 0U);
    std::vector<double> uniform(size_);
    base::UniformStream(0, base::stream_id(base::Stream::pooling_counts, 0, 0)).fill(used_, uniform);
    used_ += size_;
    for (std::size_t i = size_; i-- > 1;)
      std::swap(order[i], order[static_cast<std::size_t>(uniform[i] * static_cast<double>(i + 1))]);
    return order;
  }

 private:
  std::size_t size_;
  std::uint64_t used_ = 0;
};

/// Deals members of the population, all of them before any a second time.
class Partners {
 public:
  explicit Partners(Permutations& permutations) : permutations_(permutations) {}

  std::uint32_t next() {
    if (left_.empty()) left_ = permutations_.next();
    const std::uint32_t partner = left_.back();
    left_.pop_back();
    return partner;
  }

 private:
  Permutations& permutations_;
  std::vector<std::uint32_t> left_;
};

}  // namespace

SparseCounts::SparseCounts(std::span<const double> weights, double sequences_per_token, std::size_t population)
    : counts_(sequences_per_token), r_(population, 1), next_(population) {
  if (weights.empty() || weights.size() > kMostPositions)
    reject("the law at fixed length is computed for 1 to {} tokens, got {}: beyond, it is that of many tokens",
           kMostPositions, weights.size());
  if (!(counts_ > 0 && counts_ <= kMostCounts))
    reject("the law at fixed length is computed for N/V = delta/gamma > 0 and at most {}, got {}", kMostCounts,
           counts_);
  for (const double w : weights) squares_.push_back(w * w);
  if (std::all_of(squares_.begin(), squares_.end(), [](double square) { return square == 0; }))
    reject("weights must not all be zero: kappa, the sum of their squares, must be > 0");
  Permutations permutations(population);
  Partners partners(permutations);
  const std::vector<std::size_t> counts = stratified_counts(counts_, population);
  std::vector<std::vector<std::uint32_t>>
      places;  // place of every member among the strata of counts, for every position
  for (std::size_t l = 0; l < weights.size(); ++l) places.push_back(permutations.next());
  for (std::size_t member = 0; member < population; ++member) {
    base::check_interrupt();
    first_.push_back(positions_.size());
    for (std::size_t l = 0; l < weights.size(); ++l)
      for (std::size_t k = counts[places[l][member]]; k > 0; --k) {
        positions_.push_back(l);
        for (std::size_t other = 1; other < weights.size(); ++other) others_.push_back(partners.next());
      }
  }
  first_.push_back(positions_.size());
}

double SparseCounts::sweep(Complex X) {
  const Complex scaled = X / counts_;
  const std::size_t others = squares_.size() - 1;
  double change = 0;
  for (std::size_t member = 0; member < r_.size(); ++member) {
    base::check_interrupt();
    Complex sum = 0;
    for (std::size_t s = first_[member]; s < first_[member + 1]; ++s) {
      const std::size_t position = positions_[s];
      const std::uint32_t* partner = others_.data() + s * others;
      Complex rest = 0;
      for (std::size_t i = 0; i < others; ++i) rest += squares_[i + (i >= position ? 1 : 0)] * r_[partner[i]];
      sum += squares_[position] / (1.0 + scaled * rest);
    }
    next_[member] = 1.0 / (1.0 + scaled * sum);
    change = std::max(change, std::abs(next_[member] - r_[member]));
  }
  return change;
}

Complex SparseCounts::mean_resolvent(Complex X) {
  constexpr int kMostSweeps = 150, kUndamped = 60;
  constexpr double kTolerance = 1e-7;
  for (int i = 0; i < kMostSweeps; ++i) {
    const double change = sweep(X);
    // Close to the negative axis the map turns about its fixed point, so later sweeps are averaged.
    if (i < kUndamped)
      std::swap(r_, next_);
    else
      std::transform(r_.begin(), r_.end(), next_.begin(), r_.begin(),
                     [](Complex a, Complex b) { return 0.5 * (a + b); });
    if (change < kTolerance) break;
  }
  return std::accumulate(r_.begin(), r_.end(), Complex(0)) / static_cast<double>(r_.size());
}

namespace {

/// Solves 1/G = x − ∫ t ν(dt)/(1 − δGt) for X = −δG: the equation reads x = (1 − δ − E r)/X.
class Transform {
 public:
  Transform(const PoolingRatios& ratios, std::span<const double> weights)
      : delta_(ratios.delta), counts_(weights, ratios.delta / ratios.gamma, population(weights.size())) {}

  /// Returns X at x, by the secant method from a guess.
  Complex solve(Complex x, Complex guess) {
    constexpr int kMostSteps = 12;
    constexpr double kTolerance = 1e-6, kLongest = 0.3;
    Complex last = guess, last_excess = excess(last, x);
    Complex at = last * (1.0 + 0.3 * last_excess / x), at_excess = excess(at, x);
    for (int step = 0; step < kMostSteps && std::abs(at_excess) > kTolerance * std::abs(x); ++step) {
      Complex change = -at_excess * (at - last) / (at_excess - last_excess);
      if (!std::isfinite(std::abs(change))) break;
      change *= std::min(1.0, kLongest * std::abs(at) / std::abs(change));
      Complex next = at + change;
      if (next.imag() <= 0) next = {next.real(), 0.5 * at.imag()};
      last = at, last_excess = at_excess;
      at = next, at_excess = excess(at, x);
    }
    return at;
  }

  /// Returns the mass of the atom of the law at 0, that is 1 − (rank of A)/d or 0.
  double zero_mass() {
    constexpr double kLarge = 1e9;
    const double hole = counts_.mean_resolvent(kLarge).real();
    counts_.reset();
    return std::max(0.0, 1 - (1 - hole) / delta_);
  }

  double delta() const { return delta_; }

 private:
  /// Returns the size of the population: the more tokens a sequence has, the less r fluctuates.
  static std::size_t population(std::size_t length) {
    constexpr std::size_t kLeast = 512, kAll = 8192;
    return std::max(kLeast, kAll / length);
  }

  Complex excess(Complex X, Complex x) { return (1.0 - delta_ - counts_.mean_resolvent(X)) / X - x; }

  double delta_;
  SparseCounts counts_;
};

}  // namespace

double FixedLengthLaw::distribution(double at) const {
  if (at < 0) return 0;
  if (at >= x.back()) return 1;
  const auto above = std::upper_bound(x.begin(), x.end(), at);
  const auto i = static_cast<std::size_t>(above - x.begin());
  const double lower = i == 0 ? 0 : x[i - 1], lower_cdf = i == 0 ? zero_mass : cdf[i - 1];
  return lower_cdf + (cdf[i] - lower_cdf) * (at - lower) / (x[i] - lower);
}

FixedLengthLaw fixed_length_law(const PoolingRatios& ratios, std::span<const double> weights) {
  require_valid(ratios);
  Transform transform(ratios, weights);
  const double kappa = std::inner_product(weights.begin(), weights.end(), weights.begin(), 0.0);
  // The largest eigenvalues are those of tokens that recur most often: there is no edge, but hardly any mass beyond
  // this multiple of the edge for many tokens.
  constexpr double kReach = 3, kSmoothing = 3e-4;
  constexpr int kPoints = 256;
  const double reach = kReach * pooling_law(ratios, kappa).hull().upper;
  FixedLengthLaw law;
  law.zero_mass = transform.zero_mass();
  law.x.resize(kPoints), law.density.resize(kPoints), law.cdf.resize(kPoints);
  Complex correction = 0;
  double above = 0;
  // Points x = reach u³ flatten a density that diverges at 0. They are taken from the right, where the law is close to
  // that of many tokens.
  for (int i = kPoints; i-- > 0;) {
    const auto at = static_cast<std::size_t>(i);
    const double u = (i + 0.5) / kPoints, x = reach * u * u * u;
    const Complex shifted = x * Complex(1, kSmoothing);
    const Complex many = -transform.delta() * pooling_stieltjes(ratios, shifted / kappa) / kappa;
    const Complex guess = many + correction;
    const Complex X = transform.solve(shifted, guess.imag() > 0 ? guess : many);
    correction = X - many;
    law.x[at] = x;
    law.density[at] = X.imag() / (transform.delta() * std::numbers::pi);
    const double mass = law.density[at] * 3 * reach * u * u / kPoints;
    law.cdf[at] = 1 - above - 0.5 * mass;
    above += mass;
  }
  law.mass_error = std::abs(above + law.zero_mass - 1);
  return law;
}

double fixed_length_distance(const FixedLengthLaw& law, const PoolingRatios& ratios, double kappa) {
  const matrix_laws::Law many = pooling_law(ratios, kappa);
  double distance = 0;
  for (std::size_t i = 0; i < law.x.size(); ++i)
    distance = std::max(distance, std::abs(law.cdf[i] - many.cdf(law.x[i])));
  return distance;
}

}  // namespace attnlaw::laws
