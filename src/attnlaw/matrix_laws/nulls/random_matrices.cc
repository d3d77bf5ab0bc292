#include "attnlaw/matrix_laws/nulls/random_matrices.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "attnlaw/base/index.h"

namespace attnlaw::matrix_laws {

void Draws::read() {
  normals_.fill(read_, buffer_);
  read_ += buffer_.size();
  next_ = 0;
}

double Draws::normal() {
  if (next_ == buffer_.size()) read();
  return static_cast<double>(buffer_[next_++]);
}

void Draws::fill(std::span<double> out) {
  while (!out.empty()) {
    if (next_ == buffer_.size()) read();
    const std::size_t count = std::min(out.size(), buffer_.size() - next_);
    std::copy_n(buffer_.data() + next_, count, out.data());
    next_ += count;
    out = out.subspan(count);
  }
}

double Draws::chi_squared(int degrees) {
  constexpr int kDirect = 3;  // the method needs a shape ≥ 1
  if (degrees < kDirect) {
    double sum = 0;
    for (int i = 0; i < degrees; ++i) {
      const double x = normal();
      sum += x * x;
    }
    return sum;
  }
  const double shape = 0.5 * degrees - 1.0 / 3, width = 1 / std::sqrt(9 * shape);
  for (;;) {
    const double x = normal(), root = 1 + width * x;
    if (root <= 0) continue;
    const double v = root * root * root, a = normal(), b = normal();
    // log u of a uniform u is minus an exponential number.
    if (-0.5 * (a * a + b * b) < 0.5 * x * x + shape * (1 - v + std::log(v))) return 2 * shape * v;
  }
}

Eigen::MatrixXd normal_matrix(int m, int n, Draws& draws) {
  Eigen::MatrixXd X(m, n);
  draws.fill({X.data(), base::size(X.size())});
  return X;
}

Eigen::MatrixXd bartlett_factor(int m, int d, Draws& draws) {
  Eigen::MatrixXd L = Eigen::MatrixXd::Zero(m, m);
  for (int column = 0; column < m; ++column) {
    L(column, column) = std::sqrt(draws.chi_squared(d - column));
    draws.fill({L.data() + L.outerStride() * column + column + 1, base::size(m - column - 1)});
  }
  return L;
}

Eigen::MatrixXd haar_matrix(int m, Draws& draws) {
  // Of the transposed matrix, whose columns lie in memory one after the other.
  Eigen::MatrixXd O = Eigen::MatrixXd::Identity(m, m);
  Eigen::VectorXd x(m), along(m);
  // The last reflection acts first, and each on the rows and columns from its first on alone.
  for (Eigen::Index k = m - 1; k >= 0; --k) {
    const Eigen::Index n = m - k;
    auto v = x.head(n);
    draws.fill({x.data(), base::size(n)});
    // The reflection takes the vector to −sign(v₀)‖v‖ in its first coordinate, which is the entry of R.
    const double length = v.norm(), entry = v[0] < 0 ? length : -length;
    if (entry < 0) O(k, k) = -1;
    v[0] -= entry;
    auto turned = O.bottomRightCorner(n, n);
    along.head(n).noalias() = turned * v;
    along.head(n) *= 2 / v.squaredNorm();
    turned.noalias() -= along.head(n) * v.transpose();
  }
  return O.transpose();
}

Eigen::MatrixXd haar_corner(int m, int d, Draws& draws) {
  // The first m rows of a uniform matrix are L⁻¹ Y with Y Gaussian and L Lᵀ = Y Yᵀ. Only the Gram matrix of the d − m
  // columns beside the corner is needed.
  const int rest = std::min(m, d - m);
  Eigen::MatrixXd Y(m, m + rest);
  Y.leftCols(m) = normal_matrix(m, m, draws);
  Y.rightCols(rest) = d - m >= m ? bartlett_factor(m, d - m, draws) : normal_matrix(m, rest, draws);
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(m, m);
  gram.selfadjointView<Eigen::Lower>().rankUpdate(Y);
  return Eigen::LLT<Eigen::MatrixXd>(gram).matrixL().solve(Y.leftCols(m));
}

std::vector<Eigen::Index> permutation(std::size_t n, Draws& draws) {
  std::vector<double> keys(n);
  draws.fill(keys);
  std::vector<Eigen::Index> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return keys[base::size(a)] < keys[base::size(b)]; });
  return order;
}

void shuffle(std::span<float> values, const base::UniformStream& stream) {
  std::vector<double> places(values.size());
  stream.fill(0, places);
  for (std::size_t left = values.size(); left > 1; --left)
    std::swap(values[left - 1], values[static_cast<std::size_t>(places[left - 1] * static_cast<double>(left))]);
}

}  // namespace attnlaw::matrix_laws
