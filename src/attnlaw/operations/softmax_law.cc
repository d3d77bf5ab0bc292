#include "attnlaw/operations/softmax_law.h"

#include <fmt/format.h>

#include "attnlaw/base/fields/evidence.h"
#include "attnlaw/operations/common_options.h"

namespace attnlaw::operations {
namespace {

laws::AttentionSimulation simulate(const SoftmaxLaw::Input& input, const Run& run) {
  laws::SimulationOptions options;
  options.length = input.question.length;
  options.instances = input.instances;
  options.seed = run.seed;
  options.threads = run.threads;
  options.progress = progress_of(run, "attention");
  return laws::simulate_attention(input.question.parameters, options);
}

/// The law of orthonormal tokens is announced, its equations are proved (docs/theory/softmax_law.md, section 7).
base::Evidence evidence(const SoftmaxLaw::Question& question) {
  const bool announced =
      question.parameters.tokens == laws::TokenModel::orthonormal && question.refinement == laws::Refinement::none;
  return announced ? base::Evidence::derived : base::Evidence::heuristic;
}

}  // namespace

const base::Description& describe(const SoftmaxLaw::Question*) {
  using Q = SoftmaxLaw::Question;
  static const base::Description description{
      "a law at a number of tokens",
      {base::flat(&Q::parameters),
       base::field("refine", &Q::refinement,
                   {.doc = "law refined for T tokens: heavy tail of the entries, or small head"}),
       base::field("length", &Q::length,
                   {.symbol = "T", .doc = "T of refinement and diagnosis without a simulation"})}};
  return description;
}

const base::Description& describe(const SoftmaxLaw::Input*) {
  using I = SoftmaxLaw::Input;
  static const base::Description description{
      "a law, and what to simulate beside it",
      {base::flat(&I::question),
       base::field("simulate", &I::simulate,
                   {.symbol = "T", .doc = "simulate attention with so many tokens", .value_name = "T"}),
       base::field("instances", &I::instances, {.range = {1}, .doc = "independent weights and tokens to simulate"})}};
  return description;
}

const base::Description& describe(const SoftmaxLaw::Output*) {
  using O = SoftmaxLaw::Output;
  static const base::Description description{
      "the law, and what was simulated",
      {base::field("parameters", &O::asked, {.doc = "as given"}), base::flat(&O::result),
       base::evidence_field<O>([](const O& output) { return evidence(output.asked); })}};
  return description;
}

SoftmaxLaw::Input SoftmaxLaw::read(const nlohmann::json& options) {
  Input input;
  base::read(options, input, "options of softmax-law");
  Question& question = input.question;
  if (question.parameters.tokens == laws::TokenModel::gaussian && !options.contains("tau"))
    throw base::MissingField("tau", "T/d of gaussian tokens, a number > 0");
  if (options.contains("instances") && !input.simulate)
    throw std::invalid_argument("instances need --simulate T, a number of tokens");
  if (options.contains("length") && input.simulate)
    throw std::invalid_argument("--simulate T says what T is: leave out --length");
  question.length = input.simulate.value_or(question.length);
  laws::linear_model(question.parameters, question.refinement, question.length);
  laws::dimensions_of(question.parameters, question.length);
  return input;
}

std::vector<std::string> SoftmaxLaw::unread(const nlohmann::json& options) {
  if (options.contains("simulate")) return {};
  // The law of orthonormal tokens does not depend on d.
  return options.value("tokens", "orthonormal") == "orthonormal" ? std::vector<std::string>{"seed", "tau"}
                                                                 : std::vector<std::string>{"seed"};
}

/// With a simulation, the law is that of the ratios which its whole dimensions have.
SoftmaxLaw::Output SoftmaxLaw::run(const Input& input, const Run& run) {
  std::optional<laws::AttentionSimulation> simulation;
  if (input.simulate) simulation = simulate(input, run);
  const auto& [asked, refinement, length] = input.question;
  const laws::SoftmaxParameters parameters = simulation ? simulation->parameters : asked;
  const laws::SoftmaxLaw law(laws::linear_model(parameters, refinement, length));
  Output output{input.question,
                {parameters, law, law.density_curve(kDensityPoints), laws::marchenko_pastur_distance(law),
                 law.outlier(laws::column_strength(parameters)), laws::finite_size(parameters, length)}};
  if (simulation) output.result.measured = {laws::compare(*simulation, law), *simulation};
  return output;
}

view::Result SoftmaxLaw::show(const Output& output, const Run& run) {
  return view::show(output.result, output.asked.refinement, run.draw);
}

}  // namespace attnlaw::operations
