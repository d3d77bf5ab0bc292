/// A small part of docs/accuracy.md (bench/accuracy): laws and functionals against a reference in 50 digits, within the
/// errors that are allowed there.

#include <gtest/gtest.h>

#include <vector>

#include "attnlaw/matrix_laws/semicircle_sum.h"
#include "attnlaw/matrix_laws/standard_laws.h"
#include "attnlaw/theory/prior/denoiser.h"
#include "reference_law.h"
#include "table.h"

namespace attnlaw::accuracy {
namespace {

constexpr double kEffort = 0.05;

void expect_allowed(const std::vector<Table>& tables) {
  for (const Table& table : tables) {
    EXPECT_FALSE(table.rows.empty()) << table.title;
    for (const Row& row : table.rows)
      EXPECT_LE(row.worst, row.bound) << table.title << ", " << row.quantity << ", " << row.range << ": " << row.where;
  }
}

TEST(Accuracy, OfLawsIsWhatTheTablesAllow) { expect_allowed(law_tables(kEffort)); }

TEST(Accuracy, OfDenoisersAndChannelsIsWhatTheTablesAllow) { expect_allowed(theory_tables(kEffort)); }

/// Points where the library was once wrong by 1e-8 and more.
TEST(Accuracy, OfEdgesBesideTheBulkAndOfHardEdges) {
  using matrix_laws::WishartSpectrum;
  // Rounding put the edge of the bulk inside it: an edge of the sum was off by 1e-6 ...
  const WishartSpectrum split{0.1337078350073619, 0.028359353468310956};
  const double weak = 5.420774451552263e-06;
  const auto bands = matrix_laws::semicircle_sum(split, weak).bands();
  ASSERT_EQ(bands.size(), 2U);
  EXPECT_NEAR(bands[1].support.lower, static_cast<double>(ReferenceLaw(split, 1, weak).bands()[1].lower), 1e-15);
  // ... and bands that had merged were kept apart.
  EXPECT_EQ(matrix_laws::semicircle_sum(WishartSpectrum{0.11395671155645573, 1}, 1.2005385320068995).bands().size(),
            1U);
  const WishartSpectrum square{1, 0.3641399077508864};
  const double x = 0.011371847998724333;
  EXPECT_NEAR(matrix_laws::marchenko_pastur(square).cdf(x), static_cast<double>(ReferenceLaw(square, 1, 0).cdf(x)),
              1e-12);
}

TEST(Accuracy, OfTheOverlapOfAWeakSignal) {
  const matrix_laws::Spectrum target = matrix_laws::WishartSpectrum{1.75, 1};
  const double q_hat = 0.25, lambda = 0.2, V_hat = 1;
  for (const double m_hat : {5e-3, 5e-6, 5e-9, 5e-13}) {
    const auto overlaps = theory::ThresholdDenoiser(2 * lambda).evaluate(target, {q_hat, m_hat, V_hat, 0, 0}).overlaps;
    const ReferenceLaw law(target, m_hat, q_hat);
    const UpperIntegrals above = law.above(2 * Real(lambda));
    const Real t = 2 * Real(lambda), field = above.moment[2] - t * above.moment[1],
               response = above.response[1] - t * above.response[0];
    const double m = static_cast<double>(Real((field - q_hat * response) / m_hat));
    EXPECT_NEAR(overlaps.m, m, 1e-10 * m) << "m_hat " << m_hat;
    EXPECT_NEAR(overlaps.V, static_cast<double>(response), 1e-10) << "m_hat " << m_hat;
  }
}

/// The primitives of the reference against the exact moments of the whole law, and across a cut against their own
/// derivative.
TEST(Accuracy, ReferenceIntegralsHaveTheMomentsAndTheDensityOfTheLaw) {
  const Real tolerance("1e-40");
  for (const matrix_laws::Spectrum& spectrum :
       {matrix_laws::Spectrum(matrix_laws::WishartSpectrum{0.5, 1}),
        matrix_laws::Spectrum(matrix_laws::DiscreteSpectrum{{-1, 0.5, 2}, {0.5, 0.25, 0.25}})}) {
    const ReferenceLaw law(spectrum, 1.25, 0.5);
    const auto moments = law.moments();
    const UpperIntegrals all = law.above(law.bands().front().lower - 1);
    for (std::size_t k = 0; k < 3; ++k)
      EXPECT_LT(abs(Real(all.moment[k] - moments[k])), tolerance * (1 + abs(moments[k])));
    // ∫ 2ρ Re g = 0 and ∫ 2x ρ Re g = 1 for every law.
    EXPECT_LT(abs(all.response[0]), tolerance);
    EXPECT_LT(abs(Real(all.response[1] - 1)), tolerance);

    const Real t = (law.bands().back().lower + law.bands().back().upper) / 2, step("1e-12");
    const UpperIntegrals below = law.above(t - step), above = law.above(t + step);
    const Real density = law.density(t), response = 2 * density * law.point(t).g.real();
    for (int k = 0; k < 3; ++k) {
      const auto index = static_cast<std::size_t>(k);
      EXPECT_LT(abs(Real((below.moment[index] - above.moment[index]) / (2 * step) - density * pow(t, k))), 1e-20);
      if (k == 2) continue;
      EXPECT_LT(abs(Real((below.response[index] - above.response[index]) / (2 * step) - response * pow(t, k))), 1e-20);
    }
  }
}

}  // namespace
}  // namespace attnlaw::accuracy
