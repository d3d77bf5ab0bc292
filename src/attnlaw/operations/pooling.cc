#include "attnlaw/operations/pooling.h"

#include <fmt/format.h>

#include "attnlaw/operations/common_options.h"

namespace attnlaw::operations {
namespace {

/// Reads the sequences, which set α and κ.
void read_sequences(Pooling::Input& input) {
  const std::optional<std::size_t> length = input.length ? std::optional<std::size_t>(*input.length) : std::nullopt;
  auto correlations = laws::SignCorrelations::parse(*input.profile, length);
  const std::string spec = input.weights.value_or("mean");
  std::vector<double> values = laws::parse_weights(spec, correlations);
  const laws::PoolingScalars scalars = laws::pooling_scalars(values, correlations);
  input.sequences = {*input.profile, spec, std::move(correlations), std::move(values), scalars};
  input.model.alpha_pool = scalars.alpha;
  input.model.kappa_pool = scalars.kappa;
}

laws::PoolingExperiment simulate(const Pooling::Input& input, const Run& run) {
  laws::PoolingExperimentOptions options;
  options.d = static_cast<std::size_t>(*input.d);
  options.instances = input.instances;
  options.centred = !input.uncentred;
  options.fixed_length = input.fixed_length;
  if (input.own_scores) options.own_scores = laws::attention_tau(input.sequences->weights);
  options.seed = run.seed;
  options.threads = run.threads;
  options.progress = progress_of(run, fmt::format("d = {}", options.d));
  return laws::simulate_pooling(input.model.ratios, input.model.mu2, input.sequences->correlations,
                                input.sequences->values, options);
}

view::PoolingWeights weights_of(const laws::PoolingRatios& ratios, const laws::PooledSequences& sequences) {
  view::PoolingWeights weights{sequences.values,
                               laws::compare_weights(ratios, sequences.correlations, sequences.values),
                               laws::fixed_length_excess(ratios, sequences.scalars),
                               {}};
  if (!sequences.profile.starts_with("power:")) return weights;
  const auto& profile = std::get<laws::SignCorrelations::Profile>(sequences.correlations.kind());
  weights.harmonic_crossing =
      laws::harmonic_crossing(profile.r.front(), profile.r.size()).value_or(std::numeric_limits<double>::quiet_NaN());
  return weights;
}

}  // namespace

const base::Description& describe(const Pooling::Input*) {
  using I = Pooling::Input;
  static const base::Description description{
      "a model by its scalars, or by sequences and weights",
      {base::flat(&I::model),
       base::field("profile", &I::profile,
                   {.doc = "instead of α and κ, how positions carry the signal: power:R0,B, markov:RHO or file:PATH",
                    .value_name = "SPEC"}),
       base::field(
           "weights", &I::weights,
           {.doc = "mean, harmonic, attention:TAU, optimal or file:PATH", .otherwise = "mean", .value_name = "SPEC"}),
       base::field("length", &I::length,
                   {.symbol = "L",
                    .range = {1},
                    .doc = "L, tokens of a sequence",
                    .otherwise = "required with --profile unless a file gives it"}),
       base::field("d", &I::d, {.symbol = "d", .range = {2}, .doc = "simulate at this dimension"}),
       base::field("instances", &I::instances, {.range = {1}, .doc = "vocabularies to draw"}),
       base::field("uncentred", &I::uncentred, {.doc = "do not subtract the mean of the pooled vectors"}),
       base::field("fixed_length", &I::fixed_length,
                   {.doc = "also the bulk of sequences of just this length, and its distance"}),
       base::field("own_scores", &I::own_scores,
                   {.doc = "simulate attention:TAU with the scores of each sequence, not their limit"})}};
  return description;
}

Pooling::Input Pooling::read(const nlohmann::json& options) {
  Input input;
  base::read(options, input, "options of pooling");
  const auto given = [&](const char* name) { return options.contains(name); };
  const bool sequences = input.profile.has_value();
  refuse(input.uncentred && !sequences, "--uncentred needs --profile and --weights: their sum sets the mean");
  refuse(input.fixed_length && !sequences,
         "--fixed-length needs --profile and --weights: the law depends on each of them");
  refuse((input.weights || input.length) && !sequences, "--weights and --length need --profile beside them");
  refuse(sequences && (given("alpha_pool") || given("kappa_pool")),
         "--alpha-pool and --kappa-pool follow from --profile and --weights: leave them out");
  refuse(given("instances") && !input.d, "--instances needs --d, a dimension to simulate at");
  refuse(input.own_scores && !input.d, "--own-scores needs --d, a dimension to simulate at");
  refuse(input.d && !sequences, "--d needs --profile: what sequences to draw");
  if (!sequences && !given("alpha_pool"))
    throw base::MissingField("alpha_pool", "a number >= 0 (or --profile and --weights)");
  if (sequences) read_sequences(input);
  laws::require_valid(input.model);
  if (input.own_scores) laws::attention_tau(input.sequences->weights);
  return input;
}

std::vector<std::string> Pooling::unread(const nlohmann::json& options) {
  return options.contains("d") ? std::vector<std::string>{} : std::vector<std::string>{"seed"};
}

Pooling::Output Pooling::run(const Input& input, const Run& run) {
  Output outcome;
  const laws::PoolingRatios& ratios = input.model.ratios;
  outcome.prediction = laws::predict_pooling(input.model);
  outcome.density = laws::pooling_density(ratios, input.model.kappa_pool, kDensityPoints);
  outcome.sequences = input.sequences;
  if (!input.sequences) return outcome;
  const laws::PooledSequences& sequences = *input.sequences;
  if (input.fixed_length) {
    const laws::FixedLengthLaw law = laws::fixed_length_law(ratios, sequences.values);
    outcome.fixed_length = {law, laws::fixed_length_distance(law, ratios, input.model.kappa_pool)};
  }
  outcome.weights = weights_of(ratios, sequences);
  if (input.uncentred) outcome.nuisance = laws::nuisance_spike(ratios, sequences.scalars);
  if (input.d) outcome.experiment = simulate(input, run);
  return outcome;
}

view::Result Pooling::show(const Output& output, const Run& run) { return view::show(output, run.draw); }

}  // namespace attnlaw::operations
