#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "attnlaw/base/instances.h"
#include "attnlaw/laws/filtering/data.h"
#include "attnlaw/view/lofi.h"
#include "commands.h"
#include "legacy_progress.h"
#include "output.h"

namespace attnlaw::legacy {

using namespace view;
namespace {

LofiDataOutcome filter_data(const LofiArguments& arguments) {
  const laws::LabelledSamples samples = laws::read_labelled(arguments.data, arguments.labels, arguments.tokens);
  const int test = arguments.test > 0 ? arguments.test : static_cast<int>(samples.size() / 5);
  const laws::Split split = laws::split_samples(samples, test);
  const auto weights = laws::data_weights(split.train, arguments.options.clip);
  LofiDataOutcome outcome{arguments.data,    split.train.size(),       test,
                          samples.tokens,    samples.x.cols(),         static_cast<int>(samples.y.cols()),
                          samples.attention, arguments.options.filter, {}};
  outcome.result = laws::run_lofi(split.train, split.test, weights, arguments.options);
  return outcome;
}

LofiRun run_at(const LofiArguments& arguments, const laws::LofiTarget& target, int n) {
  constexpr int kTest = 10000;
  LofiRun run{n, laws::predict_lofi(target, arguments.d, n), {}};
  const int test = arguments.test > 0 ? arguments.test : kTest;
  Progress progress(fmt::format("n = {}", n), arguments.common.quiet);
  run.instances = base::run_instances(
      arguments.instances, arguments.common.threads,
      [&](std::size_t i) { return laws::measure_lofi(target, arguments.d, n, test, i, arguments.options); },
      [&](int done, int total) { progress.update(done, total); });
  return run;
}

LofiTargetOutcome filter_target(const LofiArguments& arguments) {
  LofiTargetOutcome outcome{laws::LofiTarget::parse(arguments.target), arguments.d, {}};
  for (const int n : arguments.n) outcome.runs.push_back(run_at(arguments, outcome.target, n));
  return outcome;
}

template <class Outcome>
int show(const LofiArguments& arguments, const Outcome& outcome) {
  Result result{lofi_tables(outcome), to_json(outcome), lofi_rows(outcome), warnings(outcome),
                report_note(arguments.html)};
  result.document["schema"] = "attnlaw/2";
  result.document["command"] = "lofi";
  if (!arguments.html.empty()) write_page(arguments.html, lofi_page(outcome), result.warnings);
  emit(arguments.common, result);
  return 0;
}

}  // namespace

int run(const LofiArguments& given) {
  require_outputs(given.common, given.html);
  LofiArguments arguments = given;
  arguments.options.filter.density = !arguments.html.empty();
  return arguments.data.empty() ? show(arguments, filter_target(arguments)) : show(arguments, filter_data(arguments));
}

}  // namespace attnlaw::legacy
