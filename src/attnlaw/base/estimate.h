#pragma once
/// Estimates a figure from independent samples.

#include <span>

#include "attnlaw/base/describe.h"

namespace attnlaw::base {

/// A mean over samples with its standard error, which is NaN for one sample.
struct Estimate {
  double value = 0;
  double standard_error = 0;
};
const Description& describe(const Estimate*);

double mean_of(std::span<const double> values);
/// Returns Σ (x − mean)².
double squared_deviations(std::span<const double> values);
/// Returns the mean and its standard error √(Σ (x − mean)²/(n (n − 1))).
Estimate estimate_of(std::span<const double> values);

}  // namespace attnlaw::base
