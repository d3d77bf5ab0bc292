#include "attnlaw/checkpoint/inspection/head_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace attnlaw::checkpoint {

std::span<const base::Named<MapKind>> names_table(MapKind) {
  static constexpr base::Named<MapKind> kKinds[] = {{MapKind::query_key, "query-key"},
                                                    {MapKind::output_value, "output-value"}};
  return kKinds;
}

namespace {

/// Rows whose entries sum to 0 lie in d − 1 dimensions, as those do that carry a layer norm.
bool centred(const Eigen::MatrixXd& W) {
  constexpr double kRounding = 1e-12;
  return W.rowwise().sum().norm() <= kRounding * std::sqrt(static_cast<double>(W.cols())) * W.norm();
}

/// Brings figures of a map to one that is `scale` times as large; both factors are `left` and `right` times as large.
void multiply(double left, double right, HeadReport& report) {
  // Each factor in turn, so that a product in range does not pass through one that is not.
  const auto grow = [left, right](double& figure) { figure = figure * left * right; };
  for (double& s : report.singular_values) grow(s);
  grow(report.ranks.spectral_norm);
  grow(report.ranks.frobenius_norm);
  report.factors.norm_ratio = report.factors.norm_ratio * left / right;
  grow(report.outliers.edge);
  for (Outlier& outlier : report.outliers.outliers) grow(outlier.singular_value);
  TrainedLawFit& fit = report.fit;
  for (double* figure : {&fit.noise, &fit.noise_error, &fit.threshold, &fit.threshold_error, &fit.cut, &fit.cut_error,
                         &fit.implied_decay, &fit.implied_decay_error})
    grow(*figure);
  for (double* square : {&fit.implied_noise, &fit.implied_noise_error}) {
    grow(*square);
    grow(*square);
  }
  for (double& strength : fit.spike_strengths) grow(strength);
}

/// N1 and the law of one factor, of factors in any unit.
void test_stored(const Factors& stored, const NullOptions& options, NullTables& tables, const Draw& draw,
                 NullTests& tests) {
  const Factors scaled = stored.divided(binary_scale(stored.left), binary_scale(stored.right));
  FactoredMap map = factored(scaled.left, scaled.right, scaled.one_space);
  const NullShape shape = null_shape(scaled);
  map.query_dimension = shape.query_dimension;
  map.key_dimension = shape.key_dimension;
  test_product(map, factor_spectra(map.query_gram, map.key_gram), scaled.left, scaled.right, options, tables, draw,
               tests);
}

}  // namespace

double inner_product(const Factors& a, const Factors& b) {
  return ((a.left * b.left.transpose()).array() * (a.right * b.right.transpose()).array()).sum();
}

bool draws_table(const HeadReport& report, bool exact_tables) {
  return !std::isnan(report.tests.product.p) &&
         takes_table(report.rows, report.dimension, NullOptions{.exact_tables = exact_tables});
}

bool draws_rotations(const HeadReport& report, bool exact_tables) {
  const bool drawn = !std::isnan(report.tests.symmetry.p) && report.ranks.stable_rank < kNormalStableRank;
  return drawn || report.tests.rotation.energy_drawn || (exact_tables && !std::isnan(report.tests.rotation.edge_ratio));
}

NullShape null_shape(const Factors& factors) {
  NullShape shape{static_cast<int>(factors.left.rows()), static_cast<int>(factors.left.cols()),
                  static_cast<int>(factors.right.cols()), factors.factored};
  if (centred(factors.left) && centred(factors.right)) {
    --shape.query_dimension;
    --shape.key_dimension;
  }
  return shape;
}

bool full_rank(const Factors& factors) {
  if (!factors.finite()) return false;
  const Factors scaled = factors.divided(binary_scale(factors.left), binary_scale(factors.right));
  return !lower_rank(factor_spectra(row_gram(scaled.left), row_gram(scaled.right)));
}

void fill_report(const Factors& factors, const NullOptions& options, NullTables& tables, const Draw& draw,
                 HeadReport& report, const Factors* stored) {
  report.rows = static_cast<int>(factors.left.rows());
  report.dimension = static_cast<int>(factors.left.cols());
  if (!factors.finite()) {
    report.defect = "weights that are not finite";
    return;
  }
  const double left = binary_scale(factors.left), right = binary_scale(factors.right);
  if (left != 1 || right != 1) {
    fill_report(factors.divided(left, right), options, tables, draw, report, stored);
    if (report.inspected()) multiply(left, right, report);
    return;
  }
  FactoredMap map = factored(factors.left, factors.right, factors.one_space);
  const NullShape shape = null_shape(factors);
  map.query_dimension = report.dimension = shape.query_dimension;
  map.key_dimension = shape.key_dimension;
  report.recipe = map.recipe;
  report.singular_values = map.singular_values;
  report.ranks = rank_measures(map.singular_values);
  if (report.ranks.spectral_norm == 0) {
    report.defect = "the map is zero";
    return;
  }
  report.symmetry = symmetry_measures(map);
  if (factors.factored) report.factors = factor_measures(map, factors.left, factors.right);
  if (shape.has_laws()) {
    const FactorSpectra spectra = factor_spectra(map.query_gram, map.key_gram);
    report.tests = test_head(map, spectra, report.symmetry, factors.left, factors.right, options, draw);
    if (stored)
      test_stored(*stored, options, tables, draw, report.tests);
    else
      test_product(map, spectra, factors.left, factors.right, options, tables, draw, report.tests);
    if (!lower_rank(spectra)) report.outliers = find_outliers(map, spectra, options, tables);
  }
  if (map.square()) report.fit = fit_trained_law(map, report.symmetry, draw, options.samples);
}

}  // namespace attnlaw::checkpoint
