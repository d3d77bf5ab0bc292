#pragma once
/// Passes once through a training set, the heavy part of every trainer: S, or its factor W, gives the scores of every
/// sequence, and coefficients made from the scores are pulled back to a matrix.

#include <array>
#include <functional>
#include <vector>

#include "attnlaw/base/matrix.h"
#include "attnlaw/experiment/data/data.h"
#include "attnlaw/experiment/data/score_map.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// Computes two matrix products over blocks of sequences that stay in cache; nothing larger than a block is stored
/// beside the data. Data are cut into groups of blocks whose number depends on the size of the data alone; groups run
/// on up to `threads` threads and are summed in order, so bits do not depend on threads. As it owns its workspace, only
/// one thread may call it at a time. `problem` and `data` must outlive it. Where several processes hold the data
/// together (Data::communicator), all of them must call it at the same S, or W, and get the same sums over all
/// sequences.
template <class Real>
class DataPass {
 public:
  /// Numbers that a pointwise step may return beside the coefficients; they are summed over all sequences.
  using Sums = std::array<double, 2>;
  /// The pointwise part of a pass on sequences first … first + scores.rows() − 1: it replaces their scores
  /// (student_layout) by coefficients C_ab. Several threads call it at the same time, each for its block. The last
  /// argument is scratch.
  using Pointwise = std::function<Sums(Eigen::Index first, base::Columns<Real>& scores, base::Columns<Real>& scratch)>;

  DataPass(const model::Problem& problem, const Data<Real>& data, int threads);

  Eigen::Index d() const { return data_.X.cols(); }
  const Data<Real>& data() const { return data_; }

  /// Passes the scores of the d×d matrix S to `pointwise`; `pulled_back`, unless null, becomes Σ_μ Σ_ab C_ab ∂h_ab/∂S =
  /// Σ_μ (Xᵀ C X − Tr C)/√d, which is symmetric if scores are, or Σ_μ Xᵀ C Y/√d with cross-attention.
  Sums at_matrix(const base::Matrix<double>& S, const Pointwise& pointwise, base::Matrix<double>* pulled_back);
  /// Does the same for S = scale·W Wᵀ in self-attention, by products with W alone; `pulled_back` becomes Σ_μ (Xᵀ C X −
  /// Tr C) W/√d.
  Sums at_factor(const base::Matrix<double>& W, double scale, const Pointwise& pointwise,
                 base::Matrix<double>* pulled_back);

 private:
  /// The sums of one group of blocks.
  struct Group {
    Sums sums{};
    double coefficient_trace = 0;    ///< Σ_μ Tr C
    base::Matrix<Real> pulled_back;  ///< what ScoreMap pulls back
    base::Matrix<Real> product;      ///< the product of one block
    base::Columns<Real> scores, scratch;
  };

  void add_block(const Pointwise& pointwise, bool pull_back, Eigen::Index first, Eigen::Index count,
                 Group& group) const;
  Sums sum_groups(const base::Matrix<double>& at, const Pointwise& pointwise, base::Matrix<double>* pulled_back);

  const model::Problem& problem_;
  const Data<Real>& data_;
  int threads_;
  ScoreLayout layout_;
  ScoreMap<Real> map_;
  std::vector<Group> groups_;
};

/// Returns the bytes of the workspace of a DataPass, as a double, which cannot overflow.
double data_pass_bytes(const model::Problem& problem, int d, std::size_t size_of_real);

}  // namespace attnlaw::experiment
