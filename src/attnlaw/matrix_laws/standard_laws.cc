#include "attnlaw/matrix_laws/standard_laws.h"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "attnlaw/matrix_laws/product_law.h"

namespace attnlaw::matrix_laws {

Law semicircle(double variance) {
  if (!(variance > 0) || !std::isfinite(variance))
    throw std::invalid_argument(
        fmt::format("the variance of a semicircle must be a finite number > 0, got {}", variance));
  const double radius = 2 * std::sqrt(variance);
  const Law::Band band{{-radius, radius}, {-radius, radius}, 1};
  return Law(
      {}, {band},
      [=](double x, const Law::Point*) {
        const double height = std::sqrt(std::max(0.0, (radius - x) * (radius + x)));
        return Law::Point{x, 1, Complex(x, -height) / (2 * variance), 0};
      },
      0, variance);
}

Law marchenko_pastur(const WishartSpectrum& wishart) {
  if (!(wishart.scale > 0) || !std::isfinite(wishart.scale))
    throw std::invalid_argument(
        fmt::format("the scale of a Marchenko-Pastur law must be a finite number > 0, got {}", wishart.scale));
  const Spectrum spectrum = wishart;
  const double jump = wishart.jump();
  const Interval bulk = wishart.bulk();
  const double bulk_mass = std::min(1.0, wishart.kappa);
  std::vector<Law::Atom> atoms;
  if (wishart.kappa < 1) atoms.push_back({0, 1 - wishart.kappa});
  return Law(
      std::move(atoms), {{bulk, bulk, bulk_mass}},
      [=](double x, const Law::Point*) {
        // g solves x g² − (x/b − κ + 1) g + 1/b = 0, b the jump.
        const double re = (x / jump - wishart.kappa + 1) / (2 * x);
        const double im = -std::sqrt(std::max(0.0, (x - bulk.lower) * (bulk.upper - x))) / (2 * jump * x);
        return Law::Point{x, 1, {re, im}, 0};
      },
      spectrum.mean(), spectrum.second_moment());
}

Law product_law(const ProductSpectrum& product) {
  if (product.scale == 0 || !std::isfinite(product.scale))
    throw std::invalid_argument(
        fmt::format("the scale of a product law must be a finite number other than 0, got {}", product.scale));
  const Interval bulk = product.bulk(), mirrored{-bulk.upper, -bulk.lower};
  const double side_mass = 0.5 * std::min(1.0, product.kappa);
  std::vector<Law::Atom> atoms;
  if (product.kappa < 1) atoms.push_back({0, 1 - product.kappa});
  return Law(
      std::move(atoms), {{mirrored, mirrored, side_mass}, {bulk, bulk, side_mass}},
      [kappa = product.kappa, jump = product.jump()](double x, const Law::Point*) {
        return Law::Point{x, 1, product_stieltjes(kappa, x / jump).value / jump, 0};
      },
      0, product.scale * product.scale);
}

Law law_of(const Spectrum& spectrum) {
  if (const auto* wishart = spectrum.wishart()) {
    if (wishart->scale < 0) return marchenko_pastur({wishart->kappa, -wishart->scale}).mirrored();
    return marchenko_pastur(*wishart);
  }
  if (const auto* product = spectrum.product()) return product_law(*product);
  const DiscreteSpectrum& discrete = *spectrum.discrete();
  std::vector<Law::Atom> atoms;
  for (std::size_t i = 0; i < discrete.atoms.size(); ++i) atoms.push_back({discrete.atoms[i], discrete.weights[i]});
  return Law(std::move(atoms), {}, {}, spectrum.mean(), spectrum.second_moment());
}

}  // namespace attnlaw::matrix_laws
