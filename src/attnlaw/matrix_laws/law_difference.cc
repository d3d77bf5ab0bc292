#include "attnlaw/matrix_laws/law_difference.h"

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <cstdint>

#include "attnlaw/base/reject.h"

namespace attnlaw::matrix_laws {
namespace {

std::vector<double> merged_nodes(const Law& a, const Law& b) {
  std::vector<double> grid;
  for (const Law* law : {&a, &b})
    for (const Law::Node& node : law->quadrature().nodes) grid.push_back(node.x);
  std::sort(grid.begin(), grid.end());
  return grid;
}

/// Returns ∫ φ(x) ρ(x) dx below the first cut, between neighbouring cuts, and above the last.
std::vector<double> partial_integrals(const Law& law, std::span<const double> cuts,
                                      const std::function<double(double)>& phi) {
  std::vector<double> integrals(cuts.size() + 1);
  std::size_t interval = 0;
  for (const Law::Node& node : law.quadrature(cuts).nodes) {
    while (interval < cuts.size() && node.x > cuts[interval]) ++interval;
    integrals[interval] += node.weight * phi(node.x);
  }
  return integrals;
}

}  // namespace

std::vector<double> cdf_at(const Law& law, std::span<const double> ascending) {
  const Law::Quadrature quadrature = law.quadrature(ascending);
  auto node = quadrature.nodes.begin();
  auto atom = law.atoms().begin();
  double below = 0;
  std::vector<double> probabilities;
  probabilities.reserve(ascending.size());
  for (const double x : ascending) {
    for (; node != quadrature.nodes.end() && node->x <= x; ++node) below += node->weight;
    for (; atom != law.atoms().end() && atom->x <= x; ++atom) below += atom->mass;
    probabilities.push_back(below);
  }
  return probabilities;
}

LawDifference::LawDifference(Law a, Law b) : a_(std::move(a)), b_(std::move(b)), grid_(merged_nodes(a_, b_)) {
  if (!a_.atoms().empty() || !b_.atoms().empty())
    base::reject("a difference is taken of laws without atoms, got {} and {} atoms", a_.atoms().size(),
                 b_.atoms().size());
  difference_ = cdf_at(a_, grid_);
  const std::vector<double> of_b = cdf_at(b_, grid_);
  for (std::size_t i = 0; i < grid_.size(); ++i) difference_[i] -= of_b[i];
  // Masses carry rounding errors: where both functions are 0 or 1, the sign of their difference says nothing.
  constexpr double kRounding = 1e-12;
  constexpr int kBits = 40;  // the square of a crossing's error enters the distance
  std::size_t last = grid_.size();
  for (std::size_t i = 0; i < grid_.size(); ++i) {
    if (std::abs(difference_[i]) < kRounding) continue;
    if (last < grid_.size() && std::signbit(difference_[last]) != std::signbit(difference_[i])) {
      std::uintmax_t iterations = 100;
      const auto [low, high] = boost::math::tools::toms748_solve(
          [&](double x) { return at(x); }, grid_[last], grid_[i], difference_[last], difference_[i],
          boost::math::tools::eps_tolerance<double>(kBits), iterations);
      crossings_.push_back(0.5 * (low + high));
    }
    last = i;
  }
}

double LawDifference::largest_between(double lower, double upper) const {
  constexpr int kBits = 26;  // half of the digits: the difference is flat at its maximum
  std::uintmax_t iterations = 60;
  return -boost::math::tools::brent_find_minima([&](double x) { return -std::abs(at(x)); }, lower, upper, kBits,
                                                iterations)
              .second;
}

double LawDifference::kolmogorov() const {
  // A peak between nodes can be higher than the highest node, but not by much: nodes resolve both densities.
  constexpr double kContender = 0.9;
  double highest = 0;
  for (const double difference : difference_) highest = std::max(highest, std::abs(difference));
  double distance = highest;
  for (std::size_t i = 1; i + 1 < grid_.size(); ++i) {
    const double here = std::abs(difference_[i]);
    if (here < kContender * highest || here < std::abs(difference_[i - 1]) || here < std::abs(difference_[i + 1]))
      continue;
    distance = std::max(distance, largest_between(grid_[i - 1], grid_[i + 1]));
  }
  return distance;
}

double LawDifference::wasserstein(const std::function<double(double)>& phi) const {
  // Between two crossings ∫ |F_a − F_b| dφ = |∫ φ dF_a − ∫ φ dF_b|: the difference vanishes at both ends.
  const std::vector<double> of_a = partial_integrals(a_, crossings_, phi);
  const std::vector<double> of_b = partial_integrals(b_, crossings_, phi);
  double distance = 0;
  for (std::size_t k = 0; k < of_a.size(); ++k) distance += std::abs(of_a[k] - of_b[k]);
  return distance;
}

}  // namespace attnlaw::matrix_laws
