#include "attnlaw/base/estimate.h"

#include <cmath>

namespace attnlaw::base {

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double squared_deviations(std::span<const double> values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum;
}

Estimate estimate_of(std::span<const double> values) {
  const double count = static_cast<double>(values.size());
  return {mean_of(values), std::sqrt(squared_deviations(values) / (count * (count - 1)))};
}

}  // namespace attnlaw::base
