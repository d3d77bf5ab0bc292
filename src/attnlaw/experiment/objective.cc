#include "attnlaw/experiment/objective.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/experiment/scores.h"

namespace attnlaw::experiment {
namespace {

using Eigen::Index;

/// Groups of blocks that may run at the same time: more threads than this do not help one instance.
constexpr Index kMaxGroups = 16;
/// A group is worth a thread from about this many multiply-adds on (some hundred microseconds).
constexpr double kMinGroupWork = 1e7;

/// A function of the size of the data alone: the order of summation, hence every bit, must not depend on threads.
Index group_count(Index rows, Index d, Index blocks) {
  const double work = 2 * static_cast<double>(rows) * static_cast<double>(d) * static_cast<double>(d);
  const double wanted = std::min(static_cast<double>(kMaxGroups), std::floor(work / kMinGroupWork));
  return std::clamp(static_cast<Index>(wanted), Index(1), blocks);
}

std::size_t size(Index i) { return static_cast<std::size_t>(i); }

}  // namespace

template <class Real>
Objective<Real>::Objective(const model::Problem& problem, const Data<Real>& data, int threads)
    : problem_(problem), data_(data), threads_(threads), map_(data.X.cols(), data.X.cols()) {
  base::use_one_blas_thread();
  const Index block = block_sequences(problem.tokens), n = data.labels.rows();
  groups_.resize(size(group_count(data.X.rows(), d(), (n + block - 1) / block)));
  for (Group& group : groups_) {
    group.gradient.resize(d(), d());
    group.product.resize(std::min(block, n) * problem.tokens, d());
  }
}

template <class Real>
void Objective<Real>::add_block(Map map, bool with_gradient, Index first, Index count, Group& group) const {
  const int T = problem_.tokens;
  const Real* X = data_.X.data() + first * T * d();
  Real* product = group.product.data();
  const std::size_t rows = size(count * T), columns = size(d());
  group.scores.resize(count, problem_.score_count());
  group.outputs.resize(count, output_count(problem_));
  base::gemm(base::Transpose::no, rows, columns, columns, X, map_.data(), Real(0), product);
  const double scale = map == Map::factor ? 1 / static_cast<double>(d()) : 1.0;
  pair_scores(T, d(), map == Map::factor ? product : X, product, scale, trace_, group.scores);
  group.loss +=
      loss_and_coefficients<Real>(problem_, data_.labels.middleRows(first, count), group.scores, group.outputs);
  if (!with_gradient) return;
  for (int a = 0; a < T; ++a) {
    group.coefficient_trace += group.scores.col(score_index(T, a, a)).template cast<double>().sum();
  }
  mix_rows(T, d(), group.scores, map == Map::factor ? product : X, product);
  base::gemm(base::Transpose::yes, columns, columns, rows, X, product, Real(1), group.gradient.data());
}

/// Runs all groups at the current map, returns Σℓ/d² and writes Σ_groups gradient − Tr C · map, divided by d²√d: dh_ab
/// = (x_aᵀ dS x_b − δ_ab Tr dS)/√d.
template <class Real>
double Objective<Real>::sum_groups(Map map, bool with_gradient, Matrix<double>* gradient) {
  const Index n = data_.labels.rows(), block = block_sequences(problem_.tokens);
  const Index blocks = (n + block - 1) / block, groups = static_cast<Index>(groups_.size());
  base::parallel_for(groups_.size(), threads_, [&](std::size_t g) {
    Group& group = groups_[g];
    group.loss = group.coefficient_trace = 0;
    group.gradient.setZero();
    const Index end = blocks * (static_cast<Index>(g) + 1) / groups;
    for (Index b = blocks * static_cast<Index>(g) / groups; b < end; ++b) {
      add_block(map, with_gradient, b * block, std::min(block, n - b * block), group);
    }
  });
  const double d2 = static_cast<double>(d()) * static_cast<double>(d());
  double loss = 0, coefficient_trace = 0;
  if (with_gradient) gradient->setZero(d(), d());
  for (const Group& group : groups_) {
    loss += group.loss;
    coefficient_trace += group.coefficient_trace;
    if (with_gradient) *gradient += group.gradient.template cast<double>();
  }
  if (with_gradient) {
    if (map == Map::matrix) {
      gradient->diagonal().array() -= coefficient_trace;
    } else {
      *gradient -= coefficient_trace * map_.template cast<double>();
    }
    *gradient *= 1 / (d2 * std::sqrt(static_cast<double>(d())));
  }
  return loss / d2;
}

template <class Real>
double Objective<Real>::loss(const Matrix<double>& S, Matrix<double>& gradient) {
  map_ = S.cast<Real>();
  trace_ = S.trace();
  const double value = sum_groups(Map::matrix, true, &gradient);
  gradient = 0.5 * (gradient + gradient.transpose()).eval();
  return value;
}

template <class Real>
double Objective<Real>::loss(const Matrix<double>& S) {
  map_ = S.cast<Real>();
  trace_ = S.trace();
  return sum_groups(Map::matrix, false, nullptr);
}

template <class Real>
double Objective<Real>::objective_of_factor(const Matrix<double>& W, Matrix<double>& gradient) {
  const auto width = static_cast<double>(d());
  map_ = W.cast<Real>();
  trace_ = W.squaredNorm() / width;
  const double loss_value = sum_groups(Map::factor, true, &gradient);
  // S = W Wᵀ/d: ∇_W = (2/d) (∇_S loss + (λ/d) I) W.
  gradient = (2 / width) * (gradient + (problem_.lambda / width) * W);
  return loss_value + problem_.lambda * trace_ / width;
}

double objective_bytes(const model::Problem& problem, int d, std::size_t size_of_real) {
  // The number of groups does not grow any more long before this many rows.
  constexpr double kManyRows = 1e9;
  const double dimension = d;
  const auto rows =
      static_cast<Index>(std::min(kManyRows, problem.tokens * std::round(problem.alpha * dimension * dimension)));
  const Index block_rows = std::max<Index>(kBlockRows, problem.tokens);
  const auto groups = static_cast<double>(group_count(rows, d, rows / block_rows + 1));
  const double entries = dimension * dimension * (groups + 1) +
                         groups * static_cast<double>(block_rows) * (dimension + 2 * problem.tokens);
  return entries * static_cast<double>(size_of_real);
}

Matrix<double> student_of_factor(const Matrix<double>& W) {
  const std::size_t d = size(W.rows());
  const Matrix<double> transposed = W.transpose();
  Matrix<double> S(W.rows(), W.rows());
  base::gemm(base::Transpose::no, d, d, d, W.data(), transposed.data(), 0.0, S.data());
  return 0.5 / static_cast<double>(W.rows()) * (S + S.transpose());
}

double complementarity_scale(const Matrix<double>& S, const model::Problem& problem) {
  const double target_norm = std::sqrt(static_cast<double>(S.rows()) * problem.target.Q_star());
  return std::max(S.norm(), kNegligible * target_norm);
}

double kkt_residual(const Matrix<double>& S, const Matrix<double>& loss_gradient, const model::Problem& problem) {
  const std::size_t d = size(S.rows());
  // B/d − λ I
  Matrix<double> slack = -static_cast<double>(d) * loss_gradient;
  slack.diagonal().array() -= problem.lambda;
  Matrix<double> product(S.rows(), S.rows());
  base::gemm(base::Transpose::no, d, d, d, slack.data(), S.data(), 0.0, product.data());
  const double complementarity = product.norm() / complementarity_scale(S, problem);
  const std::vector<double> eigenvalues = base::symmetric_eigenvalues(std::span(slack.data(), d * d), d);
  return std::max(complementarity, eigenvalues.back()) / problem.lambda;
}

template class Objective<float>;
template class Objective<double>;

}  // namespace attnlaw::experiment
