#include "reference_law.h"

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <boost/math/quadrature/gauss.hpp>
#include <boost/math/tools/roots.hpp>
#include <complex>
#include <optional>
#include <stdexcept>

namespace attnlaw::accuracy {
namespace {

using boost::multiprecision::abs;
using boost::multiprecision::arg;
using boost::multiprecision::cbrt;
using boost::multiprecision::cos;
using boost::multiprecision::log;
using boost::multiprecision::sin;
using boost::multiprecision::sqrt;

const Real kPi = boost::math::constants::pi<Real>();
/// Newton's iteration has converged: the next step is below the 50 digits.
const Real kConverged = Real("1e-40");

template <class Function>
Real bracketed_root(const Function& f, const Real& low, const Real& high, const Real& at_low, const Real& at_high) {
  std::uintmax_t iterations = 400;
  const auto tolerance = [](const Real& a, const Real& b) { return abs(b - a) <= Real("1e-47") * (abs(a) + abs(b)); };
  const auto [a, b] = boost::math::tools::toms748_solve(f, low, high, at_low, at_high, tolerance, iterations);
  return (a + b) / 2;
}

template <class Function>
Real bracketed_root(const Function& f, const Real& low, const Real& high) {
  return bracketed_root(f, low, high, f(low), f(high));
}

/// log z for z on or above the real line / on or below it, continuous from the positive axis.
ComplexReal log_above(const ComplexReal& z) {
  if (z.imag() == 0) return {log(abs(z.real())), z.real() < 0 ? kPi : Real(0)};
  return log(z);
}
ComplexReal log_below(const ComplexReal& z) {
  const ComplexReal mirrored = log_above(ComplexReal(z.real(), -z.imag()));
  return {mirrored.real(), -mirrored.imag()};
}

class ReferenceAtoms final : public ReferenceSpectrum {
 public:
  ReferenceAtoms(const matrix_laws::DiscreteSpectrum& spectrum, const Real& scale) {
    for (std::size_t i = 0; i < spectrum.atoms.size(); ++i) {
      atoms_.push_back(scale * Real(spectrum.atoms[i]));
      weights_.push_back(spectrum.weights[i]);
    }
    if (scale < 0) {
      std::reverse(atoms_.begin(), atoms_.end());
      std::reverse(weights_.begin(), weights_.end());
    }
    partial_fractions();
  }

  std::vector<ReferenceBand> bands(const Real& variance) const override {
    const Real a = sqrt(variance);
    const Real margin = Real(1.000001) * a;
    const auto x_at = [&](const Real& u) { return u + variance * sum(u, 1); };
    std::vector<ReferenceBand> result;
    Real w_lower = end(variance, atoms_.front(), atoms_.front() - margin), mass = 0;
    for (std::size_t i = 0; i < atoms_.size(); ++i) {
      mass += weights_[i];
      const bool last = i + 1 == atoms_.size();
      const Real outside = last ? atoms_[i] + margin : least_square(i);
      if (!last && variance * sum(outside, 2) >= 1) continue;
      const Real w_upper = end(variance, atoms_[i], outside);
      result.push_back({x_at(w_lower), x_at(w_upper), w_lower, w_upper, mass});
      mass = 0;
      if (!last) w_lower = end(variance, atoms_[i + 1], outside);
    }
    return result;
  }

  CurvePoint inside(const Real& variance, const Real& x, const CurvePoint* nearby) const override {
    ComplexReal w;
    if (nearby && newton(variance, x, nearby->w, w)) return {w, stieltjes(w)};
    if (newton(variance, x, ComplexReal(follow(variance, x)), w)) return {w, stieltjes(w)};
    // Any start will do, as there is one root in the upper half plane.
    const Real a = sqrt(variance);
    for (const double height : {1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8})
      for (int k = 0; k <= 64; ++k)
        if (newton(variance, x, ComplexReal(x + (Real(k) / 32 - 1) * a, height * a), w)) return {w, stieltjes(w)};
    throw std::runtime_error("no root of the defining equation found in the upper half plane at x = " + x.str(20));
  }

  CurvePoint outside(const Real& variance, const Real& x, const Real& low, const Real& high) const override {
    const Real w = bracketed_root([&](const Real& u) { return Real(u + variance * sum(u, 1) - x); }, low, high);
    return {w, sum(w, 1)};
  }

  Primitives primitives(const CurvePoint& point) const override {
    Primitives p;
    for (std::size_t i = 0; i < atoms_.size(); ++i) {
      const Real &s = atoms_[i], &weight = weights_[i];
      const ComplexReal delta = point.w - s, log_delta = log_above(delta), inverse = Real(1) / delta;
      p.g += weight * log_delta;
      p.wg += weight * (delta + s * log_delta);
      p.wwg += weight * (delta * (delta / 2 + 2 * s) + s * s * log_delta);
      const Real residue_gg = 2 * weight * rest_[i], pole_gg = weight * weight;
      p.gg += residue_gg * log_delta - pole_gg * inverse;
      // w G² = (s + δ) G².
      p.wgg += (s * residue_gg + pole_gg) * log_delta - s * pole_gg * inverse;
      const Real residue_ggg = 3 * weight * (rest_[i] * rest_[i] + weight * rest_slope_[i]);
      p.ggg += residue_ggg * log_delta - 3 * pole_gg * rest_[i] * inverse - weight * pole_gg * inverse * inverse / 2;
    }
    return p;
  }

  std::array<Real, 5> moments() const override {
    std::array<Real, 5> result{};
    for (std::size_t i = 0; i < atoms_.size(); ++i) {
      Real power = weights_[i];
      for (Real& moment : result) {
        moment += power;
        power *= atoms_[i];
      }
    }
    return result;
  }

 private:
  /// Around atom i, G = weight/δ + rest + rest_slope·δ + …
  void partial_fractions() {
    rest_.resize(atoms_.size());
    rest_slope_.resize(atoms_.size());
    for (std::size_t i = 0; i < atoms_.size(); ++i)
      for (std::size_t j = 0; j < atoms_.size(); ++j) {
        if (j == i) continue;
        const Real inverse = 1 / (atoms_[i] - atoms_[j]);
        rest_[i] += weights_[j] * inverse;
        rest_slope_[i] -= weights_[j] * inverse * inverse;
      }
  }

  /// Σ weight/(u − s)^power.
  Real sum(const Real& u, int power) const {
    Real result = 0;
    for (std::size_t i = 0; i < atoms_.size(); ++i) {
      const Real inverse = 1 / (u - atoms_[i]);
      Real term = weights_[i] * inverse;
      for (int k = 1; k < power; ++k) term *= inverse;
      result += term;
    }
    return result;
  }

  /// The place between atoms i and i + 1 where Σ weight/(u − s)², convex there, is least.
  Real least_square(std::size_t i) const {
    Real low = atoms_[i], high = atoms_[i + 1];
    Real u = (low + high) / 2;
    for (int iteration = 0; iteration < 300; ++iteration) {
      const Real slope = -2 * sum(u, 3);
      (slope < 0 ? low : high) = u;
      Real next = u - slope / (6 * sum(u, 4));
      if (!(next > low && next < high)) next = (low + high) / 2;
      const Real move = abs(next - u);
      u = next;
      if (move <= Real("1e-30") * (atoms_[i + 1] - atoms_[i])) break;
    }
    return u;
  }

  /// The root of variance·Σ weight/(u − s)² = 1 between an atom and a point where the left side is less than 1.
  Real end(const Real& variance, const Real& atom, const Real& outside) const {
    const Real a = sqrt(variance);
    const auto excess = [&](const Real& u) { return u == atom ? Real(-a) : Real(1 / sqrt(sum(u, 2)) - a); };
    return bracketed_root(excess, std::min(atom, outside), std::max(atom, outside));
  }

  ComplexReal stieltjes(const ComplexReal& w) const {
    ComplexReal result = 0;
    for (std::size_t i = 0; i < atoms_.size(); ++i) result += weights_[i] / (w - atoms_[i]);
    return result;
  }

  /// Newton's iteration on w + a²G(w) = x from a start; true if it ended in the upper half plane (or at the mirror
  /// image of such a root), false at one of the real roots.
  bool newton(const Real& variance, const Real& x, const ComplexReal& start, ComplexReal& w) const {
    const Real scale = sqrt(variance);
    w = start;
    Real previous = -1;
    for (int iteration = 0; iteration < 80; ++iteration) {
      ComplexReal value = w - x, slope = Real(1);
      for (std::size_t i = 0; i < atoms_.size(); ++i) {
        const ComplexReal resolvent = Real(1) / (w - atoms_[i]);
        const ComplexReal term = variance * weights_[i] * resolvent;
        value += term;
        slope -= term * resolvent;
      }
      const ComplexReal step = value / slope;
      w -= step;
      const Real move = abs(step);
      // Close to an edge, a double root, the last digits are out of reach.
      if (move <= kConverged * scale || (move <= Real("1e-20") * scale && previous >= 0 && move >= previous)) {
        if (w.imag() < 0) w = conj(w);
        return w.imag() > Real("1e-24") * scale;
      }
      previous = move;
    }
    return false;
  }

  /// A start in double precision: the root over x + iη for falling η, by the fixed-point iteration (a self-map of the
  /// half plane) and Newton's.
  std::complex<double> follow(const Real& variance, const Real& x) const {
    const double a2 = static_cast<double>(variance), target = static_cast<double>(x);
    std::vector<double> s, p;
    for (std::size_t i = 0; i < atoms_.size(); ++i) {
      s.push_back(static_cast<double>(atoms_[i]));
      p.push_back(static_cast<double>(weights_[i]));
    }
    const double a = std::sqrt(a2), least = 1e-9 * a;
    std::complex<double> w(target, 4 * a);
    for (double height = 4 * a; height > least; height *= 0.5) {
      const std::complex<double> z(target, height);
      for (int iteration = 0; iteration < 40; ++iteration) {
        std::complex<double> g = 0, slope = 0;
        for (std::size_t i = 0; i < s.size(); ++i) {
          const std::complex<double> r = 1.0 / (w - s[i]);
          g += p[i] * r;
          slope -= p[i] * r * r;
        }
        const std::complex<double> by_newton = w - (w + a2 * g - z) / (1.0 + a2 * slope);
        const std::complex<double> next = iteration < 4 || !(by_newton.imag() > height) ? z - a2 * g : by_newton;
        const double move = std::abs(next - w);
        w = next;
        if (move < 1e-12 * a) break;
      }
    }
    return w;
  }

  std::vector<Real> atoms_, weights_, rest_, rest_slope_;
};

/// Marchenko-Pastur of rate κ and jump b: w = 1/G + κb/(1 − bG).
class ReferenceWishart final : public ReferenceSpectrum {
 public:
  ReferenceWishart(const matrix_laws::WishartSpectrum& spectrum, const Real& scale)
      : kappa_(spectrum.kappa), jump_(scale * Real(spectrum.scale) / sqrt(Real(spectrum.kappa))) {
    if (!(jump_ > 0)) throw std::invalid_argument("the reference of a Wishart spectrum needs a positive scale");
  }

  std::vector<ReferenceBand> bands(const Real& variance) const override {
    if (variance == 0) {
      const Real root = sqrt(kappa_), lower = jump_ * (1 - root) * (1 - root), upper = jump_ * (1 + root) * (1 + root);
      return {{lower, upper, lower, upper, std::min(Real(1), kappa_)}};
    }
    // Edges are the extrema of x(g): dx/dg = a² − 1/g² + κb²/(1−bg)², divided by its largest pole where that helps.
    const auto slope = [&](const Real& g) {
      const Real rest = 1 - jump_ * g;
      return Real(variance - 1 / (g * g) + kappa_ * jump_ * jump_ / (rest * rest));
    };
    const Real pole = 1 / jump_;
    const Real below = monotone_root(slope, [&](const Real& t) { return Real(-t); });
    const Real above = monotone_root(slope, [&](const Real& t) { return Real(pole / (1 + 1 / t)); });
    const auto edge = [&](const Real& g) { return Real(variance * g + w_of(g)); };
    const auto w_real = [&](const Real& g) { return w_of(g); };
    if (kappa_ < 1) {
      const Real least = pole / (1 - cbrt(kappa_));
      if (slope(least) < 0) {
        const Real left =
            monotone_root(slope, [&](const Real& t) { return Real(pole + (least - pole) * t / (1 + t)); });
        const Real right = monotone_root(slope, [&](const Real& t) { return Real(least + pole * t); });
        return {{edge(below), edge(right), w_real(below), w_real(right), 1 - kappa_},
                {edge(left), edge(above), w_real(left), w_real(above), kappa_}};
      }
    }
    return {{edge(below), edge(above), w_real(below), w_real(above), Real(1)}};
  }

  CurvePoint inside(const Real& variance, const Real& x, const CurvePoint*) const override {
    if (variance == 0) {
      // x g² − (x/b − κ + 1) g + 1/b = 0.
      const Real p = (x / jump_ - kappa_ + 1) / (2 * x);
      return {x, ComplexReal(p, -sqrt(Real(1 / (jump_ * x) - p * p)))};
    }
    // One real root of the monic cubic, by bisection; the pair is left by division.
    const auto [c2, c1, c0] = cubic(variance, x);
    const Real root = real_root(c2, c1, c0);
    const Real p = (c2 + root) / 2, q = (root + c2) * root + c1;
    const Real square = q - p * p;
    // At the very edge the pair is a double root.
    if (!(square > -Real("1e-35") * p * p)) throw std::runtime_error("three real roots at x = " + x.str(20));
    const ComplexReal g(-p, -sqrt(std::max(Real(0), square)));
    return {x - variance * g, g};
  }

  CurvePoint outside(const Real& variance, const Real& x, const Real&, const Real&) const override {
    const auto [c2, c1, c0] = cubic(variance, x);
    const Real root = real_root(c2, c1, c0);
    const Real p = (c2 + root) / 2, q = (root + c2) * root + c1;
    const Real half = sqrt(std::max(Real(0), Real(p * p - q)));
    // Silverstein and Choi: outside the support x(g) decreases, at one of the three roots. (At the very edge dx/dg =
    // 0.)
    const auto slope = [&](const Real& g) {
      const Real ratio = jump_ * g / (1 - jump_ * g);
      return Real(variance * g * g - 1 + kappa_ * ratio * ratio);
    };
    Real best = root;
    for (const Real& g : {Real(-p + half), Real(-p - half)})
      if (slope(g) < slope(best)) best = g;
    if (!(slope(best) < Real("1e-20"))) throw std::runtime_error("no real root with dx/dg < 0 at x = " + x.str(20));
    return {Real(x - variance * best), best};
  }

  Primitives primitives(const CurvePoint& point) const override {
    const ComplexReal &w = point.w, &g = point.g;
    const Real &b = jump_, &k = kappa_;
    const ComplexReal rest = Real(1) - b * g, log_g = log_below(g), log_rest = log_above(rest);
    Primitives p;
    p.g = g * w - log_g + k * log_rest;
    p.gg = g * g * w - 2 * g + 2 * k * (g + log_rest / b);
    p.ggg = g * g * g * w - 3 * g * g / 2 + 3 * k * (g * g / 2 + g / b + log_rest / (b * b));
    const ComplexReal ww = Real(-1) / g + 2 * k * b * (log_g - log_rest) + k * k * b / rest;
    p.wg = (w * w * g - ww) / 2;
    const ComplexReal www = Real(-1) / (2 * g * g) + 3 * k * b * (Real(-1) / g + b * (log_g - log_rest)) +
                            3 * k * k * b * b * (log_g - log_rest + Real(1) / rest) +
                            k * k * k * b * b / (2 * rest * rest);
    p.wwg = (w * w * w * g - www) / 3;
    p.wgg = w * w * g * g / 2 - log_g + 2 * k * log_rest - k * k * (Real(1) / rest + log_rest);
    return p;
  }

  std::array<Real, 5> moments() const override {
    const Real &k = kappa_, &b = jump_;
    return {1, k * b, k * (1 + k) * b * b, k * (1 + 3 * k + k * k) * b * b * b,
            k * (1 + 6 * k + 6 * k * k + k * k * k) * b * b * b * b};
  }

 private:
  Real w_of(const Real& g) const { return 1 / g + kappa_ * jump_ / (1 - jump_ * g); }

  std::array<Real, 3> cubic(const Real& variance, const Real& x) const {
    const Real lead = variance * jump_;
    return {-(variance + x * jump_) / lead, (x - kappa_ * jump_ + jump_) / lead, -1 / lead};
  }

  static Real real_root(const Real& c2, const Real& c1, const Real& c0) {
    const auto value = [&](const Real& g) { return Real(((g + c2) * g + c1) * g + c0); };
    const Real bound = 1 + std::max({Real(abs(c2)), Real(abs(c1)), Real(abs(c0))});
    return bracketed_root(value, -bound, bound);
  }

  /// The root of f(g(t)) over t > 0, f∘g of one sign change.
  template <class Function, class Map>
  static Real monotone_root(const Function& f, const Map& map) {
    Real low = 1, high = 1;
    const bool positive = f(map(low)) > 0;
    // The side that has the other sign is not known: look on both.
    while (true) {
      low /= 4;
      high *= 4;
      if ((f(map(low)) > 0) != positive) {
        high = 4 * low;
        break;
      }
      if ((f(map(high)) > 0) != positive) {
        low = high / 4;
        break;
      }
      if (high > Real("1e60")) throw std::runtime_error("no sign change");
    }
    return map(bracketed_root([&](const Real& t) { return f(map(t)); }, low, high));
  }

  Real kappa_, jump_;
};

/// A panel bisected until that changes it by less than `tolerance`.
template <class Panel>
Real bisected(const Panel& panel, const Real& from, const Real& to, const Real& whole, const Real& tolerance,
              int depth) {
  constexpr int kMaxDepth = 60;
  if (depth > kMaxDepth) throw std::runtime_error("the reference quadrature does not converge");
  const Real centre = (from + to) / 2;
  const Real left = panel(from, centre), right = panel(centre, to);
  if (abs(left + right - whole) <= tolerance) return left + right;
  return bisected(panel, from, centre, left, tolerance, depth + 1) +
         bisected(panel, centre, to, right, tolerance, depth + 1);
}

std::shared_ptr<const ReferenceSpectrum> make_spectrum(const matrix_laws::Spectrum& spectrum, const Real& scale) {
  if (const auto* wishart = spectrum.wishart()) return std::make_shared<ReferenceWishart>(*wishart, scale);
  if (spectrum.product()) throw std::invalid_argument("there is no 50-digit reference of a product spectrum");
  return std::make_shared<ReferenceAtoms>(*spectrum.discrete(), scale);
}

}  // namespace

ReferenceLaw::ReferenceLaw(const matrix_laws::Spectrum& spectrum, const Real& scale, const Real& variance)
    : spectrum_(make_spectrum(spectrum, scale)), variance_(variance), bands_(spectrum_->bands(variance)) {
  atom_ = 1;
  for (const ReferenceBand& band : bands_) atom_ -= band.mass;
}

CurvePoint ReferenceLaw::point(const Real& x) const {
  const ReferenceBand* before = nullptr;
  for (const ReferenceBand& band : bands_) {
    if (x <= band.lower) return spectrum_->outside(variance_, x, before ? before->w_upper : x, band.w_lower);
    if (x < band.upper) return spectrum_->inside(variance_, x, nullptr);
    before = &band;
  }
  return spectrum_->outside(variance_, x, before->w_upper, x);
}

Real ReferenceLaw::density(const Real& x) const { return -point(x).g.imag() / kPi; }

Real ReferenceLaw::cdf(const Real& x) const {
  const CurvePoint at = point(x);
  return 1 - (spectrum_->primitives(at).g + variance_ * at.g * at.g / 2).imag() / kPi;
}

Real ReferenceLaw::quantile(const Real& p) const {
  Real below = variance_ == 0 ? atom_ : Real(0);
  if (p <= below) return 0;
  for (const ReferenceBand& band : bands_) {
    if (below + band.mass >= p)
      return bracketed_root([&](const Real& x) { return Real(cdf(x) - p); }, band.lower, band.upper, below - p,
                            below + band.mass - p);
    below += band.mass;
  }
  return bands_.back().upper;
}

std::array<Real, 5> ReferenceLaw::moments() const {
  const auto m = spectrum_->moments();
  const Real& v = variance_;
  // Words in S and aZ up to cyclic order, with non-crossing pairings of Z.
  return {m[0], m[1], m[2] + v, m[3] + 3 * m[1] * v, m[4] + 4 * m[2] * v + 2 * m[1] * m[1] * v + 2 * v * v};
}

UpperIntegrals ReferenceLaw::above(const Real& t) const {
  const CurvePoint at = point(t);
  const Primitives p = spectrum_->primitives(at);
  const ComplexReal &w = at.w, &g = at.g, g2 = g * g, g3 = g2 * g, g4 = g2 * g2;
  const Real &v = variance_, v2 = v * v;
  const ComplexReal mass = p.g + v * g2 / 2;
  const ComplexReal first = p.wg + v * p.gg / 2 + v * w * g2 / 2 + v2 * g3 / 3;
  const ComplexReal second =
      p.wwg + v * p.wgg + v2 * p.ggg / 3 + v * w * w * g2 / 2 + 2 * v2 * w * g3 / 3 + v2 * v * g4 / 4;
  const ComplexReal square = p.gg + v * g3 / 3;
  const ComplexReal first_square = p.wgg + 2 * v * p.ggg / 3 + v * w * g3 / 3 + v2 * g4 / 4;
  return {{mass.imag() / kPi, first.imag() / kPi, second.imag() / kPi},
          {square.imag() / kPi, first_square.imag() / kPi}};
}

Real ReferenceLaw::density_cubed() const {
  using Gauss = boost::math::quadrature::gauss<Real, 30>;
  Real total = 0;
  for (const ReferenceBand& band : bands_) {
    const Real middle = (band.lower + band.upper) / 2, half = (band.upper - band.lower) / 2;
    const auto panel = [&](const Real& from, const Real& to) {
      std::optional<CurvePoint> at;
      return Gauss::integrate(
          [&](const Real& t) {
            at = spectrum_->inside(variance_, middle - half * cos(t), at ? &*at : nullptr);
            const Real rho = -at->g.imag() / kPi;
            return Real(half * rho * rho * rho * sin(t));
          },
          from, to);
    };
    const Real whole = panel(Real(0), kPi);
    total += bisected(panel, Real(0), kPi, whole, Real("1e-18") * whole, 0);
  }
  return total;
}

}  // namespace attnlaw::accuracy
