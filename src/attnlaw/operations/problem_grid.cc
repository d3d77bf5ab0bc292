#include "attnlaw/operations/problem_grid.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "attnlaw/base/fields/text.h"
#include "attnlaw/base/json_text.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/model/problem_file.h"
#include "attnlaw/operations/grid_options.h"
#include "attnlaw/operations/interruption.h"
#include "attnlaw/operations/study_options.h"
#include "attnlaw/study/file/tasks.h"
#include "attnlaw/view/columns.h"
#include "attnlaw/view/spectrum.h"

namespace attnlaw::operations {
namespace {

using nlohmann::json;
using view::CurveAxis;

/// A curve is computed in one go and kept in memory alone.
constexpr std::size_t kMostCurvePoints = 10000;

/// What targets begin with, all of them (model/target.h).
constexpr std::array<std::string_view, 5> kTargetKinds = {"wishart:", "product:", "powerlaw:", "spikes:", "file:"};
/// Targets that are told apart by κ*.
constexpr std::array kRankTargets = {"wishart:", "product:"};

const base::Description& problem_description() { return base::detail::description_of<model::Problem>(); }

bool has_list(const std::string& text) { return text.find_first_of(",:") != std::string::npos; }

bool is_penalised(const json& student) { return student != "bayes"; }

// ---- texts of the command line --------------------------------------------------------------------------------------

/// wishart:FROM:TO:N as the targets of each κ*; any other target as it is.
void append_targets(const std::string& text, json& targets) {
  for (const std::string kind : kRankTargets) {
    if (!text.starts_with(kind) || text.find(':', kind.size()) == std::string::npos) continue;
    for (const json& rank : items_of("--target", text.substr(kind.size()))) targets.push_back(kind + base::shown(rank));
    return;
  }
  targets.push_back(text);
}

/// A part between commas begins a target where it begins with a kind, or with what might be meant for one: not in a
/// path, which may have commas and colons.
bool begins_target(std::string_view part, const std::string& before) {
  const bool known = std::any_of(kTargetKinds.begin(), kTargetKinds.end(),
                                 [&](std::string_view kind) { return part.starts_with(kind); });
  return known || (!before.starts_with("file:") && part.find(':') != std::string_view::npos);
}

json targets_from_text(const std::string& text) {
  std::vector<std::string> specs;
  for (const std::string_view part : base::split(text, ',')) {
    if (specs.empty() || begins_target(part, specs.back()))
      specs.emplace_back(part);
    else
      specs.back() += "," + std::string(part);
  }
  json targets = json::array();
  for (const std::string& spec : specs) append_targets(spec, targets);
  return targets.size() == 1 ? targets.front() : targets;
}

json list_from_text(const base::Field& field, const std::string& text) {
  json values = json::array();
  for (const std::string_view item : base::split(text, ','))
    values.push_back(base::from_text(field, std::string(item)));
  return values.size() == 1 ? values.front() : values;
}

/// A list in which one value is not accepted is refused with its whole text, as somebody typed it.
json numbers_from_text(const base::Field& field, const std::string& text) {
  const std::string option = base::option_name(field);
  const base::Field* const known = base::find_field(problem_description(), field.name);
  try {
    json values = json::array();
    model::Problem any;
    for (const json& item : items_of(option, text)) {
      values.push_back(item.is_string() ? base::from_text(field, item) : item);
      if (known) known->set(&any, values.back());
    }
    return values;
  } catch (const std::invalid_argument& error) {
    base::reject("{} '{}': {}", option, text, error.what());
  }
}

// ---- axes -----------------------------------------------------------------------------------------------------------

/// Leaves one value of the option; the axis goes to `axes` if there are several.
void take_axis(const std::string& name, std::vector<json> values, json& options, std::vector<CurveAxis>& axes) {
  keep_distinct(values);
  if (values.empty()) base::reject("{} needs at least one value, got []", name);
  const auto penalised = std::find_if(values.begin(), values.end(), is_penalised);
  options[name] = name == "student" && penalised != values.end() ? *penalised : values.front();
  if (values.size() > 1) axes.push_back({name, values});
}

/// T1,T2 is one value with cross-attention, and two without.
void take_tokens(const json& fallback, json& options, std::vector<CurveAxis>& axes) {
  const auto tokens = options.find("tokens");
  if (tokens == options.end() || !tokens->is_string() || !has_list(tokens->get<std::string>())) return;
  json others = options;
  others.erase("tokens");
  if (with_problem(others, fallback).value("attention", json("self")) == "cross") return;
  std::vector<json> counts;
  for (const json& item : items_of("--tokens", *tokens)) {
    const bool whole = item.is_number() && std::abs(item.get<double>()) <= model::kMaxTokens &&
                       item.get<double>() == std::round(item.get<double>());
    counts.push_back(whole ? json(static_cast<int>(item.get<double>())) : item);
  }
  take_axis("tokens", counts, options, axes);
}

/// Targets of one kind that differ in κ* vary in a number.
void name_rank(json& problem, CurveAxis& axis) {
  for (const std::string kind : kRankTargets) {
    std::vector<json> ranks;
    for (const json& target : axis.values) {
      const std::string spec = target.is_string() ? target.get<std::string>() : "";
      const auto rank = spec.starts_with(kind) ? base::number_in<double>(spec.substr(kind.size())) : std::nullopt;
      if (rank) ranks.emplace_back(*rank);
    }
    if (ranks.size() != axis.values.size()) continue;
    axis = {view::kRankAxis, ranks};
    problem["target"] = kind + "{" + view::kRankAxis + "}";
    return;
  }
}

/// Words vary slowest and the longest of the numbers fastest, the one whose neighbours are most alike among equals.
void sort_axes(std::vector<CurveAxis>& axes) {
  constexpr std::array kSlowest = {"tokens",        "target_beta", "beta",   "width",
                                   view::kRankAxis, "noise",       "lambda", "alpha"};
  const auto order = [&](const CurveAxis& axis) {
    const auto place = std::find(kSlowest.begin(), kSlowest.end(), axis.name) - kSlowest.begin();
    return std::tuple(axis.numeric(), axis.values.size(), place);
  };
  std::stable_sort(axes.begin(), axes.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
}

// ---- study ----------------------------------------------------------------------------------------------------------

study::Axis study_axis(const CurveAxis& axis) {
  base::TomlValue list;
  list.kind = base::TomlValue::Kind::array;
  for (const json& value : axis.values) {
    base::TomlValue& item = list.items.emplace_back();
    item.kind = base::TomlValue::Kind::scalar;
    item.scalar = value;
  }
  return {{{axis.name, std::move(list), static_cast<double>(axis.values.size())}}};
}

study::PartRequest curve_part(const ProblemGrid& grid, const char* name) {
  study::PartRequest part;
  part.name = name;
  part.problem = grid.problem;
  for (const CurveAxis& axis : grid.axes) part.axes.push_back(study_axis(axis));
  return part;
}

/// Ascending values, with so many equal steps between neighbours.
std::vector<json> refined(const std::vector<json>& values, std::size_t steps) {
  std::vector<double> at;
  for (const json& value : values) at.push_back(value.get<double>());
  std::sort(at.begin(), at.end());
  const std::size_t gaps = at.size() - 1;
  std::vector<json> line;
  for (std::size_t i = 0; i < gaps; ++i)
    for (std::size_t k = 0; k < steps; ++k) {
      const double share = static_cast<double>(k) / static_cast<double>(steps);
      const bool positive = at[i] > 0;
      line.emplace_back(k == 0     ? at[i]
                        : positive ? at[i] * std::pow(at[i + 1] / at[i], share)
                                   : at[i] + share * (at[i + 1] - at[i]));
    }
  line.emplace_back(at.back());
  return line;
}

study::Study curve_study(const ProblemGrid& grid, const CurveRequest& request) {
  study::Study study;
  study.name = request.experiment ? "experiments" : "theory";
  study::TaskTable tasks;
  const study::SourceFile options{};
  study::PartRequest theory = curve_part(grid, view::kCurveTheory);
  theory.theory.emplace().density = request.spectra;
  study.parts.push_back(study::make_part(options, theory, request.accuracy, tasks));
  if (request.experiment) {
    study::PartRequest experiments = curve_part(grid, view::kCurveExperiments);
    experiments.experiment = request.experiment;
    study.parts.push_back(study::make_part(options, experiments, request.accuracy, tasks));
  }
  study.tasks = std::move(tasks).take();
  return study;
}

/// A list of scalars, as JSON and TOML both write it.
std::string list_text(const std::vector<json>& values) { return base::json_text(json(values)); }

/// The keys of the experiments that are not as they are by themselves.
std::string experiment_text(const study::ExperimentRequest& request) {
  const study::ExperimentKeys& keys = request;
  const json given = base::json_of(keys), usual = base::json_of(study::ExperimentKeys{});
  std::vector<std::string> parts;
  for (const auto& [key, value] : given.items()) {
    const bool chosen = key != "trainer" || !request.any_trainer;
    if (chosen && (value != usual.value(key, json()) || key == "instances"))
      parts.push_back(fmt::format("{} = {}", key, base::json_text(value)));
  }
  return fmt::format("experiment = {{{}}}\n", fmt::join(parts, ", "));
}

std::string axes_text(const ProblemGrid& grid) {
  std::string text = "axes = [\n";
  for (const CurveAxis& axis : grid.axes) text += fmt::format("  {{{} = {}}},\n", axis.name, list_text(axis.values));
  return text + "]\n";
}

std::string part_text(const char* name, const ProblemGrid& grid, const std::string& what) {
  return fmt::format("\n[[part]]\nname = \"{}\"\n{}{}", name, axes_text(grid), what);
}

/// The study file that computes the same: experiments on the grid, with their theory on this one.
std::string study_text(const ProblemGrid& grid, const ProblemGrid& theory, const CurveRequest& request) {
  std::string text = "# attnlaw sweep study.toml computes this curve into a store of results.\n";
  if (request.experiment) text += fmt::format("seed = {}\n", request.experiment->options.seed);
  text += fmt::format("accuracy = {}\n", base::json_text(request.accuracy));
  const std::string problem = "\n[problem]\n" + model::toml_of(grid.problem);
  if (request.experiment)
    return text + problem + part_text(view::kCurveTheory, theory, "theory = true\n") +
           part_text(view::kCurveExperiments, grid, experiment_text(*request.experiment));
  return text + axes_text(grid) + (request.spectra ? "theory = {density = true}\n" : "") + problem;
}

// ---- lines ----------------------------------------------------------------------------------------------------------

/// Lines are drawn through so many points or more, which may take so long.
constexpr std::size_t kLeastOfLine = 100;
constexpr double kLineSeconds = 10;

/// The wall time of one point along the last axis, for all that the other axes multiply it by.
double seconds_per_point(const view::ProblemCurve& curve, int threads) {
  double seconds = 0;
  for (const study::PartEntry& entry : curve.study.parts.front().entries)
    if (const auto& outcome = curve.outcomes[entry.task]) seconds += outcome->seconds;
  return seconds / static_cast<double>(curve.axes.back().values.size()) / base::thread_count(threads);
}

/// Solves the theory between the points of the grid, where lines are drawn through few of them, until a signal comes to
/// `interruption`. Returns the grid that the lines have.
ProblemGrid add_line(const ProblemGrid& grid, const CurveRequest& request, const Run& run,
                     const Interruption& interruption, view::ProblemCurve& curve) {
  const std::size_t count = grid.axes.back().values.size(), gaps = count - 1;
  if (gaps == 0 || !view::draws_lines(grid.axes) || grid.axes.back().name == "tokens" || count >= kLeastOfLine)
    return grid;
  const double each = seconds_per_point(curve, run.threads);
  const std::size_t wanted = (kLeastOfLine + gaps - 2) / gaps;
  const double affordable = kLineSeconds / (each * static_cast<double>(gaps));
  const std::size_t steps = affordable < static_cast<double>(wanted) ? static_cast<std::size_t>(affordable) : wanted;
  const std::size_t drawn = std::max<std::size_t>(steps, 1) * gaps + 1;
  if (steps < wanted)
    curve.line_note = fmt::format("Lines go through {} points: {} would take about {}.", drawn, wanted * gaps + 1,
                                  view::duration(each * static_cast<double>(wanted * gaps)));
  if (steps < 2) return grid;
  ProblemGrid line = grid;
  line.axes.back().values = refined(line.axes.back().values, steps);
  CurveRequest theory = request;
  theory.experiment.reset();
  curve.line = curve_study(line, theory);
  curve.line->name = "lines";
  study::Store store(curve.line->name, study::Store::Access::memory);
  if (!interruption.completes([&] { run_study(*curve.line, store, {}, {}, run); }))
    curve.interrupted = "before the lines of the page were known";
  curve.line_outcomes = study::outcomes(*curve.line, store);
  return line;
}

}  // namespace

json values_from_text(const base::Field& field, const std::string& text) {
  if (!has_list(text)) return base::from_text(field, text);
  if (field.name == "target") return targets_from_text(text);
  if (field.name == "tokens") return text;
  switch (field.type.kind) {
    case base::Kind::choice:
    case base::Kind::text:
      return list_from_text(field, text);
    default:
      return numbers_from_text(field, text);
  }
}

std::size_t ProblemGrid::size() const {
  std::size_t count = 1;
  for (const CurveAxis& axis : axes) count *= axis.values.size();
  return count;
}

std::vector<std::string> ProblemGrid::varying() const {
  std::vector<std::string> names;
  for (const CurveAxis& axis : axes) names.push_back(axis.option());
  return names;
}

ProblemGrid take_grid(json& options, const json& fallback) {
  ProblemGrid grid;
  for (const std::string& name : base::field_names(problem_description()))
    if (const auto given = options.find(name); given != options.end() && given->is_array())
      take_axis(name, *given, options, grid.axes);
  take_tokens(fallback, options, grid.axes);
  if (grid.one()) return grid;
  const json all = with_problem(options, fallback);
  for (const std::string& name : base::field_names(problem_description()))
    if (all.contains(name)) grid.problem[name] = all[name];
  for (CurveAxis& axis : grid.axes) {
    grid.problem.erase(axis.name);
    if (axis.name == "target") name_rank(grid.problem, axis);
  }
  sort_axes(grid.axes);
  if (grid.size() > kMostCurvePoints)
    base::reject(
        "a curve has at most {} points, and these options make {}: write a study, whose results are kept while it runs "
        "(attnlaw sweep STUDY.toml; docs/guide/studies.md)",
        kMostCurvePoints, grid.size());
  return grid;
}

void refuse_along_curve(const json& options, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (options.contains(name))
      base::reject("--{} is for one problem, and options with several values make a curve", base::dashed(name));
}

view::ProblemCurve solve_curve(const ProblemGrid& grid, const model::Problem& problem, const CurveRequest& request,
                               const Run& run) {
  view::ProblemCurve curve{
      problem, problem_without(problem, grid.varying()), grid.axes, curve_study(grid, request), {}};
  if (request.spectra)
    for (const study::PlannedTask& planned : curve.study.tasks) view::require_spectral_law(planned.task.problem);
  study::Store store(curve.study.name, study::Store::Access::memory);
  const Interruption interruption;
  const bool to_its_end = interruption.completes([&] { run_study(curve.study, store, {}, {}, run); });
  curve.outcomes = study::outcomes(curve.study, store);
  const auto known = static_cast<std::size_t>(std::count_if(curve.outcomes.begin(), curve.outcomes.end(),
                                                            [](const auto& outcome) { return outcome.has_value(); }));
  // A signal may have come after the last point.
  const bool whole = to_its_end || known == curve.outcomes.size();
  if (!whole)
    curve.interrupted = after(known, curve.outcomes.size(), curve.measured() ? "solutions and instances" : "points");
  const ProblemGrid line = request.draw && whole ? add_line(grid, request, run, interruption, curve) : grid;
  curve.study_text = study_text(grid, line, request);
  curve.spectra = request.spectra;
  return curve;
}

}  // namespace attnlaw::operations
