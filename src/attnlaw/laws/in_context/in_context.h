#pragma once
/// Predicts how well a linear attention layer, trained on sequences of regression tasks, regresses in context: on new
/// tasks, and on those it was trained on (docs/theory/in_context_learning.md).
///
/// ```cpp
/// #include <cstdio>
///
/// #include "attnlaw/laws/in_context/in_context.h"
///
/// attnlaw::laws::InContextModel model;
/// model.context = 10;   // l/d
/// model.tasks = 0.5;    // k/d
/// model.sequences = 3;  // n/d²
/// model.noise = 0.1;
/// model.lambda = 0.01;
/// const attnlaw::laws::InContextPrediction prediction = attnlaw::laws::predict_in_context(model);
/// std::printf("new tasks %.4f, training tasks %.4f\n", prediction.new_tasks, prediction.training_tasks);
/// ```

#include <optional>

#include "attnlaw/base/describe.h"
#include "attnlaw/base/names.h"
#include "attnlaw/laws/in_context/tasks.h"

namespace attnlaw::laws {

/// Sequences of l pairs (x_i, y_i = ⟨x_i, w⟩ + √ρ ε_i), x_i ~ N(0, I/d), whose task w is one of k that were drawn from
/// N(0, C), and a query whose label a linear attention layer predicts after ridge regression on n such sequences.
struct InContextModel {
  double context = 1;    ///< α = l/d from 1e-12 to 1e12, or infinite; the same range holds for κ and τ
  double tasks = 1;      ///< κ = k/d
  double sequences = 1;  ///< τ = n/d²
  double noise = 0;      ///< ρ, the variance of the noise of a label: 0 or as eigenvalues of task covariances
  double lambda = 0;     ///< λ from 1e-100 to 1e100, or 0: the limit λ → 0+
  TaskCovariance covariance;
  /// Of new tasks; those of training unless given.
  std::optional<double> test_context, test_noise;
  std::optional<TaskCovariance> test_covariance;

  double context_of_test() const { return test_context.value_or(context); }
  double noise_of_test() const { return test_noise.value_or(noise); }
  const TaskCovariance& covariance_of_test() const { return test_covariance ? *test_covariance : covariance; }
  /// Returns x = (tr C/d + ρ)/α, the variance that a finite context adds to what the layer sees of a task.
  double context_noise() const { return (covariance.mean() + noise) / context; }
  double context_noise_of_test() const { return (covariance_of_test().mean() + noise_of_test()) / context_of_test(); }
};
const base::Description& describe(const InContextModel*);

/// Throws std::invalid_argument that names the value out of range; also for an infinite context where the limit λ → 0+
/// leaves directions without data.
void require_valid(const InContextModel& model);

/// The parts of an error, which they sum up to.
struct InContextParts {
  double noise = 0;      ///< of the label itself
  double unseen = 0;     ///< bias: directions that no training task has
  double shrinkage = 0;  ///< bias: the layer answers with less than the task in directions that it has seen
  double context = 0;    ///< noise of a finite context that passes through the layer
  double variance = 0;   ///< of the trained matrix, from finitely many sequences
};
const base::Description& describe(const InContextParts*);

/// What others would do with the same context.
struct InContextBaselines {
  double nothing = 0;          ///< new tasks, answering 0
  double ridge = 0;            ///< new tasks, the posterior mean for the prior N(0, C) of the test
  double memory_new = 0;       ///< new tasks, the posterior mean over the training tasks, d → ∞
  double memory_training = 0;  ///< the same on the training tasks
};
const base::Description& describe(const InContextBaselines*);

/// Where a layer stands between the two solutions.
enum class InContextPhase {
  generalises,  ///< of what the ridge explains of new tasks, it explains half or more
  memorises,    ///< it does not, but explains half of what can be explained of its training tasks
  neither
};
std::span<const base::Named<InContextPhase>> names_table(InContextPhase);

struct InContextPrediction {
  InContextModel model;
  double new_tasks = 0;       ///< test error on tasks that it has never seen; infinite at n = d², λ → 0+
  double training_tasks = 0;  ///< test error on new sequences of its training tasks
  double train = 0;           ///< error on the training sequences, without penalty
  double ridge = 0;           ///< ξ, the effective regularisation
  double variance = 0;        ///< V = ‖G − Ḡ‖²_F/d, what finitely many sequences add to the trained matrix
  double trace = 0;           ///< tr G/d of the trained matrix
  double squared_norm = 0;    ///< ‖G‖²_F/d
  double distance = 0;        ///< ‖G − I‖²_F/d
  double gap_number = 0;      ///< singular values of G have a gap at 0 if this is < 1; C = I only, else NaN
  InContextParts new_parts, training_parts;
  InContextBaselines baselines;

  /// Returns the part of what the ridge explains of new tasks that the layer explains: 1 is as good, 0 as answering 0.
  double generalisation() const;
  /// Returns the part of all that is no noise of the labels that it explains of its training tasks.
  double memorisation() const;
  InContextPhase phase() const;
};
const base::Description& describe(const InContextPrediction*);

/// Predicts by closed forms and one scalar root. Throws std::invalid_argument as require_valid.
InContextPrediction predict_in_context(const InContextModel& model);

/// Which error a λ is to make least. As options and documents name them: optimal, optimal-training.
enum class InContextTest { new_tasks, training_tasks };
std::span<const base::Named<InContextTest>> names_table(InContextTest);

/// Returns the λ ≥ 0 of least error of the model, whose own λ is not read; 0 if the limit λ → 0+ is best. Where the
/// limit is best but has no formula (infinite contexts without noise, fewer tasks than directions) it is a λ so small
/// that the error is that of the limit in all digits. It is looked for on a logarithmic grid, which is followed beyond
/// an end that is best, then refined, as nobody has proved that there is one minimum.
double optimal_lambda(InContextModel model, InContextTest test);

}  // namespace attnlaw::laws
