#pragma once
/// Provides built-in targets of white Gaussian inputs for layer-wise spectral filtering, with the exact laws of their
/// weights (docs/theory/lofi.md, section 3).

#include <Eigen/Core>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attnlaw/laws/filtering/law.h"

namespace attnlaw::laws {

/// A function y of a few coordinates s = Ux of x ~ N(0, I_d), and the weight T(y) that its operator uses.
class LofiTarget {
 public:
  enum class Kind {
    square,     ///< y = s², T = min(y − 1, 2)
    parity,     ///< y = sign(s₁ s₂), T = y
    sine,       ///< y = sin(ωh), h a quadratic form of r directions with a_j = ±1 in turn, T = y − E y
    staircase,  ///< y = tanh h, a_j = ±j^{−γ} in turn
    leap,       ///< y = tanh(h₁(1 + h₂)), two forms of r directions each: the second is seen through y ĥ₁ only
    attention   ///< y = softmax(βh) of two tokens, h_ab = s_a s_b − δ_ab, T = (y + yᵀ)/2 − 1/2 (2×2)
  };

  /// Reads "square", "parity", "parity-optimal" (T = 1 − 1/E[G²|y]), "sine:R,OMEGA", "staircase:R,GAMMA", "leap:R",
  /// "shared:P" (sine:P,1.5 with a_j = 1: one filter on P patches, which a fully connected layer sees as P directions),
  /// "shared-filter:P" (the same target, its P patches given as tokens), "attention:BETA". Throws std::invalid_argument
  /// for any other text.
  static LofiTarget parse(const std::string& text);

  Kind kind() const { return kind_; }
  const std::string& spec() const { return spec_; }
  /// Returns the number of tokens of a sample, each in R^d and with the same relevant directions; 1 for targets of
  /// vectors.
  int tokens() const { return tokens_; }
  /// Returns the number of labels of a sample: tokens² for attention, else 1.
  int outputs() const { return kind_ == Kind::attention ? tokens_ * tokens_ : 1; }
  /// Returns the number of relevant directions (of a token), those of both forms for leap.
  int relevant() const { return relevant_; }
  /// Returns how many of these weights T(y) can see: those of the first form.
  int first_group() const { return kind_ == Kind::leap ? relevant_ / 2 : relevant_; }
  /// Returns the coefficients a_j of a form; empty for square, parity and attention.
  const std::vector<double>& coefficients() const { return a_; }

  /// Computes the labels y of a sample whose relevant coordinates are s, token by token.
  void label(std::span<const double> s, std::span<double> y) const;
  /// Returns T(y) of an entry of the label.
  double weight(double y) const;
  /// Returns y as a function of the forms (only leap reads h₂). Targets square, parity and attention have none.
  double link(double h1, double h2) const;

  /// Returns the law of T; for attention that of an eigenvalue of T, which weights the token that its eigenvector
  /// makes.
  const WeightLaw& weights() const { return weights_; }
  const RelevantMoments& moments() const { return moments_; }
  /// Returns the share of the label's variance that a kernel of degree 2 can learn: (E[yh])²/Var y of the first form, 1
  /// for square, (2/π)² for parity; NaN for attention.
  double linear_share() const { return linear_share_; }

 private:
  LofiTarget() = default;
  void set_square_law();
  void set_parity_law();
  void set_attention_law();
  void set_forms(std::string_view name, std::span<const std::string_view> fields);
  void set_form_law();
  void set_leap_law();

  std::string spec_;
  Kind kind_ = Kind::square;
  int relevant_ = 1;
  int tokens_ = 1;
  bool optimal_ = false;
  double parameter_ = 0;   ///< ω, γ or β
  std::vector<double> a_;  ///< the coefficients of one form
  double mean_ = 0;        ///< the mean of y
  WeightLaw weights_{Eigen::ArrayXd::Ones(1), Eigen::ArrayXd::Ones(1)};
  RelevantMoments moments_;
  double linear_share_ = 0;
};

/// The law of the weights of the leap step, t' = clip(y h₁/√Var y, ±2) − mean with h₁ known, and the moments of the
/// second group.
struct LeapLaw {
  WeightLaw weights;
  RelevantMoments moments;
};
LeapLaw leap_law(const LofiTarget& target);
/// Returns t' for labels y and estimated h₁, both of unit variance, centred on the sample.
Eigen::ArrayXd leap_weights(const Eigen::ArrayXd& y, const Eigen::ArrayXd& h);

/// Returns the test error over Var y of the best function of ĥ = Σ_j λ_j(ŝ_j² − 1), ŝ_j = √ρ_j s_j + √(1−ρ_j) z_j with
/// independent noise z: depth 2 leaves this when direction j is found with squared overlap ρ_j (0: not used) and
/// weighted by λ_j. It is measured on 2¹⁸ fixed samples in 512 bins, to about 0.003. Throws std::invalid_argument
/// unless the target is sine or staircase.
double depth_two_error(const LofiTarget& target, std::span<const double> overlaps, std::span<const double> lambdas);

}  // namespace attnlaw::laws
