#include "attnlaw/model/proximal_map.h"

#include <algorithm>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "attnlaw/base/reject.h"
#include "attnlaw/model/agreement.h"
#include "attnlaw/model/custom_penalty.h"

namespace attnlaw::model {
namespace {

using base::reject;
using Numbers = std::vector<double>;

/// The time at which p is read off the map: small, since of a p that is not convex the map leaves out eigenvalues over
/// √t, where chords stand for p, and not so small that x − s is rounding.
constexpr double kTime = 1e-3;

/// The places x of searches, each between one whose image is ≤ s and one whose image is above.
struct Search {
  Numbers s, low, high;
  std::vector<std::size_t> open;  ///< those that go on

  /// How far places are known.
  double width(std::size_t i, double t) const {
    constexpr double kRounding = 1e-13, kNearZero = 1e-3;
    return kRounding * std::max({std::abs(low[i]), std::abs(high[i]), std::abs(s[i]), kNearZero * t});
  }
};

/// The map, or its mirror image −map(−x), at many places.
class Side {
 public:
  Side(const ProximalMap& map, double t, int side) : map_(map), t_(t), side_(side) {}

  Numbers operator()(Numbers x) const {
    for (double& each : x) each *= side_;
    Numbers s = mapped(map_, x, t_);
    for (double& each : s) each *= side_;
    return s;
  }
  double t() const { return t_; }

  /// Throws, where all images are below s, or all above it; in the signs of the map.
  [[noreturn]] void reject_unreached(double s, bool all_below) const {
    reject("the denoiser takes no number to the eigenvalue {:.6g}, nor {} it", side_ * s,
           all_below == (side_ > 0) ? "over" : "below");
  }
  /// Throws, where images do not tell which numbers are taken to s.
  [[noreturn]] void reject_unsettled(double s) const {
    reject("it cannot be told which numbers the denoiser takes to the eigenvalue {:.6g} at t = {:.6g}", side_ * s, t_);
  }

 private:
  const ProximalMap& map_;
  double t_;
  int side_;
};

/// An image that is s up to rounding is not above it: it is one where a kink takes many x to s.
bool above(double image, double s) {
  constexpr double kRounding = 1e-14;
  return image > s + kRounding * std::abs(s);
}

/// Moves one end of every search away from s, twice as far each time, until it is on its side. Where the upper end
/// never is but images reach s, all x beyond are taken to s, and that end is infinite.
void bracket(const Side& map, Search& search, bool upper) {
  constexpr int kDoublings = 80;
  constexpr double kFirst = 1e-3;
  Numbers& ends = upper ? search.high : search.low;
  std::vector<std::size_t> open(search.s.size());
  for (std::size_t i = 0; i < open.size(); ++i) open[i] = i;
  Numbers images;
  for (int step = 0; step < kDoublings && !open.empty(); ++step) {
    Numbers x;
    for (const std::size_t i : open) {
      const double far = std::ldexp(std::max(map.t(), kFirst * std::abs(search.s[i])), step);
      x.push_back(ends[i] = search.s[i] + (upper ? far : -far));
    }
    images = map(std::move(x));
    std::vector<std::size_t> rest;
    Numbers rest_images;
    for (std::size_t k = 0; k < open.size(); ++k)
      if (above(images[k], search.s[open[k]]) != upper) {
        rest.push_back(open[k]);
        rest_images.push_back(images[k]);
      }
    open = std::move(rest);
    images = std::move(rest_images);
  }
  for (std::size_t k = 0; k < open.size(); ++k) {
    const double s = search.s[open[k]];
    if (!upper || above(s, images[k])) map.reject_unreached(s, upper);
    ends[open[k]] = std::numeric_limits<double>::infinity();
  }
}

/// The next places: x + (s − map(x)), which at small times is all but there, and every third time the middle.
Numbers next_places(const Search& search, const Numbers& guesses, int round) {
  constexpr int kMiddle = 3;
  Numbers x;
  for (const std::size_t i : search.open) {
    const bool inside = guesses[i] > search.low[i] && guesses[i] < search.high[i];
    x.push_back(inside && round % kMiddle != 0 ? guesses[i] : 0.5 * (search.low[i] + search.high[i]));
  }
  return x;
}

/// Narrows every search until its ends meet.
void narrow(const Side& map, Search& search) {
  constexpr int kMost = 400;
  Numbers guesses = search.s;
  for (int round = 1; round < kMost && !search.open.empty(); ++round) {
    const Numbers x = next_places(search, guesses, round);
    Numbers ends;
    for (std::size_t k = 0; k < x.size(); ++k) {
      const std::size_t i = search.open[k];
      const double beside = search.width(i, map.t());
      ends.insert(ends.end(), {std::max(search.low[i], x[k] - beside), std::min(search.high[i], x[k] + beside)});
    }
    const Numbers images = map(ends);
    std::vector<std::size_t> open;
    for (std::size_t k = 0; k < x.size(); ++k) {
      const std::size_t i = search.open[k];
      for (std::size_t end = 2 * k; end < 2 * k + 2; ++end)
        (above(images[end], search.s[i]) ? search.high[i] : search.low[i]) = ends[end];
      guesses[i] = ends[2 * k] + search.s[i] - images[2 * k];
      if (search.high[i] - search.low[i] > 3 * search.width(i, map.t())) open.push_back(i);
    }
    search.open = std::move(open);
  }
  if (!search.open.empty()) map.reject_unsettled(search.s[search.open.front()]);
}

}  // namespace

Numbers mapped(const ProximalMap& map, const Numbers& x, double t) {
  Numbers s = map(x, t);
  if (s.size() != x.size())
    reject("the denoiser must give one eigenvalue for each of {} numbers, got {}", x.size(), s.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!std::isfinite(s[i])) reject("the denoiser must be finite, got {} at x = {}, t = {}", s[i], x[i], t);
  return s;
}

Numbers origins(const ProximalMap& map, double t, const Numbers& s, int side) {
  const Side on(map, t, side);
  Search search{s, s, s, {}};
  for (double& each : search.s) each *= side;
  bracket(on, search, false);
  bracket(on, search, true);
  for (std::size_t i = 0; i < s.size(); ++i)
    if (std::isfinite(search.high[i])) search.open.push_back(i);
  narrow(on, search);
  Numbers x;
  for (std::size_t i = 0; i < s.size(); ++i)
    x.push_back(side * (std::isfinite(search.high[i]) ? 0.5 * (search.low[i] + search.high[i]) : search.high[i]));
  return x;
}

namespace {

/// Ends of intervals, ascending, that hold all of `s` and 0 and between which p′ is smooth: kinks, ends of chords, and
/// a few places more.
Numbers smooth_intervals(const ProximalMap& map, const Numbers& kinks, const Numbers& s) {
  constexpr int kPieces = 16;
  constexpr double kLeastJump = 1e-3;
  Numbers ends = s;
  ends.push_back(0);
  const auto [least, most] = std::minmax_element(ends.begin(), ends.end());
  const double lower = *least, upper = *most;
  for (int i = 1; i < kPieces; ++i) ends.push_back(lower + (upper - lower) * i / kPieces);
  Numbers places = kinks;
  const auto image = [&map](const Numbers& x) { return mapped(map, x, kTime); };
  for (const MapJump& jump : jumps_of(image, std::max(-lower, upper), kLeastJump))
    places.insert(places.end(), {jump.below, jump.above});
  std::copy_if(places.begin(), places.end(), std::back_inserter(ends),
               [&](double place) { return place > lower && place < upper; });
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  return ends;
}

/// ∫ p′ from the first of the ends to every one of them.
std::map<double, double> integrals(const ProximalMap& map, const Numbers& ends) {
  constexpr int kNodes = 8;
  using Gauss = boost::math::quadrature::gauss<double, kNodes>;
  Numbers places, weights;
  for (std::size_t i = 1; i < ends.size(); ++i) {
    const double middle = 0.5 * (ends[i - 1] + ends[i]), half = 0.5 * (ends[i] - ends[i - 1]);
    for (std::size_t k = 0; k < Gauss::abscissa().size(); ++k)
      for (const int sign : {-1, 1}) {
        places.push_back(middle + sign * half * Gauss::abscissa()[k]);
        weights.push_back(half * Gauss::weights()[k]);
      }
  }
  const Numbers x = origins(map, kTime, places, 1);
  std::map<double, double> integrals{{ends.front(), 0.0}};
  double sum = 0;
  for (std::size_t i = 1; i < ends.size(); ++i) {
    for (std::size_t k = (i - 1) * kNodes; k < i * kNodes; ++k) sum += weights[k] * (x[k] - places[k]) / kTime;
    integrals[ends[i]] = sum;
  }
  return integrals;
}

}  // namespace

CustomPenalty penalty_of(ProximalMap map, Numbers kinks) {
  CustomPenalty penalty;
  penalty.function = [map, kinks](const Numbers& s, Numbers& values, Numbers&) {
    const std::map<double, double> integral = integrals(map, smooth_intervals(map, kinks, s));
    for (const double each : s) values.push_back(integral.at(each) - integral.at(0));
  };
  penalty.kinks = std::move(kinks);
  penalty.proximal = std::move(map);
  return penalty;
}

std::vector<MapJump> jumps_of(const std::function<Numbers(const Numbers&)>& map, double largest, double least) {
  constexpr int kPlaces = 400, kBisections = 40;
  if (!(largest > 0)) return {};
  Numbers x;
  for (int i = -kPlaces; i <= kPlaces; ++i) x.push_back(largest * i / kPlaces);
  const Numbers s = map(x);
  std::vector<std::pair<MapJump, double>> pieces;  // x to the left, and to the right
  const auto may_jump = [least](const MapJump& piece) { return piece.above - piece.below >= least; };
  for (std::size_t i = 1; i < x.size(); ++i) pieces.push_back({{x[i - 1], s[i - 1], s[i]}, x[i]});
  std::erase_if(pieces, [&](const auto& piece) { return !may_jump(piece.first); });
  for (int step = 0; step < kBisections && !pieces.empty(); ++step) {
    Numbers middles;
    for (const auto& [piece, right] : pieces) middles.push_back(0.5 * (piece.x + right));
    const Numbers images = map(middles);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      auto& [piece, right] = pieces[i];
      if (images[i] - piece.below > piece.above - images[i]) {
        piece.above = images[i], right = middles[i];
      } else {
        piece.below = images[i], piece.x = middles[i];
      }
    }
    std::erase_if(pieces, [&](const auto& piece) { return !may_jump(piece.first); });
  }
  std::vector<MapJump> jumps;
  for (const auto& [piece, right] : pieces) jumps.push_back(piece);
  return jumps;
}

void require_proximal(const ProximalMap& map) {
  constexpr int kPoints = 200;
  constexpr double kLargest = 5, kAccepted = 1e-6, kTimes[] = {1, 0.1, 0.01, kTime};
  Numbers x;
  for (int i = -kPoints; i <= kPoints; ++i) x.push_back((i - 0.3) * kLargest / kPoints);
  for (const double t : kTimes) {
    const Numbers s = mapped(map, x, t);
    for (std::size_t i = 1; i < x.size(); ++i)
      if (s[i] < s[i - 1] - kAccepted * std::abs(s[i]))
        reject(
            "a denoiser that falls is the proximal map of no penalty: it takes x = {:.4g} to {:.6g} and x = {:.4g} to "
            "{:.6g} at t = {}",
            x[i - 1], s[i - 1], x[i], s[i], t);
    for (const double earlier : kTimes) {
      if (earlier >= t) continue;
      Numbers moved, deviations;
      double size = kAccepted;
      for (const double each : s) size += std::abs(each) / static_cast<double>(s.size());
      for (std::size_t i = 0; i < x.size(); ++i) moved.push_back(s[i] + earlier / t * (x[i] - s[i]));
      const Numbers again = mapped(map, moved, earlier);
      for (std::size_t i = 0; i < x.size(); ++i) deviations.push_back(std::abs(again[i] - s[i]) / size);
      require_agreement(
          std::move(deviations), kAccepted,
          "the denoiser is the proximal map of no penalty: what x is taken to at t, s + (t′/t)(x − s) must "
          "be at t′ < t",
          "x");
    }
  }
}

}  // namespace attnlaw::model
