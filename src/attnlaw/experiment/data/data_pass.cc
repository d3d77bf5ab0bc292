#include "attnlaw/experiment/data/data_pass.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/base/index.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/experiment/data/outputs.h"
#include "attnlaw/experiment/data/scores.h"
#include "attnlaw/experiment/data/sharding.h"

namespace attnlaw::experiment {
namespace {

using base::Matrix;
using base::size;
using Eigen::Index;

/// The most groups of blocks: more threads than this do not help one instance.
constexpr Index kMaxGroups = 16;
/// A group with fewer multiply-adds (some hundred microseconds) is not worth a thread.
constexpr double kMinGroupWork = 1e7;

/// Returns the number of groups. It depends on the size of the data alone, because the order of summation, hence every
/// bit, must not depend on threads.
Index group_count(Index rows, Index d, Index blocks) {
  const double work = 2 * static_cast<double>(rows) * static_cast<double>(d) * static_cast<double>(d);
  const double wanted = std::min(static_cast<double>(kMaxGroups), std::floor(work / kMinGroupWork));
  return std::clamp(static_cast<Index>(wanted), Index(1), blocks);
}

}  // namespace

template <class Real>
DataPass<Real>::DataPass(const model::Problem& problem, const Data<Real>& data, int threads)
    : problem_(problem), data_(data), threads_(threads) {
  base::use_one_blas_thread();
  const Index block = block_sequences(problem), n = data.labels.rows();
  groups_.resize(size(group_count(n * product_rows(), d(), (n + block - 1) / block)));
  for (Group& group : groups_) group.product.resize(std::min(block, n) * product_rows(), d());
}

template <class Real>
int DataPass<Real>::product_rows() const {
  return std::min(problem_.tokens, problem_.keys());
}

template <class Real>
void DataPass<Real>::add_block(const Pointwise& pointwise, bool pull_back, Index first, Index count,
                               Group& group) const {
  const ScoreLayout layout = student_layout(problem_);
  const Index width = map_.matrix.cols();
  const Real* X = data_.X.data() + first * layout.rows * d();
  const Real* Y = data_.keys().data() + first * layout.columns * d();
  Real* product = group.product.data();
  const std::size_t rows = size(count * product_rows());
  const bool of_keys = map_.form == Form::transpose;
  group.scores.resize(count, layout.count());
  group.scratch.resize(count, output_count(problem_));
  base::gemm(base::Transpose::no, rows, size(width), size(d()), of_keys ? Y : X, map_.matrix.data(), Real(0), product);
  const double normalisation = 1 / std::sqrt(static_cast<double>(d()));
  pair_scores(layout, width, of_keys ? X : product, map_.form == Form::matrix ? Y : product, normalisation * map_.scale,
              normalisation * map_.trace, group.scores);
  const Sums sums = pointwise(first, group.scores, group.scratch);
  for (std::size_t i = 0; i < sums.size(); ++i) group.sums[i] += sums[i];
  if (!pull_back) return;
  for (int a = 0; layout.self && a < layout.rows; ++a) {
    group.coefficient_trace += group.scores.col(layout.index(a, a)).template cast<double>().sum();
  }
  if (of_keys) {
    mix_queries(layout, width, group.scores, X, product);
    base::gemm(base::Transpose::yes, size(d()), size(d()), rows, product, Y, Real(1), group.pulled_back.data());
  } else {
    mix_keys(layout, width, group.scores, map_.form == Form::matrix ? Y : product, product);
    base::gemm(base::Transpose::yes, size(d()), size(width), rows, X, product, Real(1), group.pulled_back.data());
  }
}

template <class Real>
typename DataPass<Real>::Sums DataPass<Real>::sum_groups(const Matrix<double>& at, const Pointwise& pointwise,
                                                         Matrix<double>* pulled_back) {
  const Index n = data_.labels.rows(), block = block_sequences(problem_);
  const Index blocks = (n + block - 1) / block, groups = static_cast<Index>(groups_.size());
  base::parallel_for(groups_.size(), threads_, [&](std::size_t g) {
    Group& group = groups_[g];
    group.sums = {};
    group.coefficient_trace = 0;
    if (pulled_back) group.pulled_back.setZero(d(), map_.matrix.cols());
    const Index end = blocks * (static_cast<Index>(g) + 1) / groups;
    for (Index b = blocks * static_cast<Index>(g) / groups; b < end; ++b) {
      add_block(pointwise, pulled_back != nullptr, b * block, std::min(block, n - b * block), group);
    }
  });
  // The sums of the pointwise step come first, then Σ Tr C.
  std::array<double, std::tuple_size_v<Sums> + 1> totals{};
  double& coefficient_trace = totals.back();
  if (pulled_back) pulled_back->setZero(d(), map_.matrix.cols());
  for (const Group& group : groups_) {
    for (std::size_t i = 0; i < group.sums.size(); ++i) totals[i] += group.sums[i];
    coefficient_trace += group.coefficient_trace;
    if (pulled_back) *pulled_back += group.pulled_back.template cast<double>();
  }
  sum_over_processes(data_.communicator, at, totals, pulled_back);
  Sums sums;
  std::copy_n(totals.begin(), sums.size(), sums.begin());
  if (!pulled_back) return sums;
  if (map_.form == Form::factor) {
    *pulled_back -= coefficient_trace * map_.matrix.template cast<double>();
  } else {
    pulled_back->diagonal().array() -= coefficient_trace;
  }
  *pulled_back *= 1 / std::sqrt(static_cast<double>(d()));
  return sums;
}

template <class Real>
typename DataPass<Real>::Sums DataPass<Real>::at_matrix(const Matrix<double>& S, const Pointwise& pointwise,
                                                        Matrix<double>* pulled_back) {
  const bool more_queries = problem_.tokens > problem_.keys();
  map_ = more_queries ? Map{S.transpose().cast<Real>(), Form::transpose, 1, 0}
                      : Map{S.cast<Real>(), Form::matrix, 1, S.trace()};
  return sum_groups(S, pointwise, pulled_back);
}

template <class Real>
typename DataPass<Real>::Sums DataPass<Real>::at_factor(const Matrix<double>& W, double scale,
                                                        const Pointwise& pointwise, Matrix<double>* pulled_back) {
  map_ = {W.cast<Real>(), Form::factor, scale, scale * W.squaredNorm()};
  return sum_groups(W, pointwise, pulled_back);
}

double data_pass_bytes(const model::Problem& problem, int d, std::size_t size_of_real) {
  // The number of groups reaches its maximum long before this many rows.
  constexpr double kManyRows = 1e9;
  const double dimension = d;
  const int fewer = std::min(problem.tokens, problem.keys()), more = std::max(problem.tokens, problem.keys());
  const auto rows = static_cast<Index>(std::min(kManyRows, fewer * std::round(problem.alpha * dimension * dimension)));
  const Index block_rows = std::max<Index>(kBlockRows, more);
  const auto groups = static_cast<double>(group_count(rows, d, rows / block_rows + 1));
  // A sequence has at most T1 T2 scores and as many outputs.
  const double entries =
      dimension * dimension * (groups + 1) + groups * static_cast<double>(block_rows) * (dimension + 2 * fewer);
  return entries * static_cast<double>(size_of_real);
}

template class DataPass<float>;
template class DataPass<double>;

}  // namespace attnlaw::experiment
