#pragma once
/// How well the posterior predicts the label of a fresh sequence (docs/theory/bayes_optimal.md, section 5).

#include <cstddef>

#include "attnlaw/model/problem.h"

namespace attnlaw::theory {

/// Squared errors against the noiseless label, summed over the T² entries of a sequence.
struct LabelErrors {
  double posterior_mean = 0;                 ///< of E[y | data], the least possible
  double plug_in = 0;                        ///< of the label of the posterior mean of S*
  double posterior_mean_sampling_error = 0;  ///< standard error over independent scrambles; 0 for quadrature
  double plug_in_sampling_error = 0;
  std::size_t points = 0;  ///< quasi-Monte Carlo points, 0 for quadrature and closed forms
};

/// Each normalised score of a fresh sequence is N(ω, V) given the data, ω ~ N(0, q). q ≥ 0, V ≥ 0. Closed forms
/// (linear, hardmax), quadrature to 1e-12 (softmax, T = 2), or quasi-Monte Carlo until two standard errors are below
/// `accuracy` of the values, with at most 2^16 points in each of 8 scrambles (softmax, T ≥ 3).
LabelErrors label_errors(const model::Problem& problem, double q, double V, double accuracy);

}  // namespace attnlaw::theory
