#include "attnlaw/laws/filtering/stack.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <limits>
#include <optional>

#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::laws {
namespace {

using base::reject;
using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// The blocks of E[B(I − BG/δ)⁻¹].
struct Response {
  double first = 0;  ///< the entry 00
  VectorXd cross;    ///< the entries 0k, k ≥ 1
  MatrixXd rest;     ///< the entries kl, k, l ≥ 1
};

/// The curve z(g) of solutions; every evaluation starts from the blocks of the one before.
class SolutionCurve {
 public:
  SolutionCurve(const ArrayXXd& t, double delta)
      : t_(t.matrix()), delta_(delta), cross_(VectorXd::Zero(t.cols())), rest_(MatrixXd::Zero(t.cols(), t.cols())) {}

  /// Returns z at G₀₀ = g; infinite beyond the branch that starts at z = ∞.
  double operator()(double g) {
    constexpr int kMostIterations = 2000;
    constexpr double kPrecision = 1e-13;
    VectorXd cross = cross_;
    MatrixXd rest = rest_;
    double z = 0;
    for (int i = 0; i < kMostIterations; ++i) {
      base::check_interrupt();
      const std::optional<Response> response = respond(g, cross, rest);
      if (!response) return std::numeric_limits<double>::infinity();
      const double previous = z;
      // Steps are halved, because at the edge the plain iteration has a slope of −1.
      VectorXd next_cross;
      MatrixXd next_rest;
      z = step(g, *response, i == 0 ? 1 / g + response->first : z, next_cross, next_rest);
      if (!(z > 0)) return std::numeric_limits<double>::infinity();
      cross = 0.5 * (cross + next_cross);
      rest = 0.5 * (rest + next_rest);
      if (std::abs(z - previous) <= kPrecision * z) break;
    }
    cross_ = cross, rest_ = rest;
    return z;
  }

 private:
  std::optional<Response> respond(double g, const VectorXd& cross, const MatrixXd& rest) const {
    const ArrayXd opposite = 1 - (t_ * cross).array() / delta_;
    const ArrayXd eta = (t_ * rest).cwiseProduct(t_).rowwise().sum().array() / delta_;
    const ArrayXd determinant = opposite.square() - g / delta_ * eta;
    if (!(determinant > 0).all() || !(opposite > 0).all()) return std::nullopt;
    const auto n = static_cast<double>(t_.rows());
    Response response;
    response.first = (eta / determinant).mean();
    response.cross = t_.transpose() * (opposite / determinant).matrix() / n;
    response.rest = t_.transpose() * (g / delta_ / (n * determinant)).matrix().asDiagonal() * t_;
    return response;
  }

  /// Inverts zI − R by blocks with G₀₀ = g given: sets the other blocks and returns the new z.
  static double step(double g, const Response& response, double z, VectorXd& cross, MatrixXd& rest) {
    const Eigen::Index c = response.cross.size();
    const Eigen::LLT<MatrixXd> schur(z * MatrixXd::Identity(c, c) - response.rest);
    if (schur.info() != Eigen::Success) return -1;
    const VectorXd solved = schur.solve(response.cross);
    cross = g * solved;
    rest = schur.solve(MatrixXd::Identity(c, c)) + g * solved * solved.transpose();
    return 1 / g + response.first + response.cross.dot(solved);
  }

  MatrixXd t_;
  double delta_;
  VectorXd cross_;
  MatrixXd rest_;
};

}  // namespace

LofiEdge stack_edge(const ArrayXXd& t, double delta) {
  if (!(delta > 0) || !std::isfinite(delta)) reject("delta = n/p must be a finite number > 0, got {}", delta);
  if (!t.allFinite() || t.size() == 0 || (t == 0).all()) reject("weights must be finite and not all 0");
  // Noise alone would end at (1 + √c)√(E t²/δ), and 1/g there is of that size.
  const double size = std::sqrt(t.square().rowwise().sum().mean() / delta);
  SolutionCurve z(t, delta);
  // Beyond the branch z counts as a finite number, because the search for the minimum interpolates.
  const double beyond = 1e6 * size;
  const auto on_log = [&](double u) { return std::min(z(std::exp(u)), beyond); };
  double low = std::log(1e-3 / size), high = low;
  constexpr double kStep = 0.25;
  double least = on_log(low);
  for (double next = on_log(high + kStep); next < least; next = on_log(high + kStep)) least = next, high += kStep;
  low = high - kStep, high += kStep;
  constexpr int kBits = 26;  // half the digits: a minimum tells no more
  const auto [u, edge] = boost::math::tools::brent_find_minima(on_log, low, high, kBits);
  // The curvature of z(g) is its symmetric difference on the scale of g itself.
  const double g = std::exp(u), h = 1e-3 * g;
  const double curvature = (z(g + h) + z(g - h) - 2 * z(g)) / (h * h);
  // The density follows from Im G₀₀ = √(2(E − x)/z''), where G₀₀ has half the weight of every singular value.
  return {delta / g, edge, std::isfinite(curvature) ? 2 * std::sqrt(2 / curvature) : 0};
}

}  // namespace attnlaw::laws
