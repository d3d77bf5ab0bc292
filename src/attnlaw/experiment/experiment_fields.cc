/// Describes the fields of the options and results of experiments.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/experiment/experiment.h"

namespace attnlaw::experiment {
namespace {

using base::Named;

constexpr Named<Trainer> kTrainers[] = {
    {Trainer::lbfgs, "lbfgs"}, {Trainer::adam, "adam"}, {Trainer::fista, "fista"}, {Trainer::gamp, "gamp"}};
constexpr Named<Initialisation> kInitialisations[] = {{Initialisation::random, "random"},
                                                      {Initialisation::spectral, "spectral"}};
constexpr Named<Outputs> kOutputs[] = {{Outputs::attention, "attention"}, {Outputs::sequences, "sequences"}};
constexpr Named<Precision> kPrecisions[] = {{Precision::single_, "single"}, {Precision::double_, "double"}};

}  // namespace

std::span<const Named<Trainer>> names_table(Trainer) { return kTrainers; }
std::span<const Named<Initialisation>> names_table(Initialisation) { return kInitialisations; }
std::span<const Named<Precision>> names_table(Precision) { return kPrecisions; }
std::span<const Named<Outputs>> names_table(Outputs) { return kOutputs; }

const base::Description& describe(const TrainerOptions*) {
  using T = TrainerOptions;
  static const base::Description description{
      "how a student is trained",
      {base::field("trainer", &T::trainer,
                   {.doc = "how to train",
                    .otherwise = "lbfgs; gamp for student bayes, fista with a penalty in place of the student's"}),
       base::field("init", &T::initialisation,
                   {.doc = "where to begin: as the trainer does by itself, or what labels tell at once"}),
       base::field("precision", &T::precision, {.doc = "of data and products"}),
       base::field("tolerance", &T::tolerance,
                   {.range = {0}, .doc = "KKT residual to reach", .otherwise = "1e-5 in double, see docs for single"}),
       base::field("max_iterations", &T::max_iterations, {.range = {1}, .doc = "of the trainer"}),
       base::field("rate", &T::rate,
                   {.range = {0}, .doc = "learning rate of adam at the beginning", .otherwise = "0.05"}),
       base::field("stop_change", &T::stop_change,
                   {.range = {0},
                    .doc = "adam at a constant rate, until a step changes the sum of losses and penalty by less",
                    .otherwise = "the rate falls, until the tolerance is reached"}),
       base::field("outputs", &T::outputs,
                   {.doc = "what the square loss of softmax rows compares in training: rows of attention, or the "
                           "sequences that the layer puts out"})}};
  return description;
}

const base::Description& describe(const Options*) {
  static const base::Description description{
      "experiments at one d",
      {base::field("instances", &Options::instances,
                   {.range = {1}, .doc = "independent targets and data sets at each d"}),
       base::field("one_target", &Options::one_target, {.doc = "the data sets are of one target, that of instance 0"}),
       base::inherited<Options, TrainerOptions>()}};
  return description;
}

const base::Description& describe(const Measurements*) {
  using M = Measurements;
  static const base::Description description{
      "what is measured of a trained student",
      {base::field("q", &M::q,
                   {.symbol = "q", .doc = "‖S_s‖²_F/d of the symmetric part; ‖S‖²_F/d with cross-attention"}),
       base::field("q_a", &M::q_a, {.symbol = "q_a", .doc = "‖S_a‖²_F/d of the antisymmetric part"}),
       base::field("m", &M::m, {.symbol = "m", .doc = "⟨S, S*⟩/d"}),
       base::field("Q_star", &M::Q_star, {.symbol = "Q*", .doc = "‖S*‖²_F/d of the target drawn"}),
       base::field("nuclear", &M::nuclear, {.doc = "‖S‖_*/d; Tr S/d where S ⪰ 0"}),
       base::field("train", &M::train, {.doc = "loss per training sequence, without penalty; none for student bayes"}),
       base::field("test", &M::test, {.doc = "loss per fresh sequence against noiseless labels"}),
       base::field("test_noisy", &M::test_noisy,
                   {.doc = "the same against labels with the noise of the training labels"}),
       base::field("estimation", &M::estimation,
                   {.symbol = "E", .doc = "‖S − S*‖²_F/d; none for sign labels, which hide the scale of S*"}),
       base::field("objective", &M::objective,
                   {.unit = "per d²", .doc = "α·train plus λ times Tr S, ‖S‖_* or ‖S‖²_F over d"}),
       base::field("kkt", &M::kkt, {.doc = "KKT residual of the trained student; for bayes that of the iteration"}),
       base::field("iterations", &M::iterations, {.doc = "of the trainer"}),
       base::field("seconds", &M::seconds, {.unit = "s", .doc = "wall time of data, training and test"}),
       base::field("excess_train", &M::excess_train,
                   {.doc = "cross-entropy above the entropy of the labels, on training data (soft labels only)"}),
       base::field("excess_test", &M::excess_test,
                   {.doc = "cross-entropy above the entropy of fresh noiseless labels"}),
       base::field("squared_train", &M::squared_train, {.doc = "‖y − σ_β(h)‖²_F on training data (soft labels only)"}),
       base::field("squared_test", &M::squared_test, {.doc = "‖y − σ_β(h)‖²_F on fresh sequences"}),
       base::field("sign_error", &M::sign_error, {.doc = "part of fresh sequences with the wrong sign"}),
       base::field("test_parts", &M::test_parts,
                   {.doc = "test by its origin, measured: floor + price E + amplitude; none for student bayes"})
           .nested(base::Nesting::prefixed),
       base::field("test_noisy_parts", &M::noisy_parts, {.doc = "test_noisy by its origin, measured"})
           .nested(base::Nesting::prefixed)}};
  return description;
}

const base::Description& describe(const Iterate*) {
  static const base::Description description{
      "one iteration of message passing",
      {base::field("q", &Iterate::q, {.symbol = "q", .doc = "‖S‖²_F/d of the current S"}),
       base::field("m", &Iterate::m, {.symbol = "m", .doc = "⟨S, S*⟩/d of the current S"}),
       base::field("V", &Iterate::V, {.symbol = "V", .doc = "response as the iteration estimates it"}),
       base::field("estimation", &Iterate::estimation, {.symbol = "E", .doc = "‖S − S*‖²_F/d"})}};
  return description;
}

const base::Description& describe(const Start*) {
  static const base::Description description{
      "spectral start of training",
      {base::flat(&Start::measured),
       base::field("theory", &Start::predicted, {.doc = "its theory on the target drawn, for d → ∞"})}};
  return description;
}

const base::Description& describe(const Instance*) {
  using I = Instance;
  static const base::Description description{
      "one target, one data set, one student",
      {base::field("seed", &I::seed, {.doc = "number of the instance: with the seed of the run it keys all draws"}),
       base::field("converged", &I::converged,
                   {.doc = "whether kkt reached the tolerance, or a step of adam the stop_change"}),
       base::inherited<I, Measurements>(), base::field("start", &I::start, {.doc = "with init spectral"}),
       base::field("trajectory", &I::trajectory, {.doc = "iterations of gamp, in order"}).when([](const I& instance) {
         return !instance.trajectory.empty();
       })}};
  return description;
}

}  // namespace attnlaw::experiment
