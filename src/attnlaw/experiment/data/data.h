#pragma once
/// Training and test sequences of one instance.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "attnlaw/base/communicator.h"
#include "attnlaw/base/matrix.h"
#include "attnlaw/base/random.h"
#include "attnlaw/experiment/data/scores.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// round(α d²), whether or not so many sequences can be had.
double wanted_sequences(const model::Problem& problem, int d);

/// Number of training sequences n = round(α d²). Throws std::invalid_argument if it is below 1 or beyond 2³¹ rows.
std::int64_t sequence_count(const model::Problem& problem, int d);

/// Labelled sequences. The law of the data is invariant under rotations of the embedding space, with cross-attention
/// under one on each side, so S* is taken diagonal without loss of generality: the target is its eigenvalues, or
/// singular values (of either sign) with cross-attention.
template <class Real>
struct Data {
  base::Matrix<Real> X;        ///< (nT)×d, iid N(0,1); the T rows of one sequence are adjacent
  base::Matrix<Real> Y;        ///< (nT2)×d, the keys of cross-attention; empty with self-attention, where X has both
  base::Columns<Real> labels;  ///< n × label_count (outputs.h), of the noisy scores h* + √Δ Ξ
  /// The processes that hold one training set together, each its share of the n sequences; null: this one holds all.
  base::Communicator* communicator = nullptr;

  /// The rows on the right of S: Y, or X with self-attention.
  const base::Matrix<Real>& keys() const { return Y.size() > 0 ? Y : X; }
};

/// Draws the training set of (seed, instance), or the share of it that this process has (sharding.h). Values depend on
/// the arguments alone, those of a sequence not on the division; float and double draws agree to rounding.
template <class Real>
Data<Real> draw_data(const model::Problem& problem, std::span<const double> target_eigenvalues, std::uint64_t seed,
                     std::uint64_t instance, base::Communicator* communicator = nullptr);

/// Noiseless scores h* (target_layout) of scores.rows() sequences with queries in X and keys in Y (X itself with
/// self-attention) under S* = diag(target_eigenvalues). `scaled` is scratch of the shape of Y.
template <class Real>
void target_scores(const ScoreLayout& layout, std::span<const double> target_eigenvalues, const Real* X, const Real* Y,
                   base::Matrix<Real>& scaled, base::Columns<Real>& scores);

/// Adds √Δ Ξ, Var Ξ_ab = 1 + δ_ab (1 with cross-attention), to the scores (target_layout) of sequences first, first+1,
/// …; sequence μ takes K numbers of the stream from K μ on.
template <class Real>
void add_noise(const model::Problem& problem, const base::NormalStream& stream, Eigen::Index first,
               base::Columns<Real>& scores);

/// Numbers between 0 and 1 that draw the labels of sequences first, first+1, … where labels are sampled, one per row of
/// attention; nothing elsewhere. Keyed by (seed, instance, sequence), whatever the division of the data.
base::Columns<double> label_chances(const model::Problem& problem, const base::UniformStream& stream,
                                    Eigen::Index first, Eigen::Index count);

/// Averages per fresh sequence, all against noiseless labels.
struct TestFigures {
  double loss = 0;     ///< ℓ; sampled labels replaced by their probabilities
  double entropy = 0;  ///< that of the labels; cross-entropy only
  double squared = 0;  ///< ‖label − output‖²; soft and sampled labels
  double wrong = 0;    ///< 1 where the student has the other sign; labels sign only
};

/// Errors of S over `sequences` fresh sequences drawn and forgotten block by block. `loss` is that of the problem
/// (‖σ_{β*}(h*) − σ_β(h)‖²_F, Σ_ab (h*_ab − h_ab)², …).
///
/// With posterior_variance V > 0 (student bayes) the answer is the posterior mean of the outputs, E_ξ σ_β(h + √V Ξ),
/// Var Ξ_ab = 1 + δ_ab, by kPosteriorPoints fixed Gaussian points ±ξ. They are too few to integrate exactly: the error
/// comes out too large, by 0.1 % of itself at T = 2, β = 1 and 0.5 % at T = 4, β = 2 (measured against 2048 points);
/// not at all for the linear head.
///
/// The sequences are divided over the processes of a communicator, all of which get the same answer.
template <class Real>
TestFigures test_figures(const model::Problem& problem, std::span<const double> target_eigenvalues,
                         const base::Matrix<double>& S, std::int64_t sequences, std::uint64_t seed,
                         std::uint64_t instance, int threads, double posterior_variance = 0,
                         base::Communicator* communicator = nullptr);

/// The loss of test_figures: the test error.
template <class Real>
double test_error(const model::Problem& problem, std::span<const double> target_eigenvalues,
                  const base::Matrix<double>& S, std::int64_t sequences, std::uint64_t seed, std::uint64_t instance,
                  int threads, double posterior_variance = 0, base::Communicator* communicator = nullptr) {
  return test_figures<Real>(problem, target_eigenvalues, S, sequences, seed, instance, threads, posterior_variance,
                            communicator)
      .loss;
}

/// Gaussian points of test_figures: 32 antithetic pairs.
inline constexpr int kPosteriorPoints = 64;

/// Rows of a block of sequences that is worked on at a time: three such blocks (data, products, their copy in the
/// packing buffer of gemm) stay in the second-level cache at d = 200, and gemm is at its peak from 256 rows on.
constexpr int kBlockRows = 256;

/// Sequences per block of about kBlockRows rows (of whichever side has more of them).
inline Eigen::Index block_sequences(int tokens) { return std::max(1, kBlockRows / tokens); }
inline Eigen::Index block_sequences(const model::Problem& problem) {
  return block_sequences(std::max(problem.tokens, problem.keys()));
}

}  // namespace attnlaw::experiment
