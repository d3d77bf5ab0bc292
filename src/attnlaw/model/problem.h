#pragma once
/// A Problem: everything that defines what is learned, from how many data, by which student.

#include <nlohmann/json.hpp>
#include <string>

#include "attnlaw/model/target.h"

namespace attnlaw::model {

/// Output nonlinearity of the attention layer.
enum class Head {
  softmax,  ///< row-wise softmax of β h, T ≥ 2 (one row of one entry is always 1)
  linear    ///< the scores h themselves, T ≥ 1
};

/// Largest T. Softmax over T tokens is an integral over 2(K − 1) = T(T+1) − 2 Gaussian coordinates, 270 at T = 16, and
/// an experiment holds α d³ T numbers: beyond, neither side gives an answer that anybody would wait for.
inline constexpr int kMaxTokens = 16;
/// Largest α and λ: ceilings that only keep counts and products finite, beyond what fits into a machine (α) and what
/// leaves anything of a student (λ) in practice.
inline constexpr double kMaxAlpha = 1e6;
inline constexpr double kMaxLambda = 1e6;

/// One learning problem in the normalisation of docs/conventions.md. Loss: squared Frobenius distance of the outputs.
/// Student: tied, full width (κ ≥ 1).
struct Problem {
  int tokens = 2;  ///< T, tokens per sequence, at most kMaxTokens
  Head head = Head::softmax;
  double alpha = 1;        ///< n/d² > 0, at most kMaxAlpha
  double lambda = 0.05;    ///< penalty λ d Tr S on the summed loss, > 0, at most kMaxLambda
  double beta = 1;         ///< inverse temperature of the student, > 0 (softmax only)
  double target_beta = 1;  ///< inverse temperature of the labels, > 0 (softmax only)
  double noise = 0;        ///< Δ ≥ 0: labels use h* + √Δ Ξ, Var Ξ_ab = 1 + δ_ab
  Target target;           ///< 0 < Q* < ∞

  /// Throws std::invalid_argument with the first value out of range and what is accepted.
  void validate() const;

  /// K = T(T+1)/2, the number of distinct scores.
  int score_count() const { return tokens * (tokens + 1) / 2; }
};

/// Both documents use the option names of the command line as keys (`target-beta` for target_beta); reading rejects
/// unknown keys and wrong types with std::invalid_argument, takes defaults for missing ones, and validates. `alpha` and
/// `lambda` are required.
nlohmann::json to_json(const Problem& problem);
Problem problem_from_json(const nlohmann::json& document);
std::string to_toml(const Problem& problem);
Problem problem_from_toml(const std::string& text);

/// The keys of a TOML problem as a JSON object, unchecked: for those who complete it before problem_from_json.
nlohmann::json json_from_toml(const std::string& text);

std::string name(Head head);
/// Throws std::invalid_argument for anything but "softmax" and "linear".
Head head_from_name(const std::string& name);

}  // namespace attnlaw::model
