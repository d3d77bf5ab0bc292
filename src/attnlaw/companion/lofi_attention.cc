#include "attnlaw/companion/lofi_attention.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <functional>

#include "attnlaw/base/reject.h"
#include "attnlaw/matrix_laws/semicircle_sum.h"

namespace attnlaw::companion {
namespace {

using base::reject;
using Eigen::ArrayXd;
using Eigen::Index;

/// Gauss-Hermite nodes of N(0, 1): eigenvalues of the Jacobi matrix.
struct NormalNodes {
  ArrayXd x, weight;
  explicit NormalNodes(Index points) {
    Eigen::MatrixXd jacobi = Eigen::MatrixXd::Zero(points, points);
    for (Index i = 1; i < points; ++i) jacobi(i, i - 1) = jacobi(i - 1, i) = std::sqrt(static_cast<double>(i));
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(jacobi);
    x = solver.eigenvalues().array();
    weight = solver.eigenvectors().row(0).transpose().array().square();
  }
};

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

double attention_start_variance(double Q_star, double noise, double alpha, int observed_scores, double efficiency) {
  if (!(Q_star > 0) || !(noise >= 0) || !(alpha > 0) || observed_scores < 1 || !(efficiency > 0) || efficiency > 1)
    reject(
        "a spectral start needs Q* > 0, noise >= 0, alpha > 0, scores >= 1 and efficiency in (0, 1], got {}, {}, {}, "
        "{}, {}",
        Q_star, noise, alpha, observed_scores, efficiency);
  return (Q_star + noise) / (2 * alpha * observed_scores * efficiency);
}

double raw_label_efficiency(int tokens, double beta, double Q_star) {
  if ((tokens != 2 && tokens != 3) || !(beta > 0) || !(Q_star > 0))
    reject("the efficiency of raw labels is computed for 2 or 3 tokens, beta > 0 and Q* > 0, got {}, {}, {}", tokens,
           beta, Q_star);
  const int scores = tokens * (tokens + 1) / 2;
  const NormalNodes nodes(tokens == 2 ? 40 : 12);
  Eigen::MatrixXd h(tokens, tokens);
  double c = 0, tau = 0;
  const std::function<void(int, int, double)> integrate = [&](int a, int b, double weight) {
    if (a == tokens) {
      const Products sums = products(h, beta);
      c += weight * sums.tz, tau += weight * sums.tt;
      return;
    }
    for (Index i = 0; i < nodes.x.size(); ++i) {
      h(a, b) = h(b, a) = std::sqrt(Q_star) * nodes.x[i] * (a == b ? std::sqrt(2) : 1);
      const bool last = b == tokens - 1;
      integrate(last ? a + 1 : a, last ? a + 1 : b + 1, weight * nodes.weight[i]);
    }
  };
  integrate(0, 0, 1);
  return c * c / (tau * (scores - 1) * Q_star);
}

SpectralStarts spectral_starts(const matrix_laws::Spectrum& target, double variance) {
  const matrix_laws::Law law = matrix_laws::semicircle_sum(target, variance);
  const double kink[] = {0};
  const matrix_laws::Law::Quadrature quadrature = law.quadrature(kink);
  const double Q_star = target.second_moment();
  const auto start = [&](const auto& f) {
    SpectralStart result;
    double V = 0;
    for (const auto& node : quadrature.nodes) {
      const double value = f(node);
      result.q += node.weight * value * value;
      result.m += node.weight * node.x * value;
      V += node.weight * 2 * value * node.g.real();
    }
    result.m -= variance * V;
    result.cosine = result.m / std::sqrt(result.q * Q_star);
    return result;
  };
  using Node = matrix_laws::Law::Node;
  SpectralStarts starts;
  starts.linear = start([](const Node& node) { return node.x; });
  starts.positive = start([](const Node& node) { return std::max(0.0, node.x); });
  starts.best = start([&](const Node& node) { return node.x - 2 * variance * node.g.real(); });
  starts.estimation = Q_star - starts.best.q;
  return starts;
}

}  // namespace attnlaw::companion
