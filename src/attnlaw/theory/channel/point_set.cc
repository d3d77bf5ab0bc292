#include "attnlaw/theory/channel/point_set.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <variant>
#include <vector>

#include "attnlaw/base/normal.h"
#include "attnlaw/theory/channel/quasi_monte_carlo.h"

namespace attnlaw::theory {
namespace {

/// Seeds of the scrambles: fixed, so that the theory is deterministic.
constexpr std::uint64_t kRuleSeed = 20250924;

/// Makes room for so many points in each of the replicates to come, once for all of them.
void reserve(std::size_t replicates, std::size_t points, std::size_t dimension, PointSet& set) {
  const std::size_t packs = replicates * (points / kLanes + 1);
  set.weights.reserve(packs);
  set.normals.reserve(packs * dimension);
}

/// Adds a replicate whose weights are those of the rule over their sum: its points (τ, ρ), with `opposite_noise` each
/// of them followed by (τ, −ρ). The last pack is filled with copies of the last point, of weight 0.
void append_replicate(const NormalRule& rule, bool opposite_noise, PointSet& set) {
  const std::size_t doubled = opposite_noise ? 1 : 0, count = rule.weights.size() << doubled;
  const double share = opposite_noise ? 0.5 : 1;
  set.points += count;
  const auto weight_of = [&](std::size_t i) { return share * rule.weights[i >> doubled]; };
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) total += weight_of(i);
  for (std::size_t first = 0; first < count; first += kLanes) {
    Pack weight;
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      weight.lanes[lane] = first + lane < count ? weight_of(first + lane) / total : 0;
    set.weights.push_back(weight);
    for (std::size_t k = 0; k < rule.dimension; ++k) {
      const bool noise = k >= rule.dimension / 2;
      Pack pack;
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const std::size_t i = std::min(first + lane, count - 1);
        const double x = rule.points[(i >> doubled) * rule.dimension + k];
        pack.lanes[lane] = noise && (i & doubled) != 0 ? -x : x;
      }
      set.normals.push_back(pack);
    }
  }
  set.first_pack.push_back(set.weights.size());
}

base::GaussNodes trapezoidal_nodes(double step, double offset, double radius) {
  base::GaussNodes nodes;
  const int reach = static_cast<int>(radius / step) + 1;
  for (int i = -reach; i <= reach; ++i) {
    const double x = (i + offset) * step;
    if (std::abs(x) > radius) continue;
    nodes.points.push_back(x);
    nodes.weights.push_back(std::exp(-0.5 * x * x));
  }
  return nodes;
}

/// A pair of normals of one coordinate; `square` is what of it counts against the square of the radius.
struct GridPair {
  double tau, rho, weight, square;
};

/// The pairs (τ, ρ) within a radius; of even integrands one of every two pairs (τ, ρ) and (−τ, −ρ), for both.
std::vector<GridPair> pairs_of(const GridRule& rule, double radius, bool second, bool shifted) {
  const double offset = shifted ? 0.5 : 0;
  const base::GaussNodes taus = trapezoidal_nodes(rule.label_step, offset, radius);
  const bool gauss = rule.hermite > 0;
  const base::GaussNodes rhos =
      gauss ? base::normal_nodes(rule.hermite + (second ? 1 : 0)) : trapezoidal_nodes(rule.noise_step, offset, radius);
  constexpr double kZero = 1e-12;
  std::vector<GridPair> pairs;
  for (std::size_t i = 0; i < taus.points.size(); ++i)
    for (std::size_t j = 0; j < rhos.points.size(); ++j) {
      const double tau = taus.points[i], rho = std::abs(rhos.points[j]) < kZero ? 0 : rhos.points[j];
      if (rule.even && (tau < 0 || (tau == 0 && rho < 0))) continue;
      const double multiplicity = !rule.even || (tau == 0 && rho == 0) ? 1 : 2;
      pairs.push_back(
          {tau, rho, multiplicity * taus.weights[i] * rhos.weights[j], tau * tau + (gauss ? 0 : rho * rho)});
    }
  return pairs;
}

/// The second replicate is shifted along the first coordinate alone. With kPairMetric that is the one along which
/// integrands change fastest, and outputs of a single row have their leading errors along (1, ±1): a shift by (½, ½)
/// leaves those as they are, and they would be seen neither in the mean nor in the difference.
NormalRule grid_replicate(std::size_t coordinates, const GridRule& rule, bool second) {
  // A normal law leaves e^(−R²/2) beyond R in a plane, and 1 + R²/2 times as much in four dimensions.
  const bool four = coordinates == 2 && rule.hermite == 0;
  const double square = rule.radius * rule.radius + (four ? 2 * std::log1p(0.5 * rule.radius * rule.radius) : 0);
  const std::vector<GridPair> pairs = pairs_of(rule, std::sqrt(square), second, second);
  const std::vector<GridPair> others = second ? pairs_of(rule, std::sqrt(square), second, false) : pairs;
  NormalRule result{.dimension = 2 * coordinates, .points = {}, .weights = {}};
  for (const GridPair& a : pairs) {
    if (a.square > square) continue;
    if (coordinates == 1) {
      result.points.insert(result.points.end(), {a.tau, a.rho});
      result.weights.push_back(a.weight);
      continue;
    }
    for (const GridPair& b : others) {
      if (a.square + b.square > square) continue;
      result.points.insert(result.points.end(), {a.tau, b.tau, a.rho, b.rho});
      result.weights.push_back(a.weight * b.weight);
    }
  }
  return result;
}

PointSet sobol_set(std::size_t dimension, int log2_points, bool opposite_noise) {
  PointSet set;
  reserve(SobolRule::kReplicates, std::size_t{1} << log2_points, dimension, set);
  for (int replicate = 0; replicate < SobolRule::kReplicates; ++replicate) {
    const std::uint64_t seed = kRuleSeed + static_cast<std::uint64_t>(replicate);
    append_replicate(scrambled_sobol_rule(dimension, opposite_noise ? log2_points - 1 : log2_points, seed),
                     opposite_noise, set);
  }
  return set;
}

PointSet grid_set(std::size_t coordinates, const GridRule& rule) {
  PointSet set;
  append_replicate(grid_replicate(coordinates, rule, false), false, set);
  if (rule.interleaved) append_replicate(grid_replicate(coordinates, rule, true), false, set);
  return set;
}

/// Dimension, rule, and whether Sobol points come in pairs of opposite noise.
using Key = std::tuple<std::size_t, PointRule, bool>;

/// Sets that are in use, and those used last. Neighbouring problems of a sweep take the same points, which cost as much
/// as a pass over them.
class HeldSets {
 public:
  /// The set of a key, or null.
  std::shared_ptr<const PointSet> find(const Key& key) {
    const auto place = in_use_.find(key);
    auto set = place == in_use_.end() ? nullptr : place->second.lock();
    if (set) keep(set);
    return set;
  }
  void add(const Key& key, const std::shared_ptr<const PointSet>& set) {
    std::erase_if(in_use_, [](const auto& entry) { return entry.second.expired(); });
    in_use_[key] = set;
    keep(set);
  }

 private:
  /// Bytes of all sets that are kept beyond their use.
  static constexpr std::size_t kMostKept = std::size_t{64} << 20;

  static std::size_t bytes(const PointSet& set) { return (set.normals.size() + set.weights.size()) * sizeof(Pack); }
  void keep(const std::shared_ptr<const PointSet>& set) {
    std::erase(kept_, set);
    kept_.push_back(set);
    std::size_t total = 0;
    const auto too_many = std::find_if(kept_.rbegin(), kept_.rend(),
                                       [&](const auto& each) { return (total += bytes(*each)) > kMostKept; });
    kept_.erase(kept_.begin(), too_many.base());
  }

  std::map<Key, std::weak_ptr<const PointSet>> in_use_;
  std::vector<std::shared_ptr<const PointSet>> kept_;  ///< the last one used at the end
};

std::shared_ptr<const PointSet> shared(const Key& key, const std::function<PointSet()>& make) {
  static std::mutex mutex;
  static HeldSets held;
  {
    const std::lock_guard lock(mutex);
    if (auto set = held.find(key)) return set;
  }
  auto set = std::make_shared<const PointSet>(make());
  const std::lock_guard lock(mutex);
  held.add(key, set);
  return set;
}

}  // namespace

std::shared_ptr<const PointSet> point_set(std::size_t dimension, int log2_points) {
  return shared({dimension, SobolRule{log2_points}, false}, [&] { return sobol_set(dimension, log2_points, false); });
}

std::shared_ptr<const PointSet> point_set(std::size_t coordinates, const PointRule& rule) {
  return shared({coordinates, rule, true}, [&] {
    const auto* sobol = std::get_if<SobolRule>(&rule);
    return sobol ? sobol_set(2 * coordinates, sobol->log2_points, true)
                 : grid_set(coordinates, std::get<GridRule>(rule));
  });
}

}  // namespace attnlaw::theory
