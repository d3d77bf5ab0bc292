#include "attnlaw/experiment/data/data_pass.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/base/index.h"
#include "attnlaw/base/interrupt.h"
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
    : problem_(problem), data_(data), threads_(threads), layout_(student_layout(problem)) {
  base::use_one_blas_thread();
  const Index block = block_sequences(problem), n = data.labels.rows(), rows = ScoreMap<Real>::product_rows(layout_);
  groups_.resize(size(group_count(n * rows, d(), (n + block - 1) / block)));
  for (Group& group : groups_) group.product.resize(std::min(block, n) * rows, d());
}

template <class Real>
void DataPass<Real>::add_block(const Pointwise& pointwise, bool pull_back, Index first, Index count,
                               Group& group) const {
  const Real* X = data_.X.data() + first * layout_.rows * d();
  const Real* Y = data_.keys().data() + first * layout_.columns * d();
  group.scores.resize(count, layout_.count());
  group.scratch.resize(count, output_count(problem_));
  map_.scores(X, Y, group.product.data(), group.scores);
  const Sums sums = pointwise(first, group.scores, group.scratch);
  for (std::size_t i = 0; i < sums.size(); ++i) group.sums[i] += sums[i];
  if (!pull_back) return;
  for (int a = 0; layout_.self && a < layout_.rows; ++a) {
    group.coefficient_trace += group.scores.col(layout_.index(a, a)).template cast<double>().sum();
  }
  map_.pull_back(X, Y, group.scores, group.product.data(), group.pulled_back.data());
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
    if (pulled_back) group.pulled_back.setZero(d(), map_.columns());
    const Index end = blocks * (static_cast<Index>(g) + 1) / groups;
    for (Index b = blocks * static_cast<Index>(g) / groups; b < end; ++b) {
      base::check_interrupt();
      add_block(pointwise, pulled_back != nullptr, b * block, std::min(block, n - b * block), group);
    }
  });
  // The sums of the pointwise step come first, then Σ Tr C.
  std::array<double, std::tuple_size_v<Sums> + 1> totals{};
  double& coefficient_trace = totals.back();
  if (pulled_back) pulled_back->setZero(d(), map_.columns());
  for (const Group& group : groups_) {
    for (std::size_t i = 0; i < group.sums.size(); ++i) totals[i] += group.sums[i];
    coefficient_trace += group.coefficient_trace;
    if (pulled_back) *pulled_back += group.pulled_back.template cast<double>();
  }
  sum_over_processes(data_.communicator, at, totals, pulled_back);
  Sums sums;
  std::copy_n(totals.begin(), sums.size(), sums.begin());
  if (pulled_back) map_.finish(coefficient_trace, *pulled_back);
  return sums;
}

template <class Real>
typename DataPass<Real>::Sums DataPass<Real>::at_matrix(const Matrix<double>& S, const Pointwise& pointwise,
                                                        Matrix<double>* pulled_back) {
  map_ = ScoreMap<Real>::of_matrix(layout_, S);
  return sum_groups(S, pointwise, pulled_back);
}

template <class Real>
typename DataPass<Real>::Sums DataPass<Real>::at_factor(const Matrix<double>& W, double scale,
                                                        const Pointwise& pointwise, Matrix<double>* pulled_back) {
  map_ = ScoreMap<Real>::of_factor(layout_, W, scale);
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
