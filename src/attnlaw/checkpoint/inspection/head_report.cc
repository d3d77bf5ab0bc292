#include "attnlaw/checkpoint/inspection/head_report.h"

#include <fmt/format.h>

namespace attnlaw::checkpoint {

std::span<const base::Named<MapKind>> names_table(MapKind) {
  static constexpr base::Named<MapKind> kKinds[] = {{MapKind::query_key, "query-key"},
                                                    {MapKind::output_value, "output-value"}};
  return kKinds;
}

void fill_report(const Factors& factors, const NullOptions& options, NullTables& tables, const Draw& draw,
                 HeadReport& report) {
  report.rows = static_cast<int>(factors.left.rows());
  report.dimension = static_cast<int>(factors.left.cols());
  if (!factors.left.allFinite() || !factors.right.allFinite()) {
    report.defect = "weights that are not finite";
    return;
  }
  const FactoredMap map = factored(factors.left, factors.right, factors.one_space);
  report.recipe = map.recipe;
  report.singular_values = map.singular_values;
  report.ranks = rank_measures(map.singular_values);
  if (report.ranks.spectral_norm == 0) {
    report.defect = "the map is zero";
    return;
  }
  report.symmetry = symmetry_measures(map);
  report.factors = factor_measures(map, factors.left, factors.right);
  const bool has_laws =
      factors.factored && report.rows >= 2 && map.m() <= std::min(map.query_dimension, map.key_dimension);
  if (has_laws) {
    report.tests = test_head(map, factors.left, factors.right, options, tables, draw);
    report.outliers = find_outliers(map, options, tables);
  }
  if (map.square())
    report.fit = fit_trained_law(map, report.symmetry.symmetric_share, report.symmetry.positive_share, draw);
}

}  // namespace attnlaw::checkpoint
