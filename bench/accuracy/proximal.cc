/// The proximal operator of the softmax loss of two tokens against minimisation in 50 digits.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "attnlaw/theory/channel/logistic_features.h"
#include "table.h"

namespace attnlaw::accuracy {
namespace {

using theory::GlobalProximal;
using theory::kLanes;
using theory::Pack;
using theory::SoftmaxPair;

/// ℓ(u) + |ζ − ω|²/(2V) with u = Lζ as a function of u: |ζ|² = uᵀC⁻¹u, C = [[3, 1], [1, 3]].
template <class Number>
class Objective {
 public:
  using Vector = std::array<Number, 2>;

  Objective(const Number& beta, const Vector& label, const Vector& omega, const Number& V)
      : beta_(beta), label_(label), omega_(omega), stiffness_(1 / V) {}

  Number value(const Vector& u) const {
    const Number a = u[0] - omega_[0], b = u[1] - omega_[1];
    Number sum = stiffness_ * (3 * a * a - 2 * a * b + 3 * b * b) / 16;
    for (std::size_t i = 0; i < 2; ++i) {
      const Number residual = logistic(u[i]) - label_[i];
      sum += 2 * residual * residual;
    }
    return sum;
  }

  /// Newton's iteration where the Hessian is positive, gradient descent with halving otherwise; to a local minimum.
  Vector descend(Vector u, const Number& tolerance, int iterations) const {
    Number current = value(u);
    for (int iteration = 0; iteration < iterations; ++iteration) {
      Vector gradient;
      std::array<Number, 3> h;
      derivatives(u, gradient, h);
      const Number determinant = h[0] * h[2] - h[1] * h[1];
      Vector step;
      if (h[0] > 0 && determinant > 0) {
        step = {(h[2] * gradient[0] - h[1] * gradient[1]) / determinant,
                (h[0] * gradient[1] - h[1] * gradient[0]) / determinant};
      } else {
        const Number curvature = beta_ * beta_ + stiffness_;
        step = {gradient[0] / curvature, gradient[1] / curvature};
      }
      Number factor = 1;
      Vector next{u[0] - step[0], u[1] - step[1]};
      Number trial = value(next);
      for (int halving = 0; halving < 60 && trial > current; ++halving) {
        factor /= 2;
        next = {u[0] - factor * step[0], u[1] - factor * step[1]};
        trial = value(next);
      }
      if (trial > current) break;
      current = trial;
      u = next;
      if (abs_of(step[0]) + abs_of(step[1]) <= tolerance * (1 + abs_of(u[0]) + abs_of(u[1]))) break;
    }
    return u;
  }

 private:
  static Number abs_of(const Number& x) { return x < 0 ? Number(-x) : x; }
  Number logistic(const Number& u) const {
    using std::exp;
    return 1 / (1 + exp(Number(-beta_ * u)));
  }

  void derivatives(const Vector& u, Vector& gradient, std::array<Number, 3>& h) const {
    const Number a = u[0] - omega_[0], b = u[1] - omega_[1];
    gradient = {stiffness_ * (3 * a - b) / 8, stiffness_ * (3 * b - a) / 8};
    h = {3 * stiffness_ / 8, -stiffness_ / 8, 3 * stiffness_ / 8};
    for (std::size_t i = 0; i < 2; ++i) {
      const Number s = logistic(u[i]), slope = beta_ * s * (1 - s), residual = s - label_[i];
      gradient[i] += 4 * residual * slope;
      h[2 * i] += 4 * slope * slope + 4 * residual * slope * beta_ * (1 - 2 * s);
    }
  }

  Number beta_;
  Vector label_, omega_;
  Number stiffness_;
};

struct Minimum {
  Real value;
  std::array<Real, 2> u;
};

/// The lowest minimum from a lattice of starts that spans ω and where the label is fitted.
Minimum global_minimum(double beta, const std::array<double, 2>& label, const std::array<double, 2>& omega, double V,
                       const std::array<double, 2>& fit) {
  constexpr int kLattice = 9;
  const Objective<double> rough(beta, label, omega, V);
  std::array<double, 2> best = omega;
  double least = rough.value(best);
  const auto coordinate = [&](std::size_t i, int k) {
    const double low = std::min(omega[i], fit[i]) - 2 / beta, high = std::max(omega[i], fit[i]) + 2 / beta;
    return low + (high - low) * k / (kLattice - 1);
  };
  for (int i = 0; i < kLattice; ++i)
    for (int j = 0; j < kLattice; ++j) {
      const auto u = rough.descend({coordinate(0, i), coordinate(1, j)}, 1e-10, 200);
      if (rough.value(u) < least) {
        least = rough.value(u);
        best = u;
      }
    }
  const Objective<Real> exact(beta, {label[0], label[1]}, {omega[0], omega[1]}, V);
  const auto u = exact.descend({best[0], best[1]}, Real("1e-35"), 100);
  return {exact.value(u), u};
}

}  // namespace

Table proximal_table(double effort) {
  Table table{
      "Proximal operator of the softmax loss, T = 2",
      "`SoftmaxPair`: minimum of ℓ(ζ) + |ζ − ω|²/(2V) against the lowest of 81 descents, in 50 digits. The value "
      "relative to ℓ ≤ 4 where it is larger than 1, else absolute; the point relative to 1 + |ζ|. V up to 1 is "
      "convex for β = 1; beyond, the minimum can be flat and the point is then less sharp than the value.",
      {}};
  constexpr double kValueBound = 1e-12;
  constexpr double kPointBound = 1e-8;
  // u = (√2 a + b, √2 a − b) in the coordinates ζ = (a, b).
  const double root2 = std::sqrt(2.0);
  Draw draw(8);
  struct Range {
    const char* name;
    double low, high;
  };
  for (const Range& range : {Range{"V = 10^−6…0", -6, 0}, Range{"V = 10^0…2", 0, 2}, Range{"V = 10^2…6", 2, 6}}) {
    Row value{"envelope", std::string(range.name) + ", β = 10^−1…0.5, ω and label N(0, 10^−1…1)", kValueBound, 0, 0,
              {}};
    Row point = value;
    point.quantity = "point", point.bound = kPointBound;
    for (int trial = 0; trial < std::max(1, static_cast<int>(100 * effort)); ++trial) {
      const double beta = draw.decades(-1, 0.5), V = draw.decades(range.low, range.high);
      const double spread = draw.decades(-0.5, 0.5), label_spread = draw.decades(-0.5, 0.5);
      const SoftmaxPair loss(theory::kPairMetric, beta, 1);
      std::array<Pack, 2> omega, target, fit;
      for (std::size_t k = 0; k < 2; ++k)
        for (int lane = 0; lane < kLanes; ++lane) {
          omega[k].lanes[lane] = spread * draw.normal();
          target[k].lanes[lane] = label_spread * draw.normal();
          fit[k].lanes[lane] = target[k].lanes[lane] / beta;
        }
      SoftmaxPair::Label label;
      loss.label(target.data(), label);
      GlobalProximal<SoftmaxPair> proximal(loss);
      const auto& found = proximal.solve(label, omega.data(), fit.data(), V);
      for (int lane = 0; lane < kLanes; ++lane) {
        const auto u_of = [&](const std::array<Pack, 2>& zeta) {
          const double a = root2 * zeta[0].lanes[lane], b = zeta[1].lanes[lane];
          return std::array<double, 2>{a + b, a - b};
        };
        const Minimum minimum =
            global_minimum(beta, {label[0].lanes[lane], label[1].lanes[lane]}, u_of(omega), V, u_of(fit));
        const auto at = [&] {
          return fmt::format("β = {}, V = {}, ω = {} {}, label {} {}", beta, V, omega[0].lanes[lane],
                             omega[1].lanes[lane], label[0].lanes[lane], label[1].lanes[lane]);
        };
        value.compare(found.value.lanes[lane], minimum.value, std::max(Real(1), minimum.value), at);
        const Real zeta0 = (minimum.u[0] + minimum.u[1]) / (2 * sqrt(Real(2))),
                   zeta1 = (minimum.u[0] - minimum.u[1]) / 2;
        const Real distance =
            sqrt(pow(zeta0 - found.point[0].lanes[lane], 2) + pow(zeta1 - found.point[1].lanes[lane], 2));
        point.compare(static_cast<double>(distance), 0, 1 + sqrt(zeta0 * zeta0 + zeta1 * zeta1), at);
      }
    }
    table.rows.insert(table.rows.end(), {value, point});
  }
  return table;
}

}  // namespace attnlaw::accuracy
