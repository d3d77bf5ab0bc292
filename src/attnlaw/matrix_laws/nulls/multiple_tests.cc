#include "attnlaw/matrix_laws/nulls/multiple_tests.h"

#include <algorithm>
#include <cmath>

namespace attnlaw::matrix_laws {
namespace {

/// The places of the numbers among the p-values, the smallest first.
std::vector<std::size_t> ascending(std::span<const double> p_values) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p_values.size(); ++i)
    if (!std::isnan(p_values[i])) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return p_values[a] < p_values[b]; });
  return order;
}

}  // namespace

std::vector<double> holm(std::span<const double> p_values) {
  std::vector<double> adjusted(p_values.begin(), p_values.end());
  const std::vector<std::size_t> order = ascending(p_values);
  double running = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    running = std::max(running, static_cast<double>(order.size() - rank) * p_values[order[rank]]);
    adjusted[order[rank]] = std::min(1.0, running);
  }
  return adjusted;
}

std::vector<double> benjamini_yekutieli(std::span<const double> p_values) {
  std::vector<double> adjusted(p_values.begin(), p_values.end());
  const std::vector<std::size_t> order = ascending(p_values);
  double harmonic = 0, running = 1;
  for (std::size_t i = 1; i <= order.size(); ++i) harmonic += 1.0 / static_cast<double>(i);
  for (std::size_t rank = order.size(); rank-- > 0;) {
    const double factor = harmonic * static_cast<double>(order.size()) / static_cast<double>(rank + 1);
    running = std::min(running, factor * p_values[order[rank]]);
    adjusted[order[rank]] = running;
  }
  return adjusted;
}

}  // namespace attnlaw::matrix_laws
