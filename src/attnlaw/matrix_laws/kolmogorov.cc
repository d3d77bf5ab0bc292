#include "attnlaw/matrix_laws/kolmogorov.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "attnlaw/matrix_laws/law_difference.h"

namespace attnlaw::matrix_laws {

double kolmogorov_distance(std::span<const double> ascending, const std::function<double(double)>& distribution,
                           double zero_mass) {
  // Both functions are monotone and the measured one is constant between two values, so the supremum is reached at a
  // value, from its left or its right.
  const double count = static_cast<double>(ascending.size());
  double distance = 0;
  for (auto x = ascending.begin(); x != ascending.end();) {
    const auto next = std::upper_bound(x, ascending.end(), *x);
    const double predicted = distribution(*x), predicted_left = *x == 0 ? predicted - zero_mass : predicted;
    const double left = static_cast<double>(x - ascending.begin()) / count;
    const double right = static_cast<double>(next - ascending.begin()) / count;
    distance = std::max({distance, std::abs(predicted_left - left), std::abs(predicted - right)});
    x = next;
  }
  return distance;
}

double kolmogorov_distance(std::span<const double> ascending, const Law& law) {
  const double zero_mass = law.atoms().empty() ? 0 : law.atoms().front().mass;
  const std::vector<double> predicted = cdf_at(law, ascending);
  const auto looked_up = [&](double x) {
    return predicted[static_cast<std::size_t>(std::lower_bound(ascending.begin(), ascending.end(), x) -
                                              ascending.begin())];
  };
  return kolmogorov_distance(ascending, looked_up, zero_mass);
}

}  // namespace attnlaw::matrix_laws
