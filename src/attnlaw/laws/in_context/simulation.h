#pragma once
/// Simulates in-context regression at finite size: draws tasks and sequences, trains the layer exactly, and measures
/// its errors beside the law of what was drawn. No error is estimated from test samples: all are exact given the layer.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/laws/in_context/finite_size.h"
#include "attnlaw/laws/in_context/in_context.h"
#include "attnlaw/laws/in_context/regression.h"

namespace attnlaw::laws {

struct InContextExperimentOptions {
  std::size_t d = 0;  ///< dimension, ≥ 2; l = round(αd) tokens, k = round(κd) tasks, n = round(τd²) sequences
  int instances = 4;  ///< number of layers, each with its own tasks and sequences, ≥ 1
  InContextSolver solver = InContextSolver::automatic;
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0 means all available
  std::function<void(int done, int total)> progress = {};
};

/// The penalty that stands for λ → 0+ in an experiment.
inline constexpr double kRidgelessPenalty = 1e-6;

struct InContextInstance {
  std::uint64_t seed = 0;               ///< number of the instance
  InContextMeasured measured, theory;   ///< theory: predict_finite_size of its own tasks
  std::vector<double> singular_values;  ///< of the trained d×d block, descending
  int iterations = 0;                   ///< of conjugate gradients
  bool converged = true;
};
const base::Description& describe(const InContextInstance*);

struct InContextExperiment {
  std::size_t d = 0, length = 0, sequences = 0;
  std::optional<std::size_t> tasks;  ///< nothing: a new task for every sequence
  InContextSolver solver = InContextSolver::normal;
  InContextModel model;  ///< with the ratios of these sizes, and the λ that was trained with
  std::vector<InContextInstance> instances;
  InContextMeasured mean, standard_error;
  InContextMeasured theory;                           ///< mean of what the law of every instance says
  InContextMeasured difference, difference_error;     ///< of measured/theory − 1, instance by instance
  std::optional<base::Estimate> kolmogorov_distance;  ///< of singular values from their law

  bool converged() const;
  /// Returns the singular values of all instances together, ascending.
  std::vector<double> singular_values() const;
};
const base::Description& describe(const InContextExperiment*);

/// Draws, trains and measures. Numbers depend on the options' seed, never on threads. Throws std::invalid_argument for
/// options out of range and sizes below 1, base::MemoryError if memory does not suffice.
InContextExperiment simulate_in_context(const InContextModel& model, const InContextExperimentOptions& options);

/// Throws what simulate_in_context would throw, before any work.
void require_feasible(const InContextModel& model, const InContextExperimentOptions& options);

/// Draws the sequences of one instance for given tasks (rows), evenly spread over them. The statistics (h, t) of a
/// context are drawn as such: Σ y_i² is a χ² number of l degrees, and given it h is Gaussian around w t/(c + ρ), so
/// that neither tokens nor labels are needed.
InContextSequences draw_sequences(const base::Matrix<double>& tasks, std::size_t sequences, std::size_t length,
                                  double noise, std::uint64_t seed, std::uint64_t instance, int threads);

/// What is measured of a layer, taken to 1/d → 0: the values there of lines in 1/d, with their standard errors.
struct InContextLimit {
  base::Estimate new_tasks, training_tasks, train, trace, squared_norm;
};
const base::Description& describe(const InContextLimit*);

struct InContextExtrapolation {
  InContextLimit difference;  ///< of measured/theory − 1, the theory that of what was drawn
  InContextLimit measured;
};
const base::Description& describe(const InContextExtrapolation*);

/// Takes experiments to 1/d → 0 by lines in 1/d. Figures are means over d² entries, so that their scatter is taken to
/// be as 1/d: one scatter for all dimensions, as two or four layers do not tell that of each. Throws
/// std::invalid_argument unless there are two or more d, each with two instances.
InContextExtrapolation extrapolate(const std::vector<InContextExperiment>& experiments);

}  // namespace attnlaw::laws
