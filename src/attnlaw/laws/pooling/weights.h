#pragma once
/// Defines the signal at the positions of a sequence, and the weights that pool them (docs/theory/pooling.md, sections
/// 1 and 4).

#include <Eigen/Core>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "attnlaw/base/describe.h"

namespace attnlaw::laws {

/// The class signs s_1, …, s_L = ±1 of the tokens of a sequence, with E s_l = 0 and R_kl = E[s_k s_l].
class SignCorrelations {
 public:
  /// A hidden label c = ±1, given which tokens are independent with E[s_l | c] = r_l c: R = r rᵀ + diag(1 − r_l²).
  struct Profile {
    std::vector<double> r;
  };
  /// A chain that keeps its sign with probability (1+ρ)/2: R_kl = ρ^|k−l|.
  struct Markov {
    double rho = 0;
    std::size_t length = 0;
  };
  /// Any positive semidefinite R with ones on its diagonal.
  struct General {
    Eigen::MatrixXd R;
  };
  using Kind = std::variant<Profile, Markov, General>;

  /// Throws std::invalid_argument unless there are 1 to kMostPositions positions, |r_l| ≤ 1, |ρ| ≤ 1, and R is a
  /// correlation matrix up to the rounding of a file: symmetric, positive semidefinite, with diagonal 1.
  explicit SignCorrelations(Kind kind);

  /// Reads `power:R0,B` (r_l = R0 l^−B), `markov:RHO`, or `file:PATH` with r_l, one per line, or the rows of R. The
  /// length is required unless a file gives it. Throws std::invalid_argument that names what is wrong, base::FileError
  /// if a file cannot be read.
  static SignCorrelations parse(const std::string& spec, std::optional<std::size_t> length);

  std::size_t length() const;
  Eigen::MatrixXd matrix() const;
  /// Returns wᵀ R w for as many weights as positions.
  double quadratic_form(std::span<const double> weights) const;
  const Kind& kind() const { return kind_; }

  /// More positions are refused, because the optimal weights take an eigensystem of R.
  static constexpr std::size_t kMostPositions = 2048;

 private:
  Kind kind_;
};

/// Returns r_l = r0 l^−decay for l = 1, …, length.
std::vector<double> power_profile(double r0, double decay, std::size_t length);

/// Returns L weights of 1/L each.
std::vector<double> mean_weights(std::size_t length);
/// Returns the weights of causal uniform attention whose outputs are averaged: w_l = (1/L) Σ_{j≥l} 1/j.
std::vector<double> harmonic_weights(std::size_t length);
/// Returns the weights, as d → ∞, of causal softmax attention with scores τ⟨e_k, e_l⟩/d whose outputs are averaged: w_l
/// = (1/L) [e^τ/(e^τ+l−1) + Σ_{j>l} 1/(e^τ+j−1)]. They are harmonic at τ = 0 and the mean as τ → ∞.
std::vector<double> attention_weights(std::size_t length, double tau);

/// The weights of the largest wᵀRw/‖w‖², which is λ_max(R), and that value. In a degenerate eigenspace they are the
/// vector nearest to the mean. Σ|w_l| = 1 and Σ w_l ≥ 0.
struct OptimalWeights {
  std::vector<double> weights;
  double ratio = 0;
};
OptimalWeights optimal_weights(const SignCorrelations& correlations);

/// Reads `mean`, `harmonic`, `attention:TAU`, `optimal`, or `file:PATH` with one weight per line, as many as positions.
/// Throws as SignCorrelations::parse, also for weights that are all zero.
std::vector<double> parse_weights(const std::string& spec, const SignCorrelations& correlations);

/// Returns TAU of `attention:TAU`, and 0 for `harmonic`. Throws std::invalid_argument for weights that are not those of
/// scores.
double attention_tau(const std::string& spec);

/// The scalars through which weights w enter the theory: α = wᵀRw, κ = ‖w‖², Σ w_l, and Σ w_l⁴.
struct PoolingScalars {
  double alpha = 0;
  double kappa = 0;
  double sum = 0;
  double fourth = 0;

  double ratio() const { return alpha / kappa; }
};
const base::Description& describe(const PoolingScalars*);
/// Computes the scalars. Throws std::invalid_argument for weights of another length than the correlations.
PoolingScalars pooling_scalars(std::span<const double> weights, const SignCorrelations& correlations);

/// Returns the decay b beyond which harmonic weights have a larger α/κ than the mean, for r_l = r0 l^−b; nothing if
/// there is none (L < 3 or r0 = 0). Throws std::invalid_argument unless |r0| ≤ 1 and L ≥ 1.
std::optional<double> harmonic_crossing(double r0, std::size_t length);

/// harmonic_crossing tends to this as L → ∞ for r0 ≠ 0; it solves 1/(2(1−b)⁴) = 1/(1−b)².
inline constexpr double kHarmonicCrossingLimit = 0.29289321881345254;  // 1 − 1/√2

/// Sequences as the user specified them, and what follows from that.
struct PooledSequences {
  std::string profile, weights;  ///< the specifications
  SignCorrelations correlations;
  std::vector<double> values;  ///< the weights
  PoolingScalars scalars;
};

}  // namespace attnlaw::laws
