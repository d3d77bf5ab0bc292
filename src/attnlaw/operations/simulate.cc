#include "attnlaw/operations/simulate.h"

#include <algorithm>

#include "attnlaw/base/fields/evidence.h"
#include "attnlaw/cluster/communicator_loader.h"
#include "attnlaw/operations/experiment_options.h"
#include "attnlaw/operations/interruption.h"
#include "attnlaw/view/comparison.h"

namespace attnlaw::operations {
namespace {

using nlohmann::json;

bool one_problem(const Simulate::Output& output) { return output.one(); }
bool one_size(const Simulate::Output& output) { return output.comparisons.size() == 1; }
bool several_sizes(const Simulate::Output& output) { return output.comparisons.size() > 1; }

/// The document of a single d has the fields of its comparison at the top.
base::FieldOf<Simulate::Output> only_comparison() {
  base::FieldOf<Simulate::Output> made;
  made.type = base::type_of<study::Comparison>();
  made.nesting = base::Nesting::flat;
  made.part = [](void* object) -> void* { return &static_cast<Simulate::Output*>(object)->comparisons.front(); };
  return std::move(made).when(one_size);
}

json extrapolation_json(const Simulate::Output& output) {
  return study::to_json(output.trained.problem, study::extrapolate(output.comparisons));
}

view::ProblemCurve curve_of(const Simulate::Input& input, const Run& run) {
  if (input.d.size() > 1) study::require_extrapolable(input.d, input.experiment.instances);
  CurveRequest request{input.theory.accuracy, study::ExperimentRequest{}, run.draw};
  request.experiment->d = input.d;
  request.experiment->options = input.experiment;
  request.experiment->options.seed = run.seed;
  request.experiment->any_trainer = input.any_trainer;
  return solve_curve(input.grid, input.problem.problem, request, run);
}

/// On this process of several, or alone.
experiment::Options options_at(const Simulate::Input& input, int d, const Run& run, base::Communicator* team) {
  experiment::Options options = at_dimension(input.experiment, d, run);
  if (!team) return options;
  options.communicator = team;
  options.processes_here = cluster::launch()->local_size;
  options.threads = cluster::threads_of_rank(options.threads);
  return options;
}

/// Compares at every d, in this process alone, or until it is interrupted.
Simulate::Output compare_sizes(const Simulate::Input& input, const Run& run, Simulate::Output output) {
  const Interruption interruption;
  std::vector<study::Comparison>& known = output.comparisons;
  const auto compare = [&](int d) {
    experiment::Options options = options_at(input, d, run, nullptr);
    options.keep_ended = interruption.listens();
    announce(run, output.trained.problem, options);
    known.push_back(study::compare(output.trained.problem, options, input.theory.options()));
  };
  for (const int d : input.d)
    if (!interruption.completes([&] { compare(d); }) || interruption.happened()) break;
  // Several sizes are extrapolated, which takes two instances of each.
  if (known.size() > 1 && known.back().experiment.instances.size() < 2) known.pop_back();
  if (known.empty()) throw base::Interrupted();
  std::size_t done = 0;
  for (const study::Comparison& comparison : known) done += comparison.experiment.instances.size();
  const std::size_t total = input.d.size() * static_cast<std::size_t>(input.experiment.instances);
  if (done < total) output.interrupted = after(done, total, "instances");
  return output;
}

}  // namespace

bool Simulate::Output::converged() const {
  if (curve) return curve->converged();
  return std::all_of(comparisons.begin(), comparisons.end(), [](const auto& c) { return c.converged(); });
}

const base::Description& describe(const Simulate::Input*) {
  using I = Simulate::Input;
  static const base::Description description{
      "a problem, and the experiments on it",
      {base::flat(&I::problem), base::flat(&I::theory),
       base::field("d", &I::d,
                   {.doc = "embedding dimension, or several to extrapolate to 1/d → 0",
                    .required = true,
                    .accepts = "one embedding dimension or several, as in 40,80,120"}),
       base::flat(&I::experiment),
       base::field("distributed", &I::distributed,
                   {.doc = "divide the sequences of every experiment among the ranks of mpirun"})}};
  return description;
}

const base::Description& describe(const Simulate::Output*) {
  static const base::Description description{
      "experiments beside the theory; for several d one comparison each, and what they tend to",
      {base::figure_of<Simulate::Output>("problem", [](const Simulate::Output& o) { return o.trained.problem; },
                                         {.doc = "resolved: with the λ that was found, a number or 0+"})
           .when(one_problem),
       only_comparison(), base::flat(&Simulate::Output::curve),
       base::field("sizes", &Simulate::Output::comparisons, {.doc = "one comparison for each of several d"})
           .when(several_sizes),
       base::custom<Simulate::Output>("extrapolation", {base::Kind::object}, extrapolation_json, nullptr,
                                      {.doc = "of several d, by error: relative difference taken to 1/d → 0"})
           .when(several_sizes),
       base::figure("converged", &Simulate::Output::converged,
                    {.doc = "every instance trained and every theory solved"})
           .when(several_sizes),
       base::figure_of<Simulate::Output>(
           "verdict",
           [](const Simulate::Output& o) { return o.curve ? view::verdict(*o.curve) : view::verdict(o.comparisons); },
           {.doc = "what the differences say about the theory, one sentence"}),
       base::evidence_field<Simulate::Output>([](const Simulate::Output&) { return base::Evidence::simulated; }),
       base::figure_of<Simulate::Output>("optimal_lambda",
                                         [](const Simulate::Output& o) { return o.trained.optimal_lambda; },
                                         {.doc = "with lambda optimal"})}};
  return description;
}

Simulate::Input Simulate::read(const json& given) {
  require_tolerance(given);
  json options = given;
  ProblemGrid grid = take_grid(options);
  if (!grid.one()) refuse_along_curve(options, {"time_limit", "distributed"});
  Simulate::Input input = read_with_problem<Simulate::Input>(options, about.name);
  input.grid = std::move(grid);
  input.any_trainer = !options.contains("trainer");
  choose_trainer(options, input.problem.problem, input.experiment);
  return input;
}

Simulate::Output Simulate::run(const Simulate::Input& input, const Run& run) {
  if (!input.grid.one()) return {{}, {}, {}, false, {}, curve_of(input, run)};
  const std::unique_ptr<base::Communicator> team = input.distributed ? cluster::connect() : nullptr;
  const model::Problem& problem = input.problem.problem;
  const theory::SolveOptions options = input.theory.options();
  if (input.d.size() > 1) study::require_extrapolable(input.d, input.experiment.instances);
  for (const int d : input.d)
    experiment::require_feasible(study::with_some_lambda(problem), options_at(input, d, {}, team.get()));
  Simulate::Output output{study::resolve_lambda(problem, options), problem, {}, input.distributed && !team, {}, {}};
  if (!team) return compare_sizes(input, run, std::move(output));
  for (const int d : input.d) {
    const experiment::Options at = options_at(input, d, run, team.get());
    if (team->rank() == 0)
      output.comparisons.push_back(study::compare(output.trained.problem, at, options));
    else
      experiment::run(output.trained.problem, at);
  }
  return output;
}

view::Result Simulate::show(const Simulate::Output& output, const Run& run) {
  if (output.curve) return view::show(*output.curve, run.draw);
  view::Warnings notes;
  if (output.alone) notes.push_back("--distributed without mpirun: this process did all of the work.");
  view::Result result = view::show(output.trained, output.comparisons, output.asked, notes, run.draw);
  result.converged = output.converged();
  result.interrupted = output.interrupted;
  return result;
}

}  // namespace attnlaw::operations
