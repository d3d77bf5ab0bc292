#pragma once
/// One pass through a training set: from S, or its factor W, to the scores of every sequence, and from what they give
/// rise to back to a matrix. The heavy part of every trainer.

#include <array>
#include <functional>
#include <vector>

#include "attnlaw/base/matrix.h"
#include "attnlaw/experiment/data/data.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// Two matrix products over blocks of sequences that stay in cache; nothing larger than a block is stored beside the
/// data. Data are cut into groups of blocks whose number depends on the size of the data alone; groups run on up to
/// `threads` threads and are summed in order, so bits do not depend on threads. Not to be called from several threads
/// at once (it owns its workspace). `problem` and `data` must outlive it. Where several processes hold the data
/// together, all of them call at the same S, or W, and get the same sums over all sequences (Data::communicator).
template <class Real>
class DataPass {
 public:
  /// Sums that a pointwise step may add up beside the coefficients.
  using Sums = std::array<double, 2>;
  /// The pointwise part of a pass, on sequences first … first + scores.rows() − 1: replaces their scores
  /// (student_layout) by coefficients C_ab. Called for several blocks at the same time. The last argument is scratch.
  using Pointwise = std::function<Sums(Eigen::Index first, base::Columns<Real>& scores, base::Columns<Real>& scratch)>;

  DataPass(const model::Problem& problem, const Data<Real>& data, int threads);

  Eigen::Index d() const { return data_.X.cols(); }
  const Data<Real>& data() const { return data_; }

  /// Scores of the d×d matrix S; `pulled_back`, unless null, becomes Σ_μ Σ_ab C_ab ∂h_ab/∂S = Σ_μ (Xᵀ C X − Tr C)/√d,
  /// or Σ_μ Xᵀ C Y/√d with cross-attention. There both products are those with the shorter side: X S and Xᵀ (C Y), or Y
  /// Sᵀ and (Cᵀ X)ᵀ Y.
  Sums at_matrix(const base::Matrix<double>& S, const Pointwise& pointwise, base::Matrix<double>* pulled_back);
  /// The same for S = scale·W Wᵀ in self-attention, by products with W alone; `pulled_back` becomes
  /// Σ_μ (Xᵀ C X − Tr C) W/√d.
  Sums at_factor(const base::Matrix<double>& W, double scale, const Pointwise& pointwise,
                 base::Matrix<double>* pulled_back);

 private:
  /// The factor that the data are multiplied by; it determines how scores follow from the product.
  enum class Form {
    matrix,     ///< product X S, scores with Y
    transpose,  ///< product Y Sᵀ, scores with X
    factor      ///< product X W, scores with itself
  };
  struct Map {
    base::Matrix<Real> matrix;  ///< S, Sᵀ or W
    Form form = Form::matrix;
    double scale = 1;
    double trace = 0;  ///< Tr S
  };
  /// The sums of one group of blocks.
  struct Group {
    Sums sums{};
    double coefficient_trace = 0;  ///< Σ_μ Tr C
    base::Matrix<Real> pulled_back;      ///< Σ_μ Xᵀ C Y, or Xᵀ C X W
    base::Matrix<Real> product;          ///< the product of one block
    base::Columns<Real> scores, scratch;
  };

  /// Rows of a sequence that are multiplied.
  int product_rows() const;
  void add_block(const Pointwise& pointwise, bool pull_back, Eigen::Index first, Eigen::Index count,
                 Group& group) const;
  Sums sum_groups(const base::Matrix<double>& at, const Pointwise& pointwise, base::Matrix<double>* pulled_back);

  const model::Problem& problem_;
  const Data<Real>& data_;
  int threads_;
  Map map_;
  std::vector<Group> groups_;
};

/// Bytes of the workspace of a DataPass, as a double that cannot overflow.
double data_pass_bytes(const model::Problem& problem, int d, std::size_t size_of_real);

}  // namespace attnlaw::experiment
