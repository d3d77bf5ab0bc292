#include "attnlaw/laws/filtering/published.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "attnlaw/base/index.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/laws/filtering/ridge.h"

namespace attnlaw::laws {
namespace {

using base::Eigensystem;
using base::eigensystem;
using base::product;
using base::reject;
using base::size;
using Eigen::ArrayXd;
using Eigen::Index;
using Matrix = base::Matrix<double>;

/// The eigenvectors of largest |λ|, as columns.
struct Top {
  Eigen::VectorXd values;
  Eigen::MatrixXd vectors;
};

Top largest(const Eigensystem& system, int keep) {
  std::vector<std::size_t> order(system.values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::abs(system.values[a]) > std::abs(system.values[b]);
  });
  Top top{Eigen::VectorXd(keep), Eigen::MatrixXd(system.vectors.cols(), keep)};
  for (Index k = 0; k < keep; ++k) {
    top.values[k] = system.values[order[size(k)]];
    top.vectors.col(k) = system.vectors.row(static_cast<Index>(order[size(k)]));
  }
  return top;
}

}  // namespace

Matrix PublishedLayer::lifted(const Matrix& inputs) const {
  Matrix z = product(inputs, lift).cwiseMax(0) / (scale * std::sqrt(static_cast<double>(lift.cols())));
  if (mean.size() > 0) z.rowwise() -= mean;
  return z;
}

PublishedLayer published_layer(const Matrix& inputs, const ArrayXd& y, const PublishedLayerOptions& options) {
  constexpr int kMostWidth = 20000;
  if (options.width < 1 || options.width > kMostWidth)
    reject("width of a layer must be 1 to {}, got {}", kMostWidth, options.width);
  if (options.keep < 1 || options.keep > options.width)
    reject("a layer of width {} can keep 1 to {} features, got {}", options.width, options.width, options.keep);
  if (inputs.rows() != y.size()) reject("{} labels for {} samples", y.size(), inputs.rows());
  PublishedLayer layer;
  layer.scale = root_mean_square_length(inputs);
  layer.lift.resize(inputs.cols(), options.width);
  base::NormalStream(options.seed, base::stream_id(base::Stream::filtering_layer, size(inputs.cols()), options.number))
      .fill(0, {layer.lift.data(), size(layer.lift.size())});
  Matrix z = layer.lifted(inputs);
  if (options.centre) {
    layer.mean = z.colwise().mean();
    z.rowwise() -= layer.mean;
  }
  Top top = largest(eigensystem(weighted_operator(z, y)), options.keep);
  layer.filters = std::move(top.vectors), layer.eigenvalues = std::move(top.values);
  return layer;
}

KernelLayer kernel_layer(const Matrix& gram, const ArrayXd& y, int keep) {
  const Index n = gram.rows();
  if (gram.cols() != n || y.size() != n)
    reject("a Gram matrix is n x n with n labels, got {}x{} and {}", n, gram.cols(), y.size());
  const Eigensystem system = eigensystem(gram);
  constexpr double kDropped = 1e-10;  // times the largest eigenvalue: below, G^{−1/2} is rounding
  const double least = kDropped * system.values.back();
  const Index rank = std::count_if(system.values.begin(), system.values.end(), [&](double x) { return x > least; });
  if (keep < 1 || keep > rank) reject("a Gram matrix of rank {} has 1 to {} features, got {}", rank, rank, keep);
  const Eigen::Map<const Eigen::VectorXd> values(system.values.data() + (n - rank), rank);
  const Matrix basis = system.vectors.bottomRows(rank);  // rows q_i: G^{1/2} = Σ √μ_i q_i q_iᵀ
  // M = G^{1/2} diag(y) G^{1/2}/n is taken in the basis of the q_i.
  const Matrix weighted = values.cwiseSqrt().asDiagonal() * basis;
  const Matrix scaled = weighted * y.matrix().asDiagonal();
  Matrix M = product(scaled, weighted.transpose()) / static_cast<double>(n);
  M = 0.5 * (M + M.transpose()).eval();
  const Top top = largest(eigensystem(std::move(M)), keep);
  return {Matrix(basis.transpose() * (values.cwiseSqrt().cwiseInverse().asDiagonal() * top.vectors)), top.values};
}

Matrix relu_kernel(const Matrix& a, const Matrix& b, double scale) {
  const Eigen::VectorXd length_a = a.rowwise().norm(), length_b = b.rowwise().norm();
  Matrix kernel = product(a, b.transpose());
  for (Index i = 0; i < kernel.rows(); ++i) {
    base::check_interrupt();
    for (Index j = 0; j < kernel.cols(); ++j) {
      const double lengths = length_a[i] * length_b[j];
      const double cosine = lengths > 0 ? std::clamp(kernel(i, j) / lengths, -1.0, 1.0) : 1;
      const double angle = std::acos(cosine);
      kernel(i, j) =
          lengths / (2 * std::numbers::pi * scale * scale) * (std::sin(angle) + (std::numbers::pi - angle) * cosine);
    }
  }
  return kernel;
}

double root_mean_square_length(const Matrix& x) { return std::sqrt(x.squaredNorm() / static_cast<double>(x.rows())); }

Matrix patches_of(const Matrix& x, int patches) {
  if (patches < 1 || x.cols() % patches != 0)
    reject("patches must divide the {} features of a sample, got {}", x.cols(), patches);
  return Eigen::Map<const Matrix>(x.data(), x.rows() * patches, x.cols() / patches);
}

ArrayXd repeated(const ArrayXd& y, int times) { return y.transpose().replicate(times, 1).reshaped(); }

Matrix pooled(const Matrix& rows, int patches) {
  Matrix means(rows.rows() / patches, rows.cols());
  for (Index mu = 0; mu < means.rows(); ++mu) means.row(mu) = rows.middleRows(mu * patches, patches).colwise().mean();
  return means;
}

}  // namespace attnlaw::laws
