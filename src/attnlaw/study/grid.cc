#include "attnlaw/study/grid.h"

#include <cmath>

#include "attnlaw/base/reject.h"

namespace attnlaw::study {

std::vector<double> grid(double first, double last, int count, Spacing spacing) {
  const double least = spacing == Spacing::geometric ? 0 : -INFINITY;
  if (!std::isfinite(first) || !std::isfinite(last) || !(first > least) || !(first < last))
    base::reject("a grid goes from a finite number{} up to a larger one, got {} to {}",
                 spacing == Spacing::geometric ? " > 0" : "", first, last);
  if (count < 2 || count > kMostGridPoints) base::reject("a grid has 2 to {} points, got {}", kMostGridPoints, count);
  std::vector<double> values;
  for (int i = 0; i < count; ++i) {
    const double share = i / (count - 1.0);
    values.push_back(spacing == Spacing::geometric ? first * std::pow(last / first, share)
                                                   : first + (last - first) * share);
  }
  values.back() = last;
  return values;
}

}  // namespace attnlaw::study
