#pragma once
/// Predicts when the limiting law of softmax attention is visible at a finite number of tokens T
/// (docs/theory/softmax_law.md, section 6). All of this is heuristic; the tests compare it with simulations.

#include "attnlaw/laws/softmax/softmax_law.h"

namespace attnlaw::laws {

/// Returns the linear model with the noise that entries up to √T σ carry: those beyond stand out as singular values of
/// their own instead of widening the bulk. At least 1 % of the noise is kept. Throws std::invalid_argument unless T ≥
/// kLeastLength.
LinearModel truncated_tail_model(const SoftmaxParameters& parameters, int length);

/// Returns the linear model in which the orders k ≥ 2 of exp(βS) are matrices of features of dimension C(m+k−1, k), m =
/// round(T/ρ), instead of noise, as far as that makes a difference. It serves heads so small that T is not ≪ m²/2.
/// Throws std::invalid_argument unless T ≥ kLeastLength and tokens are orthonormal.
LinearModel small_head_model(const SoftmaxParameters& parameters, int length);

enum class Refinement { none, tail, head };
std::span<const base::Named<Refinement>> names_table(Refinement);

/// Returns the model of the limit, or one refined for T tokens: truncated_tail_model or small_head_model.
LinearModel linear_model(const SoftmaxParameters& parameters, Refinement refinement, int length);

/// Fewer tokens do not make a bulk.
inline constexpr int kLeastLength = 16;

/// The dimensions that T tokens stand for.
struct Dimensions {
  int head = 0;       ///< m = round(T/ρ)
  int embedding = 0;  ///< d = round(T/τ); 0 for orthonormal tokens, for which d drops out
};
const base::Description& describe(const Dimensions*);

/// Returns the dimensions. Throws as SoftmaxParameters::validate, and unless T ≥ kLeastLength and T/ρ and T/τ round to
/// 1 or more.
Dimensions dimensions_of(const SoftmaxParameters& parameters, int length);

/// Says how far T tokens are from the limit.
struct FiniteSize {
  int length = 0;
  Dimensions dimensions;

  /// The share of the variance that entries beyond √T σ carry.
  double tail_share = 0;
  /// The bulk follows the law for β² < ln(T)/2, and its edge does while no entry exceeds √T σ, for β < (1 − 1/√2) √(ln
  /// T). These are the T from which on that holds; they may be infinite.
  double bulk_from = 0;
  double edge_from = 0;
  bool bulk_visible = false;
  bool edge_visible = false;

  /// The mean of λ with its 1/T term, as for iid entries; NaN where e^{3β²} > T/10, beyond which the expansion says
  /// nothing.
  double mean = 0;
  /// T/D₂ with D₂ = m(m+1)/2: the second order of exp(βS) is noise where this is small.
  double second_order_ratio = 0;
  /// The Kolmogorov distances of the law from the refined ones, each a measure of one effect of finite T.
  double tail_distance = 0;
  double head_distance = 0;  ///< NaN for Gaussian tokens
  /// The Kolmogorov distance to expect between the singular values at T and the law: a formula fitted to simulations at
  /// T = 250 to 2000, which it meets within 50 % (27 settings: the worst 46 %, half within 15 %).
  double expected_kolmogorov = 0;
};
const base::Description& describe(const FiniteSize*);

/// Measures how far T tokens are from the limit. Throws as dimensions_of.
FiniteSize finite_size(const SoftmaxParameters& parameters, int length);

}  // namespace attnlaw::laws
