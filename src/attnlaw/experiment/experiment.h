#pragma once
/// Runs the same Problem at finite d: draws data, trains, and measures errors of several independent instances.
///
/// ```cpp
/// #include <cstdio>
///
/// #include "attnlaw/experiment/experiment.h"
///
/// attnlaw::model::Problem problem;
/// problem.alpha = 0.5;
/// attnlaw::experiment::Options options;
/// options.d = 20;
/// options.instances = 4;
/// options.seed = 1;
/// const attnlaw::experiment::Experiment experiment = attnlaw::experiment::run(problem, options);
/// std::printf("%lld sequences, test error %.4f ± %.4f\n", static_cast<long long>(experiment.n), experiment.mean.test,
///             experiment.standard_error.test);
/// ```

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attnlaw/base/communicator.h"
#include "attnlaw/base/describe.h"
#include "attnlaw/base/memory.h"
#include "attnlaw/base/names.h"
#include "attnlaw/model/problem.h"
#include "attnlaw/model/spectral_start.h"
#include "attnlaw/model/test_parts.h"

namespace attnlaw::experiment {

using base::name;

enum class Trainer {
  lbfgs,  ///< L-BFGS on W (untied: on W_Q and W_K), or on S of the direct students; the fastest
  adam,   ///< full-batch Adam on the same
  fista,  ///< accelerated proximal gradient on S
  gamp    ///< generalised approximate message passing
};
std::span<const base::Named<Trainer>> names_table(Trainer);

/// Returns the trainers that serve the student of a problem: all of them for tied of full width and for untied in
/// cross-attention, lbfgs and adam for tied of smaller width, all but gamp for the direct students, for untied in
/// self-attention and with a custom loss, gamp alone for bayes, fista alone with a custom penalty.
std::vector<Trainer> trainers_for(const model::Problem& problem);

struct Instance;

/// Says where training begins.
enum class Initialisation {
  random,   ///< the trainer's own: random W, S = 0 (fista and direct students), the prior mean (bayes)
  spectral  ///< the first estimate that labels give (spectral_start.h)
};
std::span<const base::Named<Initialisation>> names_table(Initialisation);

/// The precision of data and products; sums and optimiser state are double either way.
enum class Precision { single_, double_ };
std::span<const base::Named<Precision>> names_table(Precision);

/// What the square loss of softmax rows compares.
enum class Outputs {
  attention,  ///< rows of attention, ‖y − σ_β(h)‖²: the loss of the problem
  sequences  ///< what the layer puts out, ‖(y − σ_β(h)) X‖²/d (keys Y with cross-attention): the same where XXᵀ/d = I
};
std::span<const base::Named<Outputs>> names_table(Outputs);

/// Says how a student is trained.
struct TrainerOptions {
  Trainer trainer = Trainer::lbfgs;
  Initialisation initialisation = Initialisation::random;
  Precision precision = Precision::single_;
  double tolerance = 0;        ///< KKT residual to reach; 0 means default_tolerance
  int max_iterations = 20000;  ///< after which the trainer stops with converged = false
  double rate = 0;             ///< of adam at the beginning; 0 means 0.05
  /// Adam keeps its rate and stops, converged, where one iteration changes Σ_μ ℓ plus penalty by less, however large
  /// the KKT residual is there; 0: it lowers its rate and stops at the tolerance. Not with a tolerance of its own.
  double stop_change = 0;
  Outputs outputs = Outputs::attention;  ///< test errors are of attention with either
};
const base::Description& describe(const TrainerOptions*);

struct Options : TrainerOptions {
  int d = 100;                             ///< embedding dimension
  int instances = 4;                       ///< number of independent (target, data, initial weights)
  bool one_target = false;                 ///< all of the same target, that of instance 0
  std::uint64_t first_instance = 0;        ///< number of the first one
  std::uint64_t seed = 0;                  ///< with the instance number, keys every random number
  int threads = 0;                         ///< 0: all available; results have the same bits for any number
  std::function<void(int, int)> progress;  ///< called as progress(done, total) after each instance, one call at a time
  /// Called with each instance and its student S (d × d, row by row), from the thread that trained it, once everything
  /// is measured. The basis is that in which S* is diagonal, in the order of Instance::target_eigenvalues.
  std::function<void(const Instance& instance, std::span<const double> S)> trained;
  /// Processes among which the sequences of every instance are divided. All of them must call run with the same
  /// arguments, and get the same result except `seconds`. Null means this process alone.
  base::Communicator* communicator = nullptr;
  int processes_here = 1;  ///< ranks of the communicator on this machine, which share its memory
  /// An interruption ends the run with the instances that have ended; with base::Interrupted if there are none.
  bool keep_ended = false;
};
/// Describes `instances` and how they are trained; users of Options add d, seed and threads in their own way.
const base::Description& describe(const Options*);

/// Returns 1e-5 in double and 1e-6/λ, at least 2e-4 and at most 0.1, in single precision: there rounding leaves an
/// error of up to 1e-6 in B/d, and the residual is relative to λ. The errors of a student trained to it differ from the
/// double ones by about 1e-5 of themselves for λ ≥ 0.005, 1e-4 at λ = 1e-3 and 1e-3 at λ = 1e-4 (README.md), far less
/// than the finite-size effects of order 1/d.
double default_tolerance(Precision precision, double lambda);

/// The results of one instance, or their averages over instances, in the notation of docs/theory/erm.md section 1.
struct Measurements {
  double q = 0;        ///< ‖S_s‖²_F/d of the symmetric part S_s = (S + Sᵀ)/2; ‖S‖²_F/d with cross-attention
  double q_a = 0;      ///< ‖(S − Sᵀ)/2‖²_F/d; 0 for symmetric students and with cross-attention
  double m = 0;        ///< ⟨S, S*⟩/d
  double Q_star = 0;   ///< ‖S*‖²_F/d
  double nuclear = 0;  ///< ‖S‖_*/d; Tr S/d where S ⪰ 0
  double train = 0;    ///< loss per sequence, without penalty; NaN for bayes, where nothing is minimised
  double test = 0;     ///< loss per fresh sequence against noiseless labels (sampled: their probabilities); of the
                       ///< posterior mean for bayes
  double test_noisy = 0;  ///< the same against labels that have the noise of those trained on
  double estimation = 0;  ///< ‖S − S*‖²_F/d = Q* − 2m + q + q_a; NaN for sign labels, which hide the scale of S*
  double objective = 0;  ///< per d²: α·train + λ Tr S/d (tied), λ‖S‖_*/d (untied) or λ‖S‖²_F/d (direct); NaN for bayes
  double kkt = 0;  ///< kkt_residual of the trained student; for bayes the residual of the iteration (gamp.h)
  double iterations = 0;
  double seconds = 0;  ///< wall time of data, training and test
  /// Losses beside the one trained on (docs/theory/losses.md); NaN where they have no meaning. With cross-entropy,
  /// `excess` is its amount above the entropy of the labels, and `squared` is Σ_ab (y_ab − σ_β(h)_ab)²; both exist on
  /// training data for soft labels only. With sign labels, `sign_error` is the share of fresh sequences with the wrong
  /// sign.
  double excess_train = 0, excess_test = 0, squared_train = 0, squared_test = 0, sign_error = 0;
  /// test and test_noisy by their origin, on the same fresh sequences; NaN for bayes and where `estimation` is.
  model::TestParts test_parts, noisy_parts;
};

/// One iteration of gamp.
struct Iterate {
  double q = 0, m = 0;    ///< overlaps of the current S
  double V = 0;           ///< the V of the iteration; for bayes an estimate of `estimation`
  double estimation = 0;  ///< ‖S − S*‖²_F/d
};

/// A spectral start as measured, and its prediction for d → ∞ from the eigenvalues of the target drawn.
struct Start {
  model::SpectralStart measured, predicted;
};

struct Instance : Measurements {
  std::uint64_t seed = 0;                  ///< the instance number: with Options::seed it keys all random numbers
  bool converged = false;                  ///< kkt ≤ tolerance; with stop_change a step below it, at any kkt
  std::vector<double> target_eigenvalues;  ///< descending; singular values with cross-attention
  std::vector<double> eigenvalues;         ///< of S (of its symmetric part), descending; none with cross-attention
  std::vector<double> singular_values;     ///< of S, descending, unless S is symmetric
  /// vᵀ S* v of the eigenvectors v of S, in the order of `eigenvalues`; of discrete targets, without cross-attention.
  std::vector<double> along_target;
  /// Squared overlaps of the k-th left and right singular vectors of S with the singular vectors of S* of its k-th
  /// singular value; cross-attention only.
  std::vector<double> left_overlaps, right_overlaps;
  std::vector<Iterate> trajectory;  ///< the iterates of gamp, in order; empty for other trainers
  std::optional<Start> start;       ///< the start that Initialisation::spectral made

  /// Returns the eigenvalues of S, or its singular values with cross-attention, descending.
  const std::vector<double>& spectrum() const { return eigenvalues.empty() ? singular_values : eigenvalues; }
};

struct Experiment {
  model::Problem problem;
  int d = 0;
  std::int64_t n = 0;
  std::vector<Instance> instances;
  Measurements mean;
  Measurements standard_error;  ///< over instances, with n−1; NaN for one instance

  /// Tells whether every instance reached the tolerance.
  bool converged() const;
};

using base::MemoryError;

/// Trains and measures all instances. Throws std::invalid_argument, before any work, for a problem or options out of
/// range; among them are lambda 0+, optimal or edge (an experiment needs a number), head hardmax, and trainers outside
/// trainers_for(problem), or that do not serve Outputs::sequences. Throws MemoryError before allocating more than there
/// is.
Experiment run(const model::Problem& problem, const Options& options);

/// Throws what run would throw for bad arguments and memory, without running.
void require_feasible(const model::Problem& problem, const Options& options);

/// Returns the peak memory of run in bytes: target, data and trainer state of all instances that are worked on at the
/// same time; 2^64 − 1 if it is more than that. With a communicator it is that of this process, which holds its share
/// of the data.
std::uint64_t bytes_needed(const model::Problem& problem, const Options& options);

const base::Description& describe(const Measurements*);
const base::Description& describe(const Iterate*);
const base::Description& describe(const Start*);
const base::Description& describe(const Instance*);

}  // namespace attnlaw::experiment
