#include "attnlaw/laws/filtering/attention.h"

#include <Eigen/Core>
#include <cmath>
#include <functional>

#include "attnlaw/base/normal.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::laws {
namespace {

using base::reject;
using Eigen::Index;

/// Σ_k t_k z_k and Σ_k t_k² of one sequence with scores h.
struct Products {
  double tz = 0, tt = 0;
};

Products products(const Eigen::MatrixXd& h, double beta) {
  const Index T = h.rows();
  Eigen::MatrixXd y = (beta * h).array().exp();
  y = y.array().colwise() / y.array().rowwise().sum();
  const Eigen::MatrixXd w = 0.5 * (y + y.transpose()).array() - 1.0 / static_cast<double>(T);
  Products sums;
  for (Index a = 0; a < T; ++a) {
    for (Index b = a; b < T; ++b) {
      const double z = a == b ? h(a, b) / std::sqrt(2) : h(a, b), t = (a == b ? std::sqrt(2) : 2) * w(a, b);
      sums.tz += t * z, sums.tt += t * t;
    }
  }
  return sums;
}

}  // namespace

double raw_label_efficiency(double beta, double Q_star) {
  if (!(beta > 0) || !(Q_star > 0)) reject("beta and Q* must be > 0, got {} and {}", beta, Q_star);
  constexpr int tokens = 2, scores = 3;
  const base::NormalNodes nodes = base::normal_nodes(60);
  Eigen::MatrixXd h(tokens, tokens);
  double c = 0, tau = 0;
  const std::function<void(int, int, double)> integrate = [&](int a, int b, double weight) {
    if (a == tokens) {
      const Products sums = products(h, beta);
      c += weight * sums.tz, tau += weight * sums.tt;
      return;
    }
    for (std::size_t i = 0; i < nodes.points.size(); ++i) {
      h(a, b) = h(b, a) = std::sqrt(Q_star) * nodes.points[i] * (a == b ? std::sqrt(2) : 1);
      const bool last = b == tokens - 1;
      integrate(last ? a + 1 : a, last ? a + 1 : b + 1, weight * nodes.weights[i]);
    }
  };
  integrate(0, 0, 1);
  return c * c / (tau * (scores - 1) * Q_star);
}

}  // namespace attnlaw::laws
