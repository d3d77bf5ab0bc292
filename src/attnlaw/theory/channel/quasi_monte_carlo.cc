#include "attnlaw/theory/channel/quasi_monte_carlo.h"

#include <algorithm>
#include <array>
#include <boost/math/special_functions/erf.hpp>
#include <boost/random/sobol.hpp>
#include <cmath>
#include <numbers>
#include <random>

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

double normal_quantile(Word digits) {
  const double uniform = (digits + 0.5) * 0x1p-32;
  // Without Boost's promotion to long double, which only costs time here.
  using Policy = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
  return -std::numbers::sqrt2 * boost::math::erfc_inv(2 * uniform, Policy());
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
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    double squared_norm = 0;
    for (std::size_t k = 0; k < dimension; ++k) {
      const Word digits = i == 0 ? 0 : sobol();  // the engine leaves out the origin, which the net needs
      const double x = width * normal_quantile(scrambles[k](digits));
      rule.points[i * dimension + k] = x;
      squared_norm += x * x;
    }
    rule.weights[i] = std::exp(-0.5 * squared_norm * (1 - 1 / (width * width)));
    total += rule.weights[i];
  }
  for (double& weight : rule.weights) weight /= total;
  return rule;
}

}  // namespace attnlaw::theory
