#include "attnlaw/experiment/trainer.h"

#include <span>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/random.h"
#include "attnlaw/model/streams.h"

namespace attnlaw::experiment {
namespace {

/// The complementarity part of kkt_residual at S = W Wᵀ/d, from the gradient of the objective in W: it is ∇_W Wᵀ =
/// −(2/d)(B/d − λ I) S.
double product_residual(const Matrix<double>& W, const Matrix<double>& gradient, const model::Problem& problem) {
  const auto d = static_cast<std::size_t>(W.rows());
  const Matrix<double> transposed = W.transpose();
  Matrix<double> product(W.rows(), W.rows());
  base::gemm(base::Transpose::no, d, d, d, gradient.data(), transposed.data(), 0.0, product.data());
  const double scale = complementarity_scale(student_of_factor(W), problem);
  return product.norm() * static_cast<double>(d) / (2 * problem.lambda * scale);
}

}  // namespace

Matrix<double> initial_weights(Eigen::Index d, const TrainingOptions& options) {
  const std::uint64_t stream =
      model::stream_id(model::Stream::initial_weights, static_cast<std::uint64_t>(d), options.instance);
  Matrix<double> W(d, d);
  base::NormalStream(options.seed, stream).fill(0, std::span(W.data(), static_cast<std::size_t>(W.size())));
  return W;
}

template <class Real>
std::optional<Trained> FactorMonitor<Real>::optimal(const Matrix<double>& W, const Matrix<double>& gradient,
                                                    int iterations) {
  const double residual = product_residual(W, gradient, objective_.problem());
  stall_.observe(residual);
  if (residual > tolerance_) return std::nullopt;
  Trained trained = finish(W, iterations);
  if (!trained.converged) return std::nullopt;
  return trained;
}

template <class Real>
Trained FactorMonitor<Real>::finish(const Matrix<double>& W, int iterations) {
  Trained trained{student_of_factor(W), iterations, 0, false};
  Matrix<double> gradient;
  objective_.loss(trained.S, gradient);
  trained.kkt = kkt_residual(trained.S, gradient, objective_.problem());
  trained.converged = trained.kkt <= tolerance_;
  return trained;
}

template class FactorMonitor<float>;
template class FactorMonitor<double>;

}  // namespace attnlaw::experiment
