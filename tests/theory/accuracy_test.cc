/// A small part of docs/accuracy.md (bench/accuracy): laws and functionals against a reference in 50 digits, within the
/// errors that are allowed there.

#include <gtest/gtest.h>

#include <vector>

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
