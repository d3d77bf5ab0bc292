/// Laws of attnlaw::matrix_laws against the reference.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "attnlaw/matrix_laws/optimal_denoiser.h"
#include "attnlaw/matrix_laws/semicircle_sum.h"
#include "attnlaw/matrix_laws/standard_laws.h"
#include "families.h"
#include "table.h"

namespace attnlaw::accuracy {
namespace {

using matrix_laws::DiscreteSpectrum;
using matrix_laws::Law;
using matrix_laws::Spectrum;
using matrix_laws::WishartSpectrum;

constexpr double kDensityBound = 1e-10;
constexpr double kMomentBound = 1e-10;
/// Points keep this share of the width of a band from its edges.
constexpr double kEdgeDistance = 1e-3;
/// Bands narrower than this share of |x| are not asked for densities: rounding of x moves in them visibly.
constexpr double kNarrowBand = 1e-2;
constexpr int kPoints = 6;
constexpr int kMaxBands = 5;

struct LawRows {
  Row density, stieltjes, edges, cdf, quantile, moments;

  explicit LawRows(const std::string& name)
      : density{"density", name, kDensityBound, 0, 0, {}},
        stieltjes{"stieltjes", name, kDensityBound, 0, 0, {}},
        edges{"edges", name, kDensityBound, 0, 0, {}},
        cdf{"cdf", name, kDensityBound, 0, 0, {}},
        quantile{"quantile", name, kDensityBound, 0, 0, {}},
        moments{"moments 0…4", name, kMomentBound, 0, 0, {}} {}
  void append_to(std::vector<Row>& rows) const {
    rows.insert(rows.end(), {density, stieltjes, edges, cdf, quantile, moments});
  }
};

/// Indices of at most kMaxBands bands, the first and last among them.
std::vector<std::size_t> some_bands(std::size_t bands) {
  std::vector<std::size_t> result;
  for (std::size_t k = 0; k < std::min<std::size_t>(bands, kMaxBands); ++k)
    result.push_back(bands <= kMaxBands ? k : k * (bands - 1) / (kMaxBands - 1));
  return result;
}

void compare_inside(LawRows& rows, const Law& law, const ReferenceLaw& reference, const std::string& name, Draw& draw) {
  for (const std::size_t k : some_bands(reference.bands().size())) {
    const auto& band = reference.bands()[k];
    const double lower = static_cast<double>(band.lower), upper = static_cast<double>(band.upper);
    if (upper - lower < kNarrowBand * std::max(std::abs(lower), std::abs(upper))) continue;
    for (int i = 0; i < kPoints; ++i) {
      // Every scale of the distance to either edge.
      const double distance = (upper - lower) * draw.decades(std::log10(kEdgeDistance), std::log10(0.5));
      const double x = i % 2 == 0 ? lower + distance : upper - distance;
      const auto at = [&] { return fmt::format("{}; x = {}", name, x); };
      const ComplexReal g = reference.point(x).g;
      const matrix_laws::Complex value = law.stieltjes(x);
      const Real density = -g.imag() / boost::math::constants::pi<Real>();
      rows.density.compare(law.density(x), density, density, at);
      const Real difference = abs(ComplexReal(Real(value.real()) - g.real(), Real(value.imag()) - g.imag()));
      rows.stieltjes.compare(static_cast<double>(difference), 0, abs(g), at);
      rows.cdf.compare(law.cdf(x), reference.cdf(x), 1, at);
    }
  }
}

void compare_law(LawRows& rows, const Law& law, const ReferenceLaw& reference, const std::string& name, Draw& draw) {
  const auto moments = reference.moments();
  const Real scale = sqrt(moments[2]);
  const auto at = [&] { return name; };
  if (law.bands().size() != reference.bands().size()) {
    rows.edges.compare(std::numeric_limits<double>::quiet_NaN(), 0, 1,
                       [&] { return fmt::format("{}: {} bands", name, law.bands().size()); });
    return;
  }
  for (std::size_t k = 0; k < law.bands().size(); ++k) {
    rows.edges.compare(law.bands()[k].support.lower, reference.bands()[k].lower, scale, at);
    rows.edges.compare(law.bands()[k].support.upper, reference.bands()[k].upper, scale, at);
  }
  compare_inside(rows, law, reference, name, draw);
  for (int i = 0; i < kPoints; ++i) {
    const double p = draw.uniform(0.001, 0.999);
    rows.quantile.compare(law.quantile(p), reference.quantile(p), scale,
                          [&] { return fmt::format("{}; p = {}", name, p); });
  }
  const auto quadrature = law.quadrature();
  for (std::size_t k = 0; k < moments.size(); ++k) {
    double sum = 0;
    for (const Law::Node& node : quadrature.nodes) sum += node.weight * std::pow(node.x, static_cast<double>(k));
    for (const Law::Atom& atom : law.atoms()) sum += atom.mass * std::pow(atom.x, static_cast<double>(k));
    rows.moments.compare(sum, moments[k], std::max(Real(abs(moments[k])), Real(pow(scale, static_cast<int>(k)))),
                         [&] { return fmt::format("{}; moment {}", name, k); });
  }
}

Table standard_table(double effort) {
  Table table{"Semicircle and Marchenko-Pastur", "`matrix_laws/standard_laws.h`.", {}};
  Draw draw(2);
  const int cases = std::max(1, static_cast<int>(20 * effort));
  LawRows semicircle("semicircle, variance 10^−8…8");
  for (int i = 0; i < cases; ++i) {
    const double variance = draw.decades(-8, 8);
    compare_law(semicircle, matrix_laws::semicircle(variance), ReferenceLaw(DiscreteSpectrum{{0}, {1}}, 1, variance),
                fmt::format("variance {}", variance), draw);
  }
  semicircle.append_to(table.rows);
  LawRows marchenko_pastur("Marchenko-Pastur, κ = 10^−2…1.5 and 1");
  for (int i = 0; i < cases; ++i) {
    const WishartSpectrum wishart{i % 5 == 0 ? 1 : draw.decades(-2, 1.5), draw.decades(-3, 3)};
    compare_law(marchenko_pastur, matrix_laws::marchenko_pastur(wishart), ReferenceLaw(wishart, 1, 0),
                fmt::format("κ = {}, scale {}", wishart.kappa, wishart.scale), draw);
  }
  marchenko_pastur.append_to(table.rows);
  return table;
}

Table sum_table(const std::vector<Family>& all) {
  Table table{"S + aZ", "`matrix_laws/semicircle_sum.h`; b is the jump scale/√κ of a Wishart spectrum.", {}};
  Draw draw(3);
  for (const Family& family : all) {
    LawRows rows(family.name);
    for (const LawCase& one : family.cases)
      compare_law(rows, matrix_laws::semicircle_sum(one.spectrum, one.variance),
                  ReferenceLaw(one.spectrum, 1, one.variance), one.name, draw);
    rows.append_to(table.rows);
  }
  return table;
}

/// Position and overlap of each outlier, from the sums over all other atoms in 50 digits.
Table outlier_table(const std::vector<Family>& all) {
  Table table{"Outliers",
              "`outliers` of `matrix_laws/semicircle_sum.h`; positions relative to |x| + a, overlaps absolute.",
              {}};
  for (const Family& family : all) {
    Row position{"position", family.name, kDensityBound, 0, 0, {}},
        overlap{"overlap", family.name, kDensityBound, 0, 0, {}};
    for (const LawCase& one : family.cases) {
      const auto* target = one.spectrum.discrete();
      if (!target) continue;
      const Law law = matrix_laws::semicircle_sum(one.spectrum, one.variance);
      for (const auto& outlier : matrix_laws::outliers(law, one.spectrum, one.variance)) {
        Real mass = 0, g = 0, square = 0;
        for (std::size_t j = 0; j < target->atoms.size(); ++j) {
          if (target->atoms[j] == outlier.target) continue;
          const Real weight = target->weights[j], resolvent = 1 / (Real(outlier.target) - target->atoms[j]);
          mass += weight;
          g += weight * resolvent;
          square += weight * resolvent * resolvent;
        }
        const auto at = [&] { return fmt::format("{}; atom {}", one.name, outlier.target); };
        const Real variance = one.variance, x = outlier.target + variance * g / mass;
        position.compare(outlier.eigenvalue, x, abs(x) + sqrt(variance), at);
        overlap.compare(outlier.overlap, 1 - variance * square / mass, 1, at);
      }
    }
    if (position.points > 0) table.rows.insert(table.rows.end(), {position, overlap});
  }
  return table;
}

/// In bands away from their edges, in gaps and beyond the edges.
std::vector<double> denoiser_points(const ReferenceLaw& reference, Draw& draw) {
  std::vector<double> points;
  const auto& bands = reference.bands();
  for (const std::size_t k : some_bands(bands.size())) {
    const double lower = static_cast<double>(bands[k].lower), upper = static_cast<double>(bands[k].upper);
    for (int i = 0; i < kPoints; ++i)
      points.push_back(lower + (upper - lower) * draw.uniform(kEdgeDistance, 1 - kEdgeDistance));
    if (k + 1 < bands.size())
      points.push_back(upper + (static_cast<double>(bands[k + 1].lower) - upper) *
                                   draw.uniform(kEdgeDistance, 1 - kEdgeDistance));
  }
  const double lowest = static_cast<double>(bands.front().lower), highest = static_cast<double>(bands.back().upper);
  for (int i = 0; i < kPoints; ++i) {
    const double distance = (highest - lowest) * draw.decades(-3, 2);
    points.push_back(i % 2 == 0 ? lowest - distance : highest + distance);
  }
  return points;
}

Table denoiser_table(const std::vector<Family>& all) {
  Table table{"Optimal denoiser",
              "`matrix_laws/optimal_denoiser.h`: ξ_v(x) relative to |x| + √v, in bands, gaps and beyond the edges, "
              "where its slope "
              "is less than about 10³ (more only where bands are about to merge); "
              "f(v) and the mean square error relative to themselves.",
              {}};
  // Where bands are about to merge ξ_v is steep: a rounding of x is not to count.
  constexpr double kSteepest = 1e3;
  const Real kCuspStep("1e-20");
  constexpr std::size_t kManyBands = 20;  // ∫ρ³ of each in 50 digits takes long
  Draw draw(4);
  for (const Family& family : all) {
    Row value{"ξ_v(x)", family.name, kDensityBound, 0, 0, {}};
    Row response{"f(v)", family.name, kMomentBound, 0, 0, {}},
        error{"mean square error", family.name, kMomentBound, 0, 0, {}};
    for (const LawCase& one : family.cases) {
      const matrix_laws::OptimalDenoiser denoiser(one.spectrum, one.variance);
      const ReferenceLaw reference(one.spectrum, 1, one.variance);
      const Real v = one.variance, pi = boost::math::constants::pi<Real>();
      for (const double x : denoiser_points(reference, draw)) {
        const Real step = kCuspStep * (abs(Real(x)) + sqrt(v)), g = reference.point(x).g.real();
        if (abs(Real(reference.point(x + step).g.real() - g)) * v > kSteepest * step) continue;
        value.compare(denoiser(x), x - 2 * v * g, abs(Real(x)) + sqrt(v),
                      [&] { return fmt::format("{}; x = {}", one.name, x); });
      }
      if (reference.bands().size() > kManyBands) continue;
      const Real f = 1 - 4 * pi * pi / 3 * v * reference.density_cubed();
      response.compare(denoiser.response(), f, f, [&] { return one.name; });
      error.compare(denoiser.mean_square_error(), v * f, v * f, [&] { return one.name; });
    }
    table.rows.insert(table.rows.end(), {value, response, error});
  }
  return table;
}

}  // namespace

std::vector<Table> law_tables(double effort) {
  const std::vector<Family> all = families(effort);
  return {standard_table(effort), sum_table(all), outlier_table(all), denoiser_table(all)};
}

}  // namespace attnlaw::accuracy
