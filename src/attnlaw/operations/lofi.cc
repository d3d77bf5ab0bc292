#include "attnlaw/operations/lofi.h"

#include <fmt/format.h>

#include "attnlaw/base/interrupted_work.h"
#include "attnlaw/laws/filtering/data.h"
#include "attnlaw/operations/interruption.h"

namespace attnlaw::operations {
namespace {

constexpr int kTest = 10000;   ///< test samples of a target
constexpr int kTestShare = 5;  ///< one of so many samples of data is for the test

view::LofiDataOutcome filter_data(const Lofi::Input& input, const laws::LofiOptions& options) {
  const laws::LabelledSamples samples = laws::read_labelled(input.data, input.labels, input.tokens.value_or(0));
  const int test = input.test.value_or(static_cast<int>(samples.size() / kTestShare));
  const laws::Split split = laws::split_samples(samples, test);
  const auto weights = laws::data_weights(split.train, options.clip);
  return {input.data,        split.train.size(), test,
          samples.tokens,    samples.x.cols(),   static_cast<int>(samples.y.cols()),
          samples.attention, options.filter,     laws::run_lofi(split.train, split.test, weights, options)};
}

/// One draw. Its directions are left out: those of random coordinates say nothing.
laws::LofiMeasurement measure(const Lofi::Input& input, const laws::LofiOptions& options,
                              const laws::LofiTarget& target, int n, std::size_t instance) {
  laws::LofiMeasurement measured =
      laws::measure_lofi(target, input.d, n, input.test.value_or(kTest), instance, options);
  for (auto* layer : {&measured.result.first, measured.result.leap ? &*measured.result.leap : nullptr})
    if (layer)
      for (laws::LofiFeature& feature : layer->features) feature.direction.resize(0);
  return measured;
}

/// With the draws that have ended if it is interrupted.
view::LofiRun run_at(const Lofi::Input& input, const laws::LofiOptions& options, const laws::LofiTarget& target, int n,
                     const Run& run) {
  const auto draw = [&](std::size_t i) { return measure(input, options, target, n, i); };
  return {n, laws::predict_lofi(target, input.d, n),
          base::those_that_ended(base::run_until_interrupted(static_cast<std::size_t>(input.instances), run.threads,
                                                             draw, progress_of(run, fmt::format("n = {}", n))))};
}

Lofi::Output measure_target(const Lofi::Input& input, const laws::LofiOptions& options, const Run& run) {
  const Interruption interruption;
  view::LofiTargetOutcome outcome{laws::LofiTarget::parse(input.target), input.d, {}};
  std::size_t done = 0;
  for (const int n : input.n) {
    view::LofiRun at;
    const bool predicted = interruption.completes([&] { at = run_at(input, options, outcome.target, n, run); });
    if (!interruption.happened()) base::check_interrupt();
    if (!predicted || (interruption.happened() && at.instances.empty())) break;
    done += at.instances.size();
    outcome.runs.push_back(std::move(at));
    if (interruption.happened()) break;
  }
  if (outcome.runs.empty()) throw base::Interrupted();
  const std::size_t total = input.n.size() * static_cast<std::size_t>(input.instances);
  const bool whole = done == total && outcome.runs.size() == input.n.size();
  return {std::nullopt, std::move(outcome), whole ? "" : after(done, total, "draws")};
}

}  // namespace

const base::Description& describe(const Lofi::Input*) {
  using I = Lofi::Input;
  static const base::Description description{
      "samples, and how to filter them",
      {base::field("target", &I::target,
                   {.doc = "square, parity, parity-optimal, sine:R,OMEGA, staircase:R,GAMMA, leap:R, shared:P, "
                           "shared-filter:P or attention:BETA",
                    .value_name = "SPEC"}),
       base::field("d", &I::d, {.symbol = "d", .doc = "dimension of the inputs of a target, of its tokens"}),
       base::field("n", &I::n, {.symbol = "n", .doc = "training samples of a target, one number or several"}),
       base::field("instances", &I::instances, {.range = {0}, .doc = "draws at each n; 0: theory alone"}),
       base::field("test", &I::test,
                   {.range = {2}, .doc = "test samples", .otherwise = "10000 of a target, the last fifth of data"}),
       base::field("data", &I::data,
                   {.doc = "instead of a target: samples, one a row, .npy or lines of numbers", .value_name = "FILE"}),
       base::field(
           "labels", &I::labels,
           {.doc = "their labels, one or several a sample", .otherwise = "last column of data", .value_name = "FILE"}),
       base::field("tokens", &I::tokens,
                   {.symbol = "T", .range = {1}, .doc = "a row of data is this many tokens one after the other"}),
       base::flat(&I::options)}};
  return description;
}

const base::Description& describe(const Lofi::Output*) {
  static const base::Description description{"what was found: of data, or of a target",
                                             {base::flat(&Lofi::Output::data), base::flat(&Lofi::Output::target)}};
  return description;
}

Lofi::Input Lofi::read(const nlohmann::json& options) {
  Input input;
  base::read(options, input, "options of lofi");
  const auto given = [&](const char* name) { return options.contains(name); };
  const bool data = !input.data.empty();
  refuse(data && (given("target") || given("d") || given("n") || given("instances")),
         "--data excludes --target, --d, --n and --instances");
  refuse(given("tokens") && !data, "--tokens is for --data: the tokens of a target are its own");
  refuse(given("labels") && !data, "--labels needs --data FILE beside it");
  refuse(given("clip") && !data, "--clip is for --data: a built-in target has its own weights");
  refuse(given("lazy_lift") && !input.options.lazy, "--lazy-lift needs --lazy beside it");
  refuse(given("patches") && !input.options.published, "--patches needs --published beside it");
  return input;
}

std::vector<std::string> Lofi::unread(const nlohmann::json& options) {
  return options.value("instances", 1) != 0 ? std::vector<std::string>{} : std::vector<std::string>{"seed"};
}

Lofi::Output Lofi::run(const Input& input, const Run& run) {
  laws::LofiOptions options = input.options;
  options.filter.seed = options.seed = run.seed;
  options.filter.density = run.draw;
  if (!input.data.empty()) return {filter_data(input, options), std::nullopt, {}};
  return measure_target(input, options, run);
}

view::Result Lofi::show(const Output& output, const Run& run) {
  view::Result result = output.data ? view::show(*output.data, run.draw) : view::show(*output.target, run.draw);
  result.interrupted = output.interrupted;
  return result;
}

}  // namespace attnlaw::operations
