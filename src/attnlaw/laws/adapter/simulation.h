#pragma once
/// Fine-tunes at finite d: takes a pre-trained student and fresh labelled sequences, and trains an adapter by L-BFGS.

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/base/matrix.h"
#include "attnlaw/base/names.h"
#include "attnlaw/experiment/experiment.h"
#include "attnlaw/laws/adapter/lora.h"
#include "attnlaw/laws/adapter/posterior_adapter.h"
#include "attnlaw/model/target.h"

namespace attnlaw::laws {

/// A student as fine-tuning finds it, in the basis in which S* is diagonal.
struct FrozenStudent {
  std::vector<double> target_eigenvalues;
  base::Matrix<double> S;
  bool converged = true;                                    ///< whether its own training converged
  double train = std::numeric_limits<double>::quiet_NaN();  ///< its loss per training sequence; NaN: not trained
  std::optional<model::Problem> problem = std::nullopt;     ///< what it was trained on; none: not trained
};

/// Makes the student of one instance, which depends on (d, seed, instance) alone.
using Pretraining = std::function<FrozenStudent(int d, std::uint64_t seed, std::uint64_t instance)>;

/// Makes students by training on a problem of their own. Options::d, seed, instances and first_instance are replaced.
/// The function returned throws std::invalid_argument if the problem cannot be trained at its d.
Pretraining train_students(const model::Problem& problem, const experiment::Options& options = {});

/// Makes β times the students of another pre-training. Their residuals on its sequences are no longer those of
/// training.
Pretraining rescaled(Pretraining pretraining, double beta);

/// Makes students with given overlaps without training: where S_pre is calibrated (m_pre = Q_pre) and E_pre is below
/// the variance of the spectrum, the posterior mean of S* seen through Gaussian noise, else c S* + noise. Throws
/// std::invalid_argument if pretrained.Q_star is not that of the target.
Pretraining sample_students(const model::Target& target, const PretrainedOverlaps& pretrained);

/// Makes the student c S* + a Z whatever its overlaps, Z a GOE matrix with off-diagonal variance 1/d.
FrozenStudent noisy_student(const model::Target& target, double c, double a, int d, std::uint64_t seed,
                            std::uint64_t instance);

enum class AdapterStart {
  spectral,  ///< the leading eigenvector of −gradient at w = 0
  informed   ///< √ω u, the answer
};
std::span<const base::Named<AdapterStart>> names_table(AdapterStart);

struct LoraExperimentOptions {
  int d = 0;          ///< embedding dimension, ≥ 2
  int instances = 4;  ///< ≥ 1
  AdapterStart start = AdapterStart::spectral;
  double tolerance = 1e-6;    ///< the |∇L|/(λ|w|) to reach, > 0
  int max_iterations = 5000;  ///< ≥ 1; after these L-BFGS stops with converged = false
  bool posterior = false;     ///< also the posterior mean of the adapter, by message passing; see require_posterior
  std::uint64_t seed = 0;
  int threads = 0;  ///< instances at a time; 0 means all available
  std::function<void(int done, int total)> progress = {};

  void validate() const;
};
const base::Description& describe(const LoraExperimentOptions*);

struct LoraMeasurements {
  double Q_star = 0, Q_pre = 0, m_pre = 0, E_pre = 0;
  double train_pre = 0;        ///< loss per sequence of pre-training; NaN: not trained
  double omega_effective = 0;  ///< ω − uᵀ(S_pre − S*)u/√d, the strength that is left to learn
  double m = 0;                ///< |w·u|
  double q = 0;                ///< |w|²
  double alignment = 0;        ///< m²/q
  double adapter_error = 0;    ///< ‖ω u uᵀ − w wᵀ‖²_F
  double index_error = 0;      ///< T(T+1)‖S_pre + √d w wᵀ − S* − √d ω u uᵀ‖²_F/d
  double train = 0;            ///< ½‖Y − f(h)‖² per training sequence
  double test = 0;             ///< noiseless loss per fresh sequence; the index error for linear scores
  double test_noisy = 0;       ///< the same against labels with noise, of the same sequences
  double objective = 0;
  double start_alignment = 0;  ///< cos² of the start
  double gradient = 0;         ///< |∇L|/(λ|w|)
  double iterations = 0;
  /// Of the posterior mean: its squared cosine with u, and its adapter error; NaN unless asked for.
  double bayes_alignment = std::numeric_limits<double>::quiet_NaN();
  double bayes_adapter_error = std::numeric_limits<double>::quiet_NaN();
};
const base::Description& describe(const LoraMeasurements*);

struct LoraInstance : LoraMeasurements {
  std::uint64_t seed = 0;  ///< number of the instance
  bool converged = false;
  bool bayes_converged = true;  ///< whether message passing of the posterior mean did, where it was asked for
};
const base::Description& describe(const LoraInstance*);

struct LoraExperiment {
  LoraTask task;
  int d = 0;
  std::int64_t n = 0;  ///< sequences of fine-tuning
  std::vector<LoraInstance> instances;
  LoraMeasurements mean;
  LoraMeasurements standard_error;  ///< NaN for one instance

  /// Tells whether every instance did, the posterior mean included.
  bool converged() const;
};
const base::Description& describe(const LoraExperiment*);

/// Pre-trains, fine-tunes and measures all instances; the same bits for any number of threads. Throws
/// std::invalid_argument for a task or options out of range, or for reused sequences that require_reusable refuses or
/// that no student was trained on; base::MemoryError if memory does not suffice.
LoraExperiment simulate_lora(const LoraTask& task, const Pretraining& pretraining,
                             const LoraExperimentOptions& options);

/// Returns the theory of what was drawn: it takes the overlaps of pre-training and ω as the instances had them on
/// average. This removes the largest correction at finite d (docs/theory/lora.md, section 5).
LoraPrediction predict_lora(const LoraExperiment& experiment, const LoraOptions& options = {});
/// The same of the posterior mean.
LoraBayes predict_posterior(const LoraExperiment& experiment);

}  // namespace attnlaw::laws
