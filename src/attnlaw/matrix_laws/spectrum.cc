#include "attnlaw/matrix_laws/spectrum.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "attnlaw/base/interrupt.h"
#include "attnlaw/matrix_laws/product_law.h"

namespace attnlaw::matrix_laws {
namespace {

/// Returns g of the free Poisson law of rate κ and jump 1, z = 1/g + κ/(1−g). The root has two equal forms, 2/(A+r) =
/// (A−r)/(2z); the one that does not cancel is taken.
Complex free_poisson_stieltjes(double kappa, Complex z) {
  const double lower = std::pow(1 - std::sqrt(kappa), 2);
  const double upper = std::pow(1 + std::sqrt(kappa), 2);
  const Complex a = z - kappa + 1.0;
  const Complex root = square_root(z - lower) * square_root(z - upper);
  return std::norm(a + root) >= std::norm(a - root) ? 2.0 / (a + root) : (a - root) / (2.0 * z);
}

double weighted_power_sum(const DiscreteSpectrum& discrete, int power) {
  double sum = 0;
  for (std::size_t i = 0; i < discrete.atoms.size(); ++i)
    sum += discrete.weights[i] * std::pow(discrete.atoms[i], power);
  return sum;
}

/// Direct sums over up to so many atoms are as fast as the tree.
constexpr std::size_t kDirect = 2000;

}  // namespace

double WishartSpectrum::jump() const { return scale / std::sqrt(kappa); }

Interval WishartSpectrum::bulk() const {
  const double root = std::sqrt(kappa);
  const double near = jump() * (1 - root) * (1 - root), far = jump() * (1 + root) * (1 + root);
  return {std::min(near, far), std::max(near, far)};
}

double ProductSpectrum::jump() const { return std::abs(scale) / std::sqrt(kappa); }

Interval ProductSpectrum::bulk() const {
  const Interval unit = product_bulk(kappa);
  return {jump() * unit.lower, jump() * unit.upper};
}

Spectrum::Spectrum(DiscreteSpectrum discrete) : law_(std::move(discrete)) {
  const auto& [atoms, weights] = std::get<DiscreteSpectrum>(law_);
  if (atoms.empty() || atoms.size() != weights.size() || !std::is_sorted(atoms.begin(), atoms.end()))
    throw std::invalid_argument(
        fmt::format("a discrete spectrum needs ascending atoms and as many weights, got {} atoms and {} weights",
                    atoms.size(), weights.size()));
  if (atoms.size() > kDirect) tree_ = std::make_shared<const AtomTree>(atoms, weights);
}

Spectrum::Spectrum(WishartSpectrum wishart) : law_(wishart) {
  if (!(wishart.kappa > 0) || !std::isfinite(wishart.kappa))
    throw std::invalid_argument(
        fmt::format("kappa of a Wishart spectrum must be a finite number > 0, got {}", wishart.kappa));
}

Spectrum::Spectrum(ProductSpectrum product) : law_(product) {
  if (!(product.kappa > 0) || !std::isfinite(product.kappa))
    throw std::invalid_argument(
        fmt::format("kappa of a product spectrum must be a finite number > 0, got {}", product.kappa));
}

Spectrum Spectrum::from_eigenvalues(std::span<const double> eigenvalues, double precision) {
  if (eigenvalues.empty()) throw std::invalid_argument("a spectrum needs at least one eigenvalue, got none");
  std::vector<double> sorted(eigenvalues.begin(), eigenvalues.end());
  for (const double value : sorted)
    if (!std::isfinite(value)) throw std::invalid_argument(fmt::format("eigenvalues must be finite, got {}", value));
  // Long lists come sorted, and a sort of theirs takes seconds in which nobody asks for interruptions.
  if (!std::is_sorted(sorted.begin(), sorted.end())) std::sort(sorted.begin(), sorted.end());
  // Eigenvalues that differ by rounding alone are one atom: bands between them would be too narrow to resolve.
  constexpr double kRoundings = 10;  // of an eigenvalue solver
  const double largest = std::max(std::abs(sorted.front()), std::abs(sorted.back()));
  const double uncertain = kRoundings * precision * largest, resolution = std::max(1e-13 * largest, uncertain);
  if (uncertain > 0)
    for (double& value : sorted)
      if (std::abs(value) <= uncertain) value = 0;
  DiscreteSpectrum discrete;
  const double weight = 1.0 / static_cast<double>(sorted.size());
  constexpr std::size_t kAtATime = 1 << 16;
  for (auto first = sorted.begin(); first != sorted.end();) {
    if (discrete.atoms.size() % kAtATime == 0) base::check_interrupt();
    const auto end = std::find_if(first, sorted.end(), [&](double value) { return value - *first > resolution; });
    const auto count = static_cast<double>(end - first);
    const bool scattered = uncertain > 0 && *std::prev(end) != *first;
    discrete.atoms.push_back(scattered ? std::accumulate(first, end, 0.0) / count : *first);
    double& mass = discrete.weights.emplace_back(0);
    for (; first != end; ++first) mass += weight;
  }
  return discrete;
}

double Spectrum::mean() const {
  if (const auto* w = wishart()) return w->scale * std::sqrt(w->kappa);
  if (product()) return 0;
  return weighted_power_sum(*discrete(), 1);
}

double Spectrum::second_moment() const {
  if (const auto* w = wishart()) return w->scale * w->scale * (1 + w->kappa);
  if (const auto* p = product()) return p->scale * p->scale;
  return weighted_power_sum(*discrete(), 2);
}

Spectrum Spectrum::scaled(double c) const {
  if (c == 0) return DiscreteSpectrum{{0.0}, {1.0}};
  if (const auto* w = wishart()) return WishartSpectrum{w->kappa, c * w->scale};
  if (const auto* p = product()) return ProductSpectrum{p->kappa, c * p->scale};
  Spectrum result = *this;
  auto& [atoms, weights] = std::get<DiscreteSpectrum>(result.law_);
  for (double& atom : atoms) atom *= c;
  if (c < 0) {
    std::reverse(atoms.begin(), atoms.end());
    std::reverse(weights.begin(), weights.end());
  }
  result.tree_scale_ *= c;
  return result;
}

AtomSums Spectrum::atom_sums(double u, double v_squared) const {
  const auto& [atoms, weights] = *discrete();
  if (!tree_) return matrix_laws::atom_sums(atoms.data(), weights.data(), atoms.size(), u, v_squared);
  const double inverse = 1 / tree_scale_, inverse2 = inverse * inverse;
  return (*tree_)(u * inverse, v_squared * inverse2).of_scaled_atoms(tree_scale_);
}

AtomSums Spectrum::atom_sums_without(std::size_t i) const {
  const auto& [atoms, weights] = *discrete();
  if (!tree_) return matrix_laws::atom_sums_without(atoms.data(), weights.data(), atoms.size(), i);
  return tree_->without(tree_scale_ > 0 ? i : atoms.size() - 1 - i).of_scaled_atoms(tree_scale_);
}

bool Spectrum::symmetric() const {
  if (product()) return true;
  if (wishart()) return false;
  const auto& [atoms, weights] = *discrete();
  for (std::size_t i = 0, j = atoms.size(); i < j--; ++i)
    if (atoms[i] != -atoms[j] || weights[i] != weights[j]) return false;
  return true;
}

Stieltjes Spectrum::stieltjes(Complex w) const {
  if (const auto* wishart_law = wishart()) {
    const double b = wishart_law->jump();
    const Complex g = free_poisson_stieltjes(wishart_law->kappa, w / b);
    const Complex dz_dg = -1.0 / (g * g) + wishart_law->kappa / ((1.0 - g) * (1.0 - g));
    return {g / b, 1.0 / (dz_dg * b * b)};
  }
  if (const auto* product_law = product()) {
    const double b = product_law->jump();
    const Stieltjes unit = product_stieltjes(product_law->kappa, w / b);
    return {unit.value / b, unit.derivative / (b * b)};
  }
  // G = re_g − iv φ, and its derivative along u is G' = −Σ weight r + 2v² Σ weight r² + 2iv Σ weight (u−s) r².
  const double v = w.imag();
  const AtomSums sums = atom_sums(w.real(), v * v);
  return {{sums.re_g, -v * sums.phi}, {2 * v * v * sums.phi_slope - sums.phi, 2 * v * sums.tilt}};
}

Spectrum symmetrised(const Spectrum& spectrum) {
  if (spectrum.product()) return spectrum;
  const DiscreteSpectrum* discrete = spectrum.discrete();
  if (!discrete) throw std::invalid_argument("singular values must be a list of numbers >= 0, got a Wishart spectrum");
  const auto& [atoms, weights] = *discrete;
  if (atoms.front() < 0)
    throw std::invalid_argument(fmt::format("singular values must be >= 0, got {}", atoms.front()));
  DiscreteSpectrum both;
  const bool zero = atoms.front() == 0;
  for (std::size_t i = atoms.size(); i-- > (zero ? 1 : 0);) {
    both.atoms.push_back(-atoms[i]);
    both.weights.push_back(0.5 * weights[i]);
  }
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    both.atoms.push_back(atoms[i]);
    both.weights.push_back(atoms[i] == 0 ? weights[i] : 0.5 * weights[i]);
  }
  return both;
}

Interval Spectrum::hull() const {
  if (const auto* w = wishart()) {
    const Interval bulk = w->bulk();
    return w->kappa < 1 ? Interval{std::min(0.0, bulk.lower), std::max(0.0, bulk.upper)} : bulk;
  }
  if (const auto* p = product()) return {-p->bulk().upper, p->bulk().upper};
  return {discrete()->atoms.front(), discrete()->atoms.back()};
}

}  // namespace attnlaw::matrix_laws
