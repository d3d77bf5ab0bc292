#include "attnlaw/matrix_laws/product_law.h"

#include <algorithm>
#include <array>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

#include "attnlaw/base/linear_algebra.h"

namespace attnlaw::matrix_laws {
namespace {

/// z(h) = h + a²/h + κ h/(h² − 1) and its derivative.
struct Inverse {
  Complex value, slope;
};

Inverse inverse(double kappa, double variance, Complex h) {
  const Complex square = h * h, pole = square - 1.0;
  Inverse z{h + kappa * h / pole, 1.0 - kappa * (square + 1.0) / (pole * pole)};
  if (variance > 0) {
    z.value += variance / h;
    z.slope -= variance / square;
  }
  return z;
}

/// Improves a root h of z(h) = z by Newton's iteration. It only makes short steps, as it is not reliable near an edge,
/// a double root.
Complex polished(double kappa, double variance, Complex z, Complex h) {
  constexpr int kSteps = 4;
  constexpr double kLongestPolish = 0.1, kRounding = 1e-16;
  for (int step = 0; step < kSteps; ++step) {
    const Inverse at = inverse(kappa, variance, h);
    const Complex move = (z - at.value) / at.slope;
    if (!(std::abs(move) <= kLongestPolish * std::abs(h))) break;
    h += move;
    if (std::abs(move) <= kRounding * std::abs(h)) break;
  }
  return h;
}

/// Returns the roots h of z(h) = w without a semicircle (a² = 0), those of h³ − w h² + (κ − 1) h + w = 0.
std::array<Complex, 3> bare_roots(double kappa, Complex w) {
  const Complex centre = w / 3.0;
  const Complex p = (kappa - 1) - w * centre, q = w * (1.0 + (kappa - 1) / 3 - 2.0 * centre * centre / 3.0);
  const Complex root = square_root(q * q / 4.0 + p * p * p / 27.0);
  const Complex plus = -q / 2.0 + root, minus = -q / 2.0 - root;
  const Complex cube = std::norm(plus) > std::norm(minus) ? plus : minus;
  const Complex u = std::pow(cube, 1.0 / 3), turn(-0.5, std::sqrt(0.75));
  std::array<Complex, 3> roots;
  Complex factor = 1;
  for (Complex& h : roots) {
    const Complex term = factor * u;
    h = centre + term - (term != 0.0 ? p / (3.0 * term) : 0.0);
    h = polished(kappa, 0, w, h);
    factor *= turn;
  }
  return roots;
}

/// Returns (η − 1)²(η − a²) − κη(η + 1), whose positive roots η = h² are where z′(h) = 0.
double edge_polynomial(double kappa, double variance, double eta) {
  return (eta - 1) * (eta - 1) * (eta - variance) - kappa * eta * (eta + 1);
}

/// Returns the root of edge_polynomial between two points where its signs differ.
double edge_root(double kappa, double variance, double low, double high) {
  const auto value = [&](double eta) { return edge_polynomial(kappa, variance, eta); };
  const double at_low = value(low), at_high = value(high);
  if (at_low == 0 || at_low * at_high > 0) return low;
  std::uintmax_t iterations = 200;
  const auto [left, right] = boost::math::tools::toms748_solve(value, low, high, at_low, at_high,
                                                               boost::math::tools::eps_tolerance<double>(), iterations);
  return 0.5 * (left + right);
}

double position(double kappa, double variance, double eta) {
  return inverse(kappa, variance, std::sqrt(eta)).value.real();
}

}  // namespace

Interval product_bulk(double kappa) {
  // The discriminant of the cubic in g vanishes at the edges x: Z = x² solves 4Z² + (κ² − 20κ − 8) Z − 4(κ − 1)³ = 0,
  // of discriminant κ(κ + 8)³.
  const double upper = (8 + 20 * kappa - kappa * kappa + std::sqrt(kappa) * std::pow(kappa + 8, 1.5)) / 8;
  // For large κ the upper root follows without cancellation from the product of the roots, −(κ − 1)³.
  const double lower = (8 + 20 * kappa - kappa * kappa - std::sqrt(kappa) * std::pow(kappa + 8, 1.5)) / 8;
  if (kappa >= 1) return {0, std::sqrt(kappa > 20 ? std::pow(kappa - 1, 3) / -lower : upper)};
  return {std::sqrt(std::pow(1 - kappa, 3) / upper), std::sqrt(upper)};
}

Stieltjes product_stieltjes(double kappa, Complex w) {
  const std::array<Complex, 3> roots = bare_roots(kappa, w);
  const Interval bulk = product_bulk(kappa);
  const double x = std::abs(w.real());
  const bool real = w.imag() == 0;
  const auto before = [&](const Complex& a, const Complex& b) {
    if (real && x >= bulk.upper) return std::abs(a) > std::abs(b);
    if (real && x <= bulk.lower) return std::abs(a) < std::abs(b);
    return w.imag() < 0 ? a.imag() < b.imag() : a.imag() > b.imag();
  };
  Complex h = *std::min_element(roots.begin(), roots.end(), before);
  // Off the support h is real: an imaginary part is the rounding of a double root.
  if (real && (x >= bulk.upper || x <= bulk.lower)) h.imag(0);
  return {1.0 / h, -1.0 / (h * h * inverse(kappa, 0, h).slope)};
}

ProductSumBands product_sum_bands(double kappa, double variance) {
  ProductSumBands bands;
  double high = 2 * (2 + variance + kappa) + 1;  // exceeds the sum of all roots
  const double outer = edge_root(kappa, variance, std::max(1.0, variance), high);
  bands.outer = {0, position(kappa, variance, outer)};
  if (kappa >= 1 || variance >= 1) return bands;
  // The polynomial is > 0 between the two roots in (a², 1), if they exist, and largest at the smaller zero of its slope
  // 3η² − 2Bη + C.
  const double B = 2 + variance + kappa, C = 1 + 2 * variance - kappa;
  const double discriminant = B * B - 3 * C;
  if (!(C > 0) || !(discriminant > 0)) return bands;
  const double middle = C / (B + std::sqrt(discriminant));
  if (!(middle > variance && middle < 1) || !(edge_polynomial(kappa, variance, middle) > 0)) return bands;
  bands.inner = position(kappa, variance, edge_root(kappa, variance, variance, middle));
  bands.outer.lower = position(kappa, variance, edge_root(kappa, variance, middle, 1));
  bands.gap = position(kappa, 0, middle);
  return bands;
}

Complex product_sum_stieltjes(double kappa, double variance, double x, Complex nearby) {
  // Im h > 0 where Im g < 0, and only one root has that: whatever Newton's iteration converges to there is the one.
  if (nearby != 0.0) {
    constexpr int kMaxSteps = 8;
    constexpr double kConverged = 1e-13, kFarStep = 0.5;
    Complex h = 1.0 / nearby;
    for (int step = 0; step < kMaxSteps; ++step) {
      const Inverse at = inverse(kappa, variance, h);
      const Complex move = (x - at.value) / at.slope;
      h += move;
      const double moved = std::norm(move);
      if (!(moved <= kFarStep * kFarStep * std::norm(h)) || !(h.imag() > 0)) break;
      if (moved <= kConverged * kConverged * h.imag() * h.imag()) return 1.0 / h;
    }
  }
  // The roots of h⁴ − x h³ + (a² + κ − 1) h² + x h − a² = 0 are the eigenvalues of its companion matrix.
  std::array<double, 16> companion{x, 1 - variance - kappa, -x, variance};
  for (std::size_t row = 1; row < 4; ++row) companion[4 * row + row - 1] = 1;
  const std::vector<Complex> roots = base::general_eigenvalues(companion, 4);
  Complex h = *std::max_element(roots.begin(), roots.end(),
                                [](const Complex& a, const Complex& b) { return a.imag() < b.imag(); });
  const Complex better = polished(kappa, variance, x, h);
  if (better.imag() >= 0) h = better;
  return 1.0 / h;
}

}  // namespace attnlaw::matrix_laws
