#pragma once
/// Draws the training and test sequences of one instance, and measures test errors.

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

/// Returns round(α d²), whether or not so many sequences can be had.
double wanted_sequences(const model::Problem& problem, int d);

/// Returns the number of training sequences n = round(α d²). Throws std::invalid_argument if it is below 1 or beyond
/// 2³¹ rows.
std::int64_t sequence_count(const model::Problem& problem, int d);

/// Labelled sequences. The law of the data is invariant under rotations of the embedding space, with cross-attention
/// under one on each side, so S* is taken diagonal without loss of generality: a target is given by its eigenvalues, or
/// singular values (of either sign) with cross-attention.
template <class Real>
struct Data {
  base::Matrix<Real> X;  ///< (nT)×d, iid N(0,1); the T rows of one sequence are adjacent
  base::Matrix<Real> Y;  ///< (nT2)×d, the keys of cross-attention; empty with self-attention, where X has both
  /// n × T2(T2+1)/2, ⟨y_b, y_c⟩/d of the keys of each sequence, b ≤ c: what a loss of output sequences weighs residuals
  /// with (token_products); empty for one of attention.
  base::Columns<Real> products = {};
  base::Columns<Real> labels;  ///< n × label_count (outputs.h), made from the noisy scores h* + √Δ Ξ
  /// The processes that hold one training set together, each its share of the n sequences; null if this one holds all.
  base::Communicator* communicator = nullptr;

  /// Returns the rows on the right of S: Y, or X with self-attention.
  const base::Matrix<Real>& keys() const { return Y.size() > 0 ? Y : X; }
};

/// Draws the training set of (seed, instance), or the share of it that this process has (sharding.h). A sequence has
/// the same values whichever process draws it; float and double draws agree to rounding.
template <class Real>
Data<Real> draw_data(const model::Problem& problem, std::span<const double> target_eigenvalues, std::uint64_t seed,
                     std::uint64_t instance, base::Communicator* communicator = nullptr);

/// Computes the noiseless scores h* (target_layout) of scores.rows() sequences with queries in X and keys in Y (X
/// itself with self-attention) under S* = diag(target_eigenvalues). `scaled` is scratch of the shape of Y.
template <class Real>
void target_scores(const ScoreLayout& layout, std::span<const double> target_eigenvalues, const Real* X, const Real* Y,
                   base::Matrix<Real>& scaled, base::Columns<Real>& scores);

/// Adds √Δ Ξ, Var Ξ_ab = 1 + δ_ab (1 with cross-attention), to the scores (target_layout) of sequences first, first+1,
/// … Sequence μ takes K numbers of the stream from K μ on.
template <class Real>
void add_noise(const model::Problem& problem, const base::NormalStream& stream, Eigen::Index first,
               base::Columns<Real>& scores);

/// Returns the uniform numbers in (0, 1) that draw sampled labels of sequences first, first+1, …, one per row of
/// attention; nothing for other labels. They depend on (seed, instance, sequence) alone, whatever the division of the
/// data.
base::Columns<double> label_chances(const model::Problem& problem, const base::UniformStream& stream,
                                    Eigen::Index first, Eigen::Index count);

/// Averages over fresh sequences, against noiseless labels where nothing else is said.
struct TestFigures {
  double loss = 0;        ///< ℓ, with the probabilities in place of sampled labels
  double noisy_loss = 0;  ///< the same against labels of noise Δ; with the posterior mean of such a label for bayes
  double entropy = 0;     ///< entropy of the labels; cross-entropy only
  double squared = 0;     ///< ‖label − output‖²; soft and sampled labels
  double wrong = 0;       ///< share of sequences where the student has the other sign; labels sign only
  /// What the target itself, and its multiple by ⟨S, S*⟩/‖S*‖², make of the same labels: ℓ of noiseless ones and of
  /// those of noise Δ. 0 with a posterior variance, where the student is no matrix.
  double floor = 0, aligned = 0, noisy_floor = 0, noisy_aligned = 0;
};

/// Measures the errors of S on `sequences` fresh sequences, which are drawn and forgotten block by block. `loss` is
/// that of the problem (‖σ_{β*}(h*) − σ_β(h)‖²_F, Σ_ab (h*_ab − h_ab)², …).
///
/// With posterior_variance V > 0 (student bayes) the student answers with the posterior mean of the outputs, E_Ξ σ_β(h
/// + √V Ξ), Var Ξ_ab = 1 + δ_ab, taken over kPosteriorPoints fixed Gaussian points ±ξ. So few points make the error too
/// large, by 0.1 % of itself at T = 2, β = 1 and 0.5 % at T = 4, β = 2 (measured against 2048 points); with the linear
/// head it is exact.
///
/// The sequences are divided over the processes of a communicator, all of which get the same answer.
template <class Real>
TestFigures test_figures(const model::Problem& problem, std::span<const double> target_eigenvalues,
                         const base::Matrix<double>& S, std::int64_t sequences, std::uint64_t seed,
                         std::uint64_t instance, int threads, double posterior_variance = 0,
                         base::Communicator* communicator = nullptr);

/// Returns the loss of test_figures: the test error.
template <class Real>
double test_error(const model::Problem& problem, std::span<const double> target_eigenvalues,
                  const base::Matrix<double>& S, std::int64_t sequences, std::uint64_t seed, std::uint64_t instance,
                  int threads, double posterior_variance = 0, base::Communicator* communicator = nullptr) {
  return test_figures<Real>(problem, target_eigenvalues, S, sequences, seed, instance, threads, posterior_variance,
                            communicator)
      .loss;
}

/// The number of Gaussian points in test_figures: 32 antithetic pairs.
inline constexpr int kPosteriorPoints = 64;

/// The number of rows that are worked on at a time: three such blocks (data, products, their copy in the packing buffer
/// of gemm) stay in the second-level cache at d = 200, and gemm is at its peak from 256 rows on.
constexpr int kBlockRows = 256;

/// Returns the number of sequences in a block of about kBlockRows rows (on the side that has more of them).
inline Eigen::Index block_sequences(int tokens) { return std::max(1, kBlockRows / tokens); }
inline Eigen::Index block_sequences(const model::Problem& problem) {
  return block_sequences(std::max(problem.tokens, problem.keys()));
}

}  // namespace attnlaw::experiment
