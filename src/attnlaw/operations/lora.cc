#include "attnlaw/operations/lora.h"

#include <fmt/format.h>

#include <algorithm>

#include "attnlaw/operations/grid_options.h"

namespace attnlaw::operations {
namespace {

using nlohmann::json;

bool any_of(const json& options, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&](const char* name) { return options.contains(name); });
}

/// The problem of pre-training. Without a file, what it shares with the task is that of the task.
model::Problem read_pretraining(const json& given, const laws::LoraTask& task) {
  json options = json::object();
  if (!given.contains("problem")) {
    options = {{"tokens", task.tokens}, {"head", model::name(task.head)}, {"noise", task.noise}};
    if (given.contains("beta")) options["beta"] = options["target_beta"] = given["beta"];
  }
  for (const char* same : {"problem", "alpha", "lambda", "student", "width", "target"})
    if (given.contains(same)) options[same] = given[same];
  for (const char* own : {"tokens", "head", "noise"})
    if (const std::string name = std::string("pre_") + own; given.contains(name)) options[own] = given[name];
  options = with_problem(options);
  options.erase("problem");
  const model::Problem problem = model::problem_from_json(options);
  laws::require_symmetric_student(problem);
  return problem;
}

/// The student by its overlaps with a target.
laws::PretrainedOverlaps read_overlaps(const Lora::Pretraining& given, const model::Target& target) {
  if (target.is_product())
    throw std::invalid_argument(
        fmt::format("target must be symmetric for an adapter: wishart:KAPPA, powerlaw:..., spikes:... or file:PATH, "
                    "got {}",
                    target.spec()));
  const double Q_star = target.Q_star();
  if (given.e_pre && !(*given.e_pre >= 0 && *given.e_pre <= Q_star))
    throw std::invalid_argument(
        fmt::format("--e-pre takes a number from 0 to Q* = {} of the target, got {}", Q_star, *given.e_pre));
  const auto overlaps = given.e_pre ? laws::PretrainedOverlaps::calibrated(Q_star, *given.e_pre)
                                    : laws::PretrainedOverlaps{Q_star, *given.q_pre, *given.m_pre};
  overlaps.validate();
  return overlaps;
}

/// Throws where the sequences of pre-training cannot be those of the task.
void require_reusable(const Lora::Input& input) {
  if (input.task.sequences != laws::LoraSequences::reused) return;
  const auto refuse = [](const std::string& why) {
    throw std::invalid_argument("--sequences reused trains on the sequences of pre-training: " + why);
  };
  if (!input.problem) refuse("it needs a problem of pre-training, --alpha with --lambda");
  if (input.given.recalibrate) refuse("--recalibrate changes their residuals in a way that is not known");
  laws::require_reusable(input.task, *input.problem, input.experiment.d);
}

void resolve_pretraining(const json& options, Lora::Input& input) {
  const bool problem = any_of(options, {"alpha", "problem"});
  if (int{problem} + int{options.contains("e_pre")} + int{any_of(options, {"q_pre", "m_pre"})} != 1)
    throw std::invalid_argument(
        "what was pre-trained is given in one of three ways: --e-pre X; --q-pre X with --m-pre Y; or a problem to "
        "solve, --alpha A with --lambda L or --student bayes");
  if (options.contains("q_pre") != options.contains("m_pre"))
    throw std::invalid_argument("--q-pre and --m-pre need each other: Tr S_pre²/d and Tr S_pre S*/d");
  if (problem) {
    input.problem = read_pretraining(options, input.task);
    input.target = input.problem->target;
    return;
  }
  if (any_of(options, {"lambda", "student", "width", "pre_tokens", "pre_head", "pre_noise"}))
    throw std::invalid_argument("options of a pre-training problem need its --alpha");
  if (!input.given.target.empty()) input.target = model::Target::parse(input.given.target);
  input.overlaps = read_overlaps(input.given, input.target);
}

/// The overlaps as pre-training left them.
laws::PretrainedOverlaps trained_overlaps(const Lora::Input& input, const std::optional<theory::Solution>& solution) {
  return solution ? laws::PretrainedOverlaps::of(*solution) : *input.overlaps;
}

/// Makes the students of pre-training.
laws::Pretraining pretrained_students(const Lora::Input& input, const std::optional<theory::Solution>& solution) {
  if (!solution) return laws::sample_students(input.target, *input.overlaps);
  experiment::Options options;
  // λ may be a rule; experiments train with the number that the theory has found for it.
  options.trainer = experiment::trainers_for(solution->problem).front();
  return laws::train_students(solution->problem, options);
}

/// Makes the students that an experiment fine-tunes.
laws::Pretraining students(const Lora::Input& input, const std::optional<theory::Solution>& solution) {
  laws::Pretraining made = pretrained_students(input, solution);
  if (!input.given.recalibrate) return made;
  return laws::rescaled(std::move(made), trained_overlaps(input, solution).calibration());
}

view::LoraMeasured fine_tune(const Lora::Input& input, const std::optional<theory::Solution>& solution,
                             const laws::LoraOptions& theory, const Run& run) {
  laws::LoraExperimentOptions options = input.experiment;
  options.seed = run.seed;
  options.threads = run.threads;
  options.progress = progress_of(run, "fine-tuning");
  options.posterior = input.bayes;
  view::LoraMeasured measured{laws::simulate_lora(input.task, students(input, solution), options), {}};
  measured.drawn = laws::predict_lora(measured, theory);
  if (input.bayes) measured.drawn_bayes = laws::predict_posterior(measured);
  return measured;
}

}  // namespace

const base::Description& describe(const Lora::Pretraining*) {
  using P = Lora::Pretraining;
  static const base::Description description{
      "what was pre-trained",
      {base::field("e_pre", &P::e_pre,
                   {.symbol = "E_pre", .doc = "pre-trained: ‖S_pre − S*‖²_F/d of a posterior mean"}),
       base::field("q_pre", &P::q_pre, {.symbol = "Q_pre", .doc = "or pre-trained: Tr S_pre²/d, with m-pre"}),
       base::field("m_pre", &P::m_pre, {.symbol = "m_pre", .doc = "Tr S_pre S*/d"}),
       base::field("alpha", &P::alpha,
                   {.symbol = "α", .unit = "n/d²", .doc = "or a problem of pre-training: its n/d²"}),
       base::custom<P>(
           "lambda", {base::Kind::value}, [](const P& given) { return given.lambda; },
           [](P& given, const json& value) { given.lambda = value; },
           {.symbol = "λ", .doc = "its penalty: a number > 0, 0+, optimal or edge", .value_name = "L"}),
       base::field("student", &P::student,
                   {.doc = "its student", .otherwise = "tied", .value_name = "tied|direct|bayes"}),
       base::field("width", &P::width,
                   {.symbol = "κ", .unit = "m_h/d", .doc = "its m_h/d of the tied student", .otherwise = "1: full"}),
       base::custom<P>(
           "pre_tokens", {base::Kind::value}, [](const P& given) { return given.tokens; },
           [](P& given, const json& value) { given.tokens = value; },
           {.symbol = "T", .doc = "its tokens", .otherwise = "those of the task", .value_name = "T"}),
       base::field("pre_head", &P::head, {.doc = "its head", .otherwise = "that of the task"}),
       base::field("pre_noise", &P::noise, {.symbol = "Δ", .doc = "its index noise", .otherwise = "that of the task"}),
       base::field("target", &P::target,
                   {.symbol = "S*",
                    .doc = "S*: wishart:KAPPA, powerlaw:…, spikes:… or file:…",
                    .otherwise = "wishart:0.5",
                    .value_name = "SPEC"}),
       base::field("recalibrate", &P::recalibrate,
                   {.doc = "use β S_pre with β = m_pre/Q_pre, which has the least E_pre: a gain unless m_pre = Q_pre"}),
       base::field("problem", &P::file,
                   {.doc = "the problem of pre-training, from a TOML or JSON file", .value_name = "FILE"})}};
  return description;
}

const base::Description& describe(const Lora::Input*) {
  using I = Lora::Input;
  static const base::Description description{
      "a task, what was pre-trained, and what to compute",
      {base::flat(&I::task),
       grid("alpha_range", &I::alpha_range, study::Spacing::geometric,
            {.doc = "also a curve over alpha-ft (equal ratios)"}),
       base::field("bayes", &I::bayes,
                   {.doc = "also the posterior mean of the adapter, which no other beats: head linear, one token"}),
       base::flat(&I::theory), base::flat(&I::given), base::flat(&I::experiment)}};
  return description;
}

Lora::Input Lora::read(const json& options) {
  Input input;
  base::read(options, input, "options of lora");
  input.task.validate();
  input.theory.validate();
  if (any_of(options, {"instances", "start", "tolerance", "max_iterations"}) && !options.contains("d"))
    throw std::invalid_argument("options of experiments need --d, an embedding dimension to run them at");
  resolve_pretraining(options, input);
  if (options.contains("share") && input.task.sequences != laws::LoraSequences::selected)
    throw std::invalid_argument("--share is of --sequences selected");
  require_reusable(input);
  if (input.bayes) laws::require_posterior(input.task);
  return input;
}

std::vector<std::string> Lora::unread(const json& options) {
  return options.contains("d") ? std::vector<std::string>{} : std::vector<std::string>{"seed"};
}

Lora::Output Lora::run(const Input& input, const Run& run) {
  if (run.draw && input.alpha_range.empty())
    throw std::invalid_argument("--html of lora needs --alpha-range: a curve to draw");
  laws::LoraOptions options = input.theory;
  options.threads = run.threads;
  Output result;
  if (input.problem) {
    theory::SolveOptions solve;
    solve.accuracy = options.accuracy;
    solve.detail = theory::Detail::errors;
    result.pretraining = theory::solve(*input.problem, solve);
  }
  auto overlaps = trained_overlaps(input, result.pretraining);
  if (input.given.recalibrate) overlaps = overlaps.recalibrated();
  result.prediction = laws::predict_lora(input.task, overlaps, options);
  const auto progress = progress_of(run, "curve");
  for (const double alpha : input.alpha_range) {
    laws::LoraTask task = input.task;
    task.alpha = alpha;
    result.curve.push_back(laws::predict_lora(task, overlaps, options));
    if (progress) progress(static_cast<int>(result.curve.size()), static_cast<int>(input.alpha_range.size()));
  }
  if (input.bayes) result.bayes = laws::predict_posterior(input.task, overlaps);
  if (input.experiment.d > 0) result.experiment = fine_tune(input, result.pretraining, options, run);
  return result;
}

view::Result Lora::show(const Output& output, const Run& run) { return view::show(output, run.draw); }

}  // namespace attnlaw::operations
