#pragma once
/// Penalties that are given by what they make of noisy eigenvalues (docs/theory/custom.md, section 4).

#include <functional>
#include <vector>

namespace attnlaw::model {

struct CustomPenalty;

/// The proximal map of a penalty p at the time t > 0, for numbers x of either sign: argmin_s t p(s) + (s − x)²/2.
/// Experiments call it from several threads.
using ProximalMap = std::function<std::vector<double>(const std::vector<double>& x, double t)>;

/// The penalty whose proximal map this is: p is the integral of p′(s) = (x − s)/t over the s that the map takes x to,
/// and 0 at s = 0. `kinks` are those of p.
CustomPenalty penalty_of(ProximalMap map, std::vector<double> kinks);

/// What the map makes of x. Throws std::invalid_argument for results that are not finite, or as many as there are x.
std::vector<double> mapped(const ProximalMap& map, const std::vector<double>& x, double t);

/// Returns the last x that is taken to each s, upwards (side 1) or downwards (side −1); where it jumps over s, that x.
/// Infinite where there is no last one. Throws std::invalid_argument where all x are taken to one side of s.
std::vector<double> origins(const ProximalMap& map, double t, const std::vector<double>& s, int side);

/// Where a monotone function of numbers, applied to many at once, jumps, and what it is on both sides.
struct MapJump {
  double x, below, above;
};
/// The jumps by `least` or more at |x| ≤ largest, ascending.
std::vector<MapJump> jumps_of(const std::function<std::vector<double>(const std::vector<double>&)>& map, double largest,
                              double least);

/// Throws std::invalid_argument unless a map is monotone, and the map of one penalty at all times: what x is taken to
/// at t is what s + (t′/t)(x − s) is taken to at t′ < t.
void require_proximal(const ProximalMap& map);

}  // namespace attnlaw::model
