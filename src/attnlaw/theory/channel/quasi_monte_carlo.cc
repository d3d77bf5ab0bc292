#include "attnlaw/theory/channel/quasi_monte_carlo.h"

#include <algorithm>
#include <array>
#include <boost/random/sobol.hpp>
#include <cmath>
#include <random>

#include "attnlaw/base/interrupt.h"
#include "attnlaw/theory/channel/pack.h"

namespace attnlaw::theory {
namespace {

constexpr int kBits = 32;
using Word = std::uint32_t;

/// A random lower triangular binary matrix with unit diagonal (bit 31 first) and a shift, acting on the digits of one
/// coordinate; tabulated by byte, as it is linear.
class LinearScramble {
 public:
  explicit LinearScramble(std::mt19937_64& generator) : shift_(static_cast<Word>(generator())) {
    std::array<Word, kBits> columns{};
    for (int bit = 0; bit < kBits; ++bit) {
      const Word diagonal = Word{1} << bit;
      columns[static_cast<std::size_t>(bit)] = diagonal | (static_cast<Word>(generator()) & (diagonal - 1));
    }
    for (std::size_t byte = 0; byte < table_.size(); ++byte)
      for (std::size_t value = 0; value < 256; ++value)
        for (std::size_t bit = 0; bit < 8; ++bit)
          if (value >> bit & 1) table_[byte][value] ^= columns[8 * byte + bit];
  }

  Word operator()(Word digits) const {
    Word result = shift_;
    for (std::size_t byte = 0; byte < table_.size(); ++byte) result ^= table_[byte][digits >> (8 * byte) & 0xff];
    return result;
  }

 private:
  Word shift_;
  std::array<std::array<Word, 256>, kBits / 8> table_{};
};

/// A ratio of two polynomials, the coefficients from the constant one on.
struct Ratio {
  std::array<double, 8> numerator, denominator;

  Pack operator()(Pack x) const {
    Pack above(numerator.back()), below(denominator.back());
    for (std::size_t i = numerator.size() - 1; i-- > 0;) {
      above = above * x + numerator[i];
      below = below * x + denominator[i];
    }
    return above / below;
  }
};

/// The quantile of the normal law over u − ½, in .180625 − (u − ½)², where |u − ½| ≤ .425 (M. J. Wichura, algorithm AS
/// 241, Applied Statistics 37 (1988) 477, as the coefficients of kTail).
constexpr Ratio kCentre{
    {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3},
    {1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
     3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3}};
/// Its magnitude in √(−log min(u, 1 − u)) − 1.6, elsewhere down to e⁻²⁵.
constexpr Ratio kTail{
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
    {1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
     1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9}};

/// Quantiles of the normal law at u from 2⁻³³ to 1 − 2⁻³³. Boost's take five times as long one by one, and as much of
/// the time of a solution at three tokens as a pass over its points.
Pack normal_quantile(Pack u) {
  const Pack off = u - 0.5;
  const Pack centre = off * kCentre(Pack(0.180625) - off * off);
  const Mask outside = abs(off) > Pack(0.425);
  if (!outside.any()) return centre;
  const Pack magnitude = kTail(sqrt(-log(min(u, 1 - u))) - 1.6);
  return select(outside, select(off < Pack(0), -magnitude, magnitude), centre);
}

/// Overwrites each of many digits over 2³² by the quantile of the middle of its interval.
void to_normal_quantiles(std::vector<double>& digits) {
  constexpr std::size_t kStep = kLanes;
  for (std::size_t first = 0; first < digits.size(); first += kStep) {
    const std::size_t count = std::min(kStep, digits.size() - first);
    Pack u(0.5);
    for (std::size_t lane = 0; lane < count; ++lane) u.lanes[lane] = (digits[first + lane] + 0.5) * 0x1p-32;
    u = normal_quantile(u);
    for (std::size_t lane = 0; lane < count; ++lane) digits[first + lane] = u.lanes[lane];
  }
}

/// Standard deviation of the sampling law: 1.1 in four dimensions; the variance of the weights grows with the
/// dimension.
double sampling_width(std::size_t dimension) {
  return 1 + 0.4 / static_cast<double>(std::max<std::size_t>(dimension, 2));
}

}  // namespace

NormalRule scrambled_sobol_rule(std::size_t dimension, int log2_points, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::vector<LinearScramble> scrambles;
  scrambles.reserve(dimension);
  for (std::size_t k = 0; k < dimension; ++k) scrambles.emplace_back(generator);

  boost::random::sobol_engine<Word, kBits> sobol(dimension);
  const std::size_t count = std::size_t{1} << log2_points;
  const double width = sampling_width(dimension);
  NormalRule rule{dimension, std::vector<double>(count * dimension), std::vector<double>(count)};
  constexpr std::size_t kAtATime = 4096;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % kAtATime == 0) base::check_interrupt();
    for (std::size_t k = 0; k < dimension; ++k)  // the engine leaves out the origin, which the net needs
      rule.points[i * dimension + k] = scrambles[k](i == 0 ? 0 : sobol());
  }
  to_normal_quantiles(rule.points);
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    double squared_norm = 0;
    for (std::size_t k = 0; k < dimension; ++k) {
      double& x = rule.points[i * dimension + k];
      x *= width;
      squared_norm += x * x;
    }
    rule.weights[i] = std::exp(-0.5 * squared_norm * (1 - 1 / (width * width)));
    total += rule.weights[i];
  }
  for (double& weight : rule.weights) weight /= total;
  return rule;
}

}  // namespace attnlaw::theory
