#pragma once
/// Charts with the shape of real results, for the tests of the report.

#include <cmath>
#include <numbers>

#include "attnlaw/report/chart.h"

namespace attnlaw::test {

/// Three learning curves with `lines` theory points and `points` experiments each.
inline report::ErrorsChart learning_curves(int lines, int points) {
  report::ErrorsChart chart{.title = "Errors of a softmax attention layer",
                            .description = "Train, test and estimation error against the sample ratio.",
                            .x = {.title = "α = n/d²"},
                            .y = {.title = "error", .scale = report::Scale::log},
                            .series = {}};
  int k = 0;
  for (const char* name : {"train", "test", "estimation"}) {
    const auto value = [k](double alpha) {
      return (k == 0 ? 0.02 + 0.05 * alpha : 0.6 / (1 + 3 * alpha)) * (1 + 0.4 * k);
    };
    report::Series series{.name = name, .theory = {}, .experiment = {}};
    for (int i = 0; i < lines; ++i) {
      const double alpha = 0.05 + 1.95 * i / (lines - 1);
      series.theory.push_back({alpha, value(alpha)});
    }
    for (int i = 0; i < points; ++i) {
      const double alpha = 0.1 + 1.9 * i / (points - 1);
      series.experiment.push_back({alpha, value(alpha) * (1 + 0.03 * std::cos(7.0 * i)), 0.05 * value(alpha)});
    }
    chart.series.push_back(series);
    ++k;
  }
  return chart;
}

/// A quarter circle of mass 0.6 on [0, 2] beside an atom of mass 0.4, with eigenvalues at its quantiles.
inline report::SpectrumChart semicircle_spectrum(int curve_points, int eigenvalues) {
  report::SpectrumChart chart{.title = "Spectrum of the trained map at α = 0.3",
                              .description = "Eigenvalues of the trained map over their predicted density.",
                              .density = {},
                              .predicted_zero_mass = 0.4};
  const auto density = [](double x) { return 0.6 * std::sqrt(std::max(0.0, 4 - x * x)) / std::numbers::pi; };
  for (int i = 0; i < curve_points; ++i) {
    const double x = 2.0 * i / (curve_points - 1);
    chart.density.push_back({x, density(x)});
  }
  const int zeros = (2 * eigenvalues) / 5;
  for (int i = 0; i < zeros; ++i) chart.eigenvalues.push_back(0);
  double x = 0;
  double mass = 0;
  for (int i = zeros; i < eigenvalues; ++i) {
    const double wanted = 0.6 * (i - zeros + 0.5) / (eigenvalues - zeros);
    for (constexpr double step = 1e-4; mass < wanted && x < 2; x += step) mass += density(x) * step;
    chart.eigenvalues.push_back(x);
  }
  return chart;
}

}  // namespace attnlaw::test
