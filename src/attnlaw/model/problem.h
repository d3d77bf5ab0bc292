#pragma once
/// A Problem: everything that defines what is learned, from how many data, by which student.

#include <nlohmann/json.hpp>
#include <string>

#include "attnlaw/model/target.h"

namespace attnlaw::model {

/// Output nonlinearity of the attention layer.
enum class Head {
  softmax,  ///< row-wise softmax of β h, T ≥ 2 (one row of one entry is always 1)
  linear,   ///< the scores h themselves, T ≥ 1
  hardmax   ///< the position of the largest score of each row (β = ∞); Bayes-optimal student with T = 2 only
};

/// Who learns (docs/theory/students.md).
enum class Student {
  tied,            ///< S = W Wᵀ/√(m_h d) ⪰ 0, penalty λ d Tr S (weight decay on W)
  direct,          ///< symmetric S, penalty λ d Tr S²
  direct_general,  ///< any S, penalty λ d ‖S‖²_F
  bayes            ///< posterior mean of S*; knows the law of the target and the noise, has no penalty
};

/// How λ is given.
enum class LambdaRule {
  value,      ///< Problem::lambda
  ridgeless,  ///< "0+": the limit λ → 0 of the trained student
  optimal,    ///< "optimal": the λ of least predicted test error
  edge,       ///< "edge": the least λ that trains the noise of the bulk to zero, 2λ = 2√q̂; tied student
  none        ///< student bayes, which has no penalty
};

/// Largest T. Softmax over T tokens is an integral over 2(K − 1) = T(T+1) − 2 Gaussian coordinates, 270 at T = 16, and
/// an experiment holds α d³ T numbers: beyond, neither side gives an answer that anybody would wait for.
inline constexpr int kMaxTokens = 16;
/// Largest α and λ: ceilings that only keep counts and products finite, beyond what fits into a machine (α) and what
/// leaves anything of a student (λ) in practice.
inline constexpr double kMaxAlpha = 1e6;
inline constexpr double kMaxLambda = 1e6;

/// One learning problem in the normalisation of docs/conventions.md. Loss: squared Frobenius distance of the outputs.
struct Problem {
  int tokens = 2;  ///< T, tokens per sequence, at most kMaxTokens
  Head head = Head::softmax;
  double alpha = 1;      ///< n/d² > 0, at most kMaxAlpha
  double lambda = 0.05;  ///< penalty on the summed loss, > 0, at most kMaxLambda; read if lambda_rule is `value`
  LambdaRule lambda_rule = LambdaRule::value;
  double beta = 1;         ///< inverse temperature of the student, > 0 (softmax only)
  double target_beta = 1;  ///< inverse temperature of the labels, > 0 (softmax only)
  double noise = 0;        ///< Δ ≥ 0: labels use h* + √Δ Ξ, Var Ξ_ab = 1 + δ_ab
  Target target;           ///< 0 < Q* < ∞
  Student student = Student::tied;
  double width = 1;  ///< κ = m_h/d > 0 of the tied student; κ ≥ 1 is full width

  /// Throws std::invalid_argument with the first value out of range and what is accepted.
  void validate() const;

  /// K = T(T+1)/2, the number of distinct scores.
  int score_count() const { return tokens * (tokens + 1) / 2; }

  /// K_eff, the number of combinations of scores that a noiseless label determines: a softmax row hides its own shift,
  /// and symmetry leaves one common shift of all rows. Without a finite temperature (hardmax) none is determined.
  int observed_score_count() const;
};

/// Both documents use the option names of the command line as keys (`target-beta` for target_beta); reading rejects
/// unknown keys and wrong types with std::invalid_argument, takes defaults for missing ones, and validates. `alpha` is
/// required, and so is `lambda` (a number, "0+", "optimal" or "edge") except for the student bayes, where it is null or
/// missing.
nlohmann::json to_json(const Problem& problem);
Problem problem_from_json(const nlohmann::json& document);
std::string to_toml(const Problem& problem);
Problem problem_from_toml(const std::string& text);

/// The keys of a TOML problem as a JSON object, unchecked: for those who complete it before problem_from_json.
nlohmann::json json_from_toml(const std::string& text);

/// λ as options write it: a number, "0+", "optimal", "edge", or "none".
std::string lambda_text(const Problem& problem);

std::string name(Head head);
/// Throws std::invalid_argument for anything but "softmax", "linear" and "hardmax".
Head head_from_name(const std::string& name);
std::string name(Student student);
/// Throws std::invalid_argument for anything but "tied", "direct", "direct-general" and "bayes".
Student student_from_name(const std::string& name);

}  // namespace attnlaw::model
