#pragma once
/// Figures estimated from independent instances.

#include <span>

namespace attnlaw::study {

/// A figure with its standard error over instances (NaN for one instance).
struct Estimate {
  double value = 0;
  double standard_error = 0;
};

double mean_of(std::span<const double> values);
/// Σ (x − mean)².
double squared_deviations(std::span<const double> values);
Estimate estimate_of(std::span<const double> values);

}  // namespace attnlaw::study
