/// Denoisers and closed-form channels of attnlaw::theory against the reference.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "attnlaw/theory/channel/linear_channel.h"
#include "attnlaw/theory/prior/denoiser.h"
#include "families.h"
#include "table.h"

namespace attnlaw::accuracy {
namespace {

using matrix_laws::Spectrum;
using theory::Conjugates;
using theory::Denoiser;
using theory::ThresholdDenoiser;

constexpr double kOverlapBound = 1e-8;
/// Students of less mass than this are asked for nothing: relative figures of a vanishing tail have no scale.
constexpr double kLeastMass = 1e-3;

struct DenoiserRows {
  Row q, m, V, penalty, zero_mass;

  explicit DenoiserRows(const std::string& name)
      : q{"q", name, kOverlapBound, 0, 0, {}},
        m{"m", name, kOverlapBound, 0, 0, {}},
        V{"V", name, kOverlapBound, 0, 0, {}},
        penalty{"penalty", name, kOverlapBound, 0, 0, {}},
        zero_mass{"zero mass", name, kOverlapBound, 0, 0, {}} {}
  void append_to(std::vector<Row>& rows) const { rows.insert(rows.end(), {q, m, V, penalty, zero_mass}); }
};

struct ReferenceOverlaps {
  Real q, m, V, penalty, zero_mass;
};

/// f(x) = (x − shift)/V̂ above `cut`, from integrals in closed form.
ReferenceOverlaps tied_overlaps(const ReferenceLaw& law, const Real& cut, const Real& shift, const Real& m_hat,
                                const Real& V_hat) {
  const UpperIntegrals above = law.above(cut);
  const auto& M = above.moment;
  const auto& R = above.response;
  const Real first = M[1] - shift * M[0], response = R[1] - shift * R[0];
  const Real field = M[2] - shift * M[1], square = M[2] - 2 * shift * M[1] + shift * shift * M[0];
  return {square / (V_hat * V_hat), (field - law.variance() * response) / (V_hat * m_hat), response / V_hat,
          first / V_hat, 1 - M[0]};
}

void compare(DenoiserRows& rows, const Denoiser::Result& result, const ReferenceOverlaps& reference, const Real& Q_star,
             const std::string& name) {
  const auto at = [&] { return name; };
  rows.q.compare(result.overlaps.q, reference.q, reference.q, at);
  rows.m.compare(result.overlaps.m, reference.m, sqrt(Q_star * reference.q), at);
  rows.V.compare(result.overlaps.V, reference.V, reference.V, at);
  rows.penalty.compare(result.penalty, reference.penalty, reference.penalty, at);
  rows.zero_mass.compare(result.zero_mass, reference.zero_mass, 1, at);
}

/// m̂ S* and q̂ of one law of a family: its spectrum is m̂ S* for the m̂ drawn.
struct TiedCase {
  Spectrum target;
  Conjugates conjugates;
  ReferenceLaw law;
  Real Q_star;
  std::string name;
};

TiedCase tied_case(const LawCase& one, Draw& draw) {
  const double m_hat = draw.decades(-3, 3);
  Spectrum target = one.spectrum.scaled(1 / m_hat);
  const Conjugates conjugates{one.variance, m_hat, draw.decades(-3, 3), 0, 0};
  ReferenceLaw law(target, m_hat, conjugates.q_hat);
  const auto moments = law.moments();
  const Real Q_star = (moments[2] - Real(one.variance)) / (Real(m_hat) * m_hat);
  return {std::move(target), conjugates, std::move(law), Q_star, fmt::format("{}; m̂ = {}", one.name, m_hat)};
}

/// Widths within bands, and those of the upper bands alone: cuts between bands.
std::vector<double> widths(const ReferenceLaw& law, Draw& draw) {
  std::vector<double> result{draw.uniform(0.01, 1), draw.decades(-2.5, 0)};
  double above = 0;
  for (std::size_t k = law.bands().size(); k-- > 1 && result.size() < 6;) {
    above += static_cast<double>(law.bands()[k].mass);
    if (above > kLeastMass) result.push_back(above);
  }
  return result;
}

Table tied_table(const std::vector<Family>& all) {
  Table table{
      "Tied student",
      "`TiedDenoiser` of `theory/prior/denoiser.h`, the family being the law of m̂S* + √q̂Z. q, V and penalty relative "
      "to themselves, m to √(Q*q), the zero mass absolute; m̂ and V̂ = 10^−3…3. λ such that 10^−3 or more of the "
      "eigenvalues are kept: one share drawn uniformly, one in decades, and λ = 0. Widths inside bands and "
      "between bands, with λ = 0 and with λ at a tenth of the uppermost edge.",
      {}};
  Draw draw(5);
  for (const Family& family : all) {
    DenoiserRows full(family.name), narrow(family.name + ", width < 1");
    for (const LawCase& one : family.cases) {
      const TiedCase tied = tied_case(one, draw);
      const Real upper = tied.law.bands().back().upper;
      if (!(upper > 0)) continue;
      std::vector<double> lambdas{0};
      for (const double kept : {draw.uniform(kLeastMass, 1), draw.decades(std::log10(kLeastMass), 0)})
        lambdas.push_back(std::max(0.0, static_cast<double>(tied.law.quantile(1 - Real(kept))) / 2));
      for (const double lambda : lambdas) {
        const Real threshold = 2 * Real(lambda);
        const ReferenceOverlaps reference =
            tied_overlaps(tied.law, threshold, threshold, tied.conjugates.m_hat, tied.conjugates.V_hat);
        if (reference.zero_mass > 1 - 0.99 * kLeastMass) continue;
        compare(full, ThresholdDenoiser(2 * lambda).evaluate(tied.target, tied.conjugates), reference, tied.Q_star,
                fmt::format("{}; λ = {}", tied.name, lambda));
      }
      for (const double width : widths(tied.law, draw))
        for (const double lambda : {0.0, 0.05 * static_cast<double>(upper)}) {
          const Real threshold = 2 * Real(lambda), cut = std::max(threshold, tied.law.quantile(1 - width));
          const ReferenceOverlaps reference =
              tied_overlaps(tied.law, cut, threshold, tied.conjugates.m_hat, tied.conjugates.V_hat);
          if (reference.zero_mass > 1 - 0.99 * kLeastMass) continue;
          compare(narrow, ThresholdDenoiser(2 * lambda, width).evaluate(tied.target, tied.conjugates), reference,
                  tied.Q_star, fmt::format("{}; λ = {}, width {}", tied.name, lambda, width));
        }
    }
    full.append_to(table.rows);
    narrow.append_to(table.rows);
  }
  return table;
}

/// Signals far below the noise, down to none: m is then the small difference of larger numbers in the textbook form.
Table weak_signal_table(double effort) {
  Table table{"Tied student, weak signal",
              "As above, with m̂²Q*/q̂ = 10^−24…0 and λ below half the edge of the noise, 2λ = 0…√q̂.",
              {}};
  Draw draw(6);
  const int cases = std::max(2, static_cast<int>(60 * effort));
  for (const bool wishart : {true, false}) {
    DenoiserRows rows(wishart ? "Wishart κ = 10^−2…1.5" : "2 atoms N(0,1)");
    for (int i = 0; i < cases; ++i) {
      const double kappa = draw.decades(-2, 1.5);
      const double low = draw.normal(), high = low + std::abs(draw.normal());
      const Spectrum target = wishart ? Spectrum(matrix_laws::WishartSpectrum{kappa, 1})
                                      : Spectrum(matrix_laws::DiscreteSpectrum{{low, high}, {0.5, 0.5}});
      const double q_hat = draw.decades(-3, 3);
      const double m_hat = std::sqrt(q_hat / target.second_moment()) * draw.decades(-12, 0);
      const double lambda = 0.5 * std::sqrt(q_hat) * draw.uniform(0, 1);
      const Conjugates conjugates{q_hat, m_hat, draw.decades(-3, 3), 0, 0};
      const ReferenceLaw law(target, m_hat, q_hat);
      const Real Q_star = (law.moments()[2] - Real(q_hat)) / (Real(m_hat) * m_hat);
      compare(rows, ThresholdDenoiser(2 * lambda).evaluate(target, conjugates),
              tied_overlaps(law, 2 * Real(lambda), 2 * Real(lambda), m_hat, conjugates.V_hat), Q_star,
              fmt::format("{}; q̂ = {}, m̂ = {}, λ = {}",
                          wishart ? fmt::format("κ = {}", kappa) : fmt::format("atoms {} {}", low, high), q_hat, m_hat,
                          lambda));
    }
    rows.append_to(table.rows);
  }
  return table;
}

Table direct_table(double effort) {
  constexpr double kBound = 1e-13;
  Table table{
      "Direct student and linear head",
      "`LinearDenoiser` and `LinearChannel`. The channel relative to 2αK(Q* + 2m + q + Δ) over its widths: near "
      "perfect recovery Q* − 2m + q loses the digits that its terms share.",
      {}};
  Draw draw(7);
  const int cases = std::max(1, static_cast<int>(2000 * effort));
  Row q{"q", "q̂, m̂, V̂, λ = 10^−6…6", kBound, 0, 0, {}}, m = q, V = q, q_a = q;
  m.quantity = "m", V.quantity = "V", q_a.quantity = "q of the antisymmetric part";
  Row q_hat{"q̂ of the channel", "V = 10^−6…6, q, Q* = 10^−3…3, Δ = 10^−6…2, m²/(Q*q) = 0…1", kBound, 0, 0, {}};
  Row m_hat = q_hat, train = q_hat;
  m_hat.quantity = "m̂ = V̂ of the channel", train.quantity = "training error";
  for (int i = 0; i < cases; ++i) {
    const matrix_laws::WishartSpectrum wishart{draw.decades(-2, 1.5), draw.decades(-2, 2)};
    const Conjugates c{draw.decades(-6, 6), draw.decades(-6, 6), draw.decades(-6, 6), draw.decades(-6, 6),
                       draw.decades(-6, 6)};
    const double lambda = draw.decades(-6, 6);
    const auto result = theory::LinearDenoiser(4 * lambda).evaluate(wishart, c);
    const Real second = Real(wishart.scale) * wishart.scale * (1 + Real(wishart.kappa));
    const Real response = 1 / (Real(c.V_hat) + 4 * Real(lambda)), response_a = 1 / (Real(c.V_hat_a) + 4 * Real(lambda));
    const auto at = [&] { return fmt::format("case {}", i); };
    const auto relative = [&](Row& row, double value, const Real& reference) {
      row.compare(value, reference, reference, at);
    };
    relative(q, result.overlaps.q, (Real(c.m_hat) * c.m_hat * second + c.q_hat) * response * response);
    relative(m, result.overlaps.m, c.m_hat * second * response);
    relative(V, result.overlaps.V, response);
    relative(q_a, result.overlaps.q_a, c.q_hat_a * response_a * response_a);

    const double Q_star = draw.decades(-3, 3);
    model::Problem problem;
    problem.head = model::Head::linear;
    problem.tokens = draw.integer(1, 6);
    problem.alpha = draw.decades(-3, 3);
    problem.noise = draw.decades(-6, 2);
    theory::Overlaps overlaps{draw.decades(-3, 3), 0, draw.decades(-6, 6), 0, 0};
    overlaps.m = draw.uniform(0, 1) * std::sqrt(Q_star * overlaps.q);
    const auto channel =
        theory::LinearChannel(problem, Q_star).evaluate(overlaps, theory::OutputChannel::kAll, nullptr);
    const Real scores = problem.score_count(), width = Real(overlaps.V) + Real(0.25), noise = problem.noise;
    const Real residual = Real(Q_star) - 2 * Real(overlaps.m) + overlaps.q + noise;
    const Real scale = Real(Q_star) + 2 * Real(overlaps.m) + overlaps.q + noise;
    const Real gain = 2 * Real(problem.alpha) * scores / width, shrinkage = 1 / (4 * width);
    q_hat.compare(channel.conjugates.q_hat, gain * residual / width, gain * scale / width, at);
    relative(m_hat, channel.conjugates.m_hat, gain);
    relative(m_hat, channel.conjugates.V_hat, gain);
    train.compare(channel.train, 2 * scores * residual * shrinkage * shrinkage,
                  2 * scores * scale * shrinkage * shrinkage, at);
  }
  table.rows = {q, m, V, q_a, q_hat, m_hat, train};
  return table;
}

}  // namespace

std::vector<Table> theory_tables(double effort) {
  return {tied_table(families(effort)), weak_signal_table(effort), direct_table(effort), proximal_table(effort)};
}

}  // namespace attnlaw::accuracy
