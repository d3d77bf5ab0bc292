#pragma once
/// What searches for a fixed point x = F(x) of a few coordinates are made of (docs/theory/erm.md, section 2): damped
/// iteration to get near, slopes by differences and by Broyden's updates, the solutions of single replicates to first
/// order around that of all, and point sets that grow until the sampling error is small enough.

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "attnlaw/base/estimate.h"

namespace attnlaw::theory {

/// Where a search stands.
template <class Point>
concept SearchPoint = requires(const Point& at) {
  at.x;
  at.residual;                                   // F(x) − x
  { at.size() } -> std::same_as<double>;         // of the residual
  { at.train() } -> std::same_as<double>;        // the loss per training sequence, a figure that slopes carry along
  { at.usable() } -> std::convertible_to<bool>;  // F is defined at x
};

/// F, evaluated at x.
template <class Map, class Point>
concept FixedPointMap = SearchPoint<Point> && requires(Map& map, const Point& at) {
  { map.at(at.x) } -> std::same_as<Point>;
};

/// Derivatives of a map at a point x.
template <class Vector>
struct MapSlope {
  using Matrix = Eigen::Matrix<double, Vector::RowsAtCompileTime, Vector::RowsAtCompileTime>;
  Matrix residual;  ///< of F(x) − x
  Vector train;     ///< of the loss per training sequence

  /// Newton's step from where F(x) − x is `at`.
  Vector step(const Vector& at) const { return -residual.fullPivLu().solve(at); }

  /// Broyden's update: F(x) − x has changed so much over a step.
  void learn(const Vector& step, const Vector& change) {
    residual += (change - residual * step) * step.transpose() / step.squaredNorm();
  }

  struct Solution {
    Vector x;
    double train;
  };
  /// The fixed point, to first order, of a map that is at `at`: this one, or another of about the same slope.
  template <SearchPoint Point>
  Solution solution(const Point& at) const {
    const Vector shift = step(at.residual);
    return {at.x + shift, at.train() + train.dot(shift)};
  }
};

/// A step in the same direction, with no component beyond `longest`.
template <class Vector>
Vector shortened(const Vector& step, double longest) {
  return std::min(1.0, longest / step.cwiseAbs().maxCoeff()) * step;
}

/// By differences over `length` along each coordinate.
template <SearchPoint Point, FixedPointMap<Point> Map>
auto slope_by_differences(Map& map, const Point& at, double length) {
  using Vector = std::remove_cvref_t<decltype(at.x)>;
  const Eigen::Index n = at.x.size();
  MapSlope<Vector> slope{typename MapSlope<Vector>::Matrix(n, n), Vector(n)};
  for (Eigen::Index k = 0; k < n; ++k) {
    const Point shifted = map.at(at.x + length * Vector::Unit(n, k));
    slope.residual.col(k) = (shifted.residual - at.residual) / length;
    slope.train[k] = (shifted.train() - at.train()) / length;
  }
  return slope;
}

/// How damped iteration goes about its steps.
struct Damping {
  double share;    ///< of F(x) − x that a step takes
  double longest;  ///< residual beyond which steps grow no further
  double growth;   ///< growth of the residual that is answered by half the share, as long as that is above `least`
  double least;
  int steps;     ///< at most
  int patience;  ///< at most so many steps in a row without a smaller residual
};

/// Damped iteration until the residual is at most `near`, or for as long as `damping` has it. Returns false where it
/// leads out of the domain of F; `at` is then the last point inside, if there was one.
template <SearchPoint Point, FixedPointMap<Point> Map>
bool approach(Map& map, Point& at, double near, const Damping& damping) {
  if (!at.usable()) return false;
  double share = damping.share, least = at.size();
  int without_gain = 0;
  for (int i = 0; i < damping.steps && at.size() > near && without_gain < damping.patience; ++i) {
    Point next = map.at(at.x + share * std::min(1.0, damping.longest / at.size()) * at.residual);
    if (next.size() > damping.growth * at.size() && share > damping.least)
      share *= 0.5;
    else if (!next.usable())
      return false;
    else
      at = std::move(next);
    without_gain = at.size() < least ? 0 : without_gain + 1;
    least = std::min(least, at.size());
  }
  return true;
}

/// A figure of independent replicates; one alone (a rule without sampling error) has the error 0.
template <class Sample, class Figure>
base::Estimate over_replicates(const std::vector<Sample>& samples, const Figure& figure) {
  std::vector<double> values;
  for (const Sample& sample : samples) values.push_back(std::invoke(figure, sample));
  base::Estimate estimate = base::estimate_of(values);
  if (values.size() == 1) estimate.standard_error = 0;
  return estimate;
}

/// Sizes of point sets, as powers of two, that meet an accuracy where sampling errors fall like points^-order.
struct PointGrowth {
  double order;
  int longest;  ///< step: the error of a coarse set is itself uncertain
  int last;

  /// The size after `level`, given the error there in units of the accuracy; as far as a step may go where no error is
  /// known.
  int next(int level, double error) const {
    const double wanted = std::isfinite(error) ? std::ceil(std::log2(std::max(error, 1.0)) / order) : longest;
    return std::min(last, level + std::max(1, static_cast<int>(std::min<double>(wanted, longest))));
  }
};

}  // namespace attnlaw::theory
