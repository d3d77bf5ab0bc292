#include "attnlaw/theory/channel/point_set.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "attnlaw/theory/channel/quasi_monte_carlo.h"

namespace attnlaw::theory {
namespace {

/// Seeds of the scrambles: fixed, so that the theory is deterministic.
constexpr std::uint64_t kRuleSeed = 20250924;

/// Independent replicates: enough for a standard error of 7 degrees of freedom.
constexpr int kReplicates = 8;

void append_replicate(const NormalRule& rule, PointSet& set) {
  const std::size_t count = rule.weights.size();
  for (std::size_t first = 0; first < count; first += kLanes) {
    Pack weight;
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      weight.lanes[lane] = first + lane < count ? rule.weights[first + lane] : 0;
    set.weights.push_back(weight);
    for (std::size_t k = 0; k < rule.dimension; ++k) {
      Pack pack;
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        pack.lanes[lane] = rule.points[std::min(first + lane, count - 1) * rule.dimension + k];
      set.normals.push_back(pack);
    }
  }
  set.first_pack.push_back(set.weights.size());
}

}  // namespace

std::shared_ptr<const PointSet> point_set(std::size_t dimension, int log2_points) {
  // Neighbouring problems of a sweep use the same points: whoever still holds them shares them.
  static std::mutex mutex;
  static std::map<std::pair<std::size_t, int>, std::weak_ptr<const PointSet>> held;
  const std::pair key(dimension, log2_points);
  {
    const std::lock_guard lock(mutex);
    if (auto set = held[key].lock()) return set;
  }
  auto set = std::make_shared<PointSet>();
  set->first_pack.push_back(0);
  for (int replicate = 0; replicate < kReplicates; ++replicate)
    append_replicate(scrambled_sobol_rule(dimension, log2_points, kRuleSeed + static_cast<std::uint64_t>(replicate)),
                     *set);
  const std::lock_guard lock(mutex);
  held[key] = set;
  return set;
}

}  // namespace attnlaw::theory
