#include "attnlaw/view/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "attnlaw/base/memory.h"
#include "attnlaw/view/rows.h"

namespace attnlaw::view {
namespace {

using nlohmann::json;
using report::Cell;
using report::Table;
using study::Cost;
using study::Study;
using study::TaskKind;

/// Adds the keys of `coordinates` in this order, then those that experiments add, with the values they take.
void add_coordinates(const json& coordinates, const std::vector<std::string>& order, PlannedPart& part) {
  const auto add = [&](const std::string& key) {
    if (!coordinates.contains(key)) return;
    auto axis = std::find_if(part.axes.begin(), part.axes.end(), [&](const auto& a) { return a.key == key; });
    if (axis == part.axes.end()) axis = part.axes.insert(part.axes.end(), {key, {}, {}});
    if (axis->seen.insert(coordinates.at(key)).second) axis->values.push_back(coordinates.at(key));
  };
  for (const std::string& key : order) add(key);
  for (const char* key : {"d", "instance"}) add(key);
}

/// The parts of a plan are collected here; a task belongs to the first part that needs it, as does what it follows.
class Parts {
 public:
  Parts(const Study& study, const std::vector<Cost>& costs) : study_(study), costs_(costs), owned_(study.tasks.size()) {
    for (const study::Part& part : study.parts) add(part);
  }

  std::vector<PlannedPart> take() && { return std::move(parts_); }

 private:
  void add(const study::Part& part) {
    std::map<TaskKind, PlannedPart> kinds;
    const auto of_kind = [&](std::size_t task) -> PlannedPart& {
      const TaskKind kind = study_.tasks[task].task.kind;
      PlannedPart& planned = kinds[kind];
      planned.name = part.name;
      planned.kind = study::name(kind);
      return planned;
    };
    for (const study::PartEntry& entry : part.entries) {
      PlannedPart& planned = of_kind(entry.task);
      ++planned.points;
      add_coordinates(entry.coordinates, part.axes, planned);
      for (std::optional<std::size_t> task = entry.task; task && !owned_[*task]; task = study_.tasks[*task].predecessor)
        own(*task, of_kind(*task));
    }
    for (auto& [kind, planned] : kinds) parts_.push_back(std::move(planned));
  }

  void own(std::size_t task, PlannedPart& part) {
    owned_[task] = true;
    ++part.tasks;
    part.seconds += costs_[task].seconds;
    part.bytes = std::max(part.bytes, costs_[task].bytes);
  }

  const Study& study_;
  const std::vector<Cost>& costs_;
  std::vector<bool> owned_;
  std::vector<PlannedPart> parts_;
};

PlanTotal total(const Study& study, const std::vector<Cost>& costs, int threads) {
  PlanTotal result;
  result.tasks = study.tasks.size();
  result.threads = threads;
  result.memory = base::memory_limit();
  std::vector<double> chain(costs.size());
  double longest = 0;
  std::vector<std::uint64_t> bytes;
  for (std::size_t i = 0; i < costs.size(); ++i) {
    const auto& predecessor = study.tasks[i].predecessor;
    chain[i] = costs[i].seconds + (predecessor ? chain[*predecessor] : 0);
    longest = std::max(longest, chain[i]);
    result.seconds += costs[i].seconds;
    bytes.push_back(costs[i].bytes);
  }
  result.seconds_on_threads = std::max(longest, result.seconds / threads);
  std::sort(bytes.begin(), bytes.end(), std::greater());
  bytes.resize(std::min(bytes.size(), static_cast<std::size_t>(threads)));
  result.bytes = std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0});
  return result;
}

std::string short_text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_integer() ? fmt::format("{}", value.get<std::int64_t>())
                                   : fmt::format("{:.4g}", value.get<double>());
}

/// An axis reads as "alpha 0.05 … 2 (40)", or with all values if they are few.
std::string short_text(const PlannedAxis& axis) {
  constexpr std::size_t kFew = 4;
  if (axis.values.size() > kFew)
    return fmt::format("{} {} … {} ({})", axis.key, short_text(axis.values.front()), short_text(axis.values.back()),
                       axis.values.size());
  return axis.key + " " + joined(axis.values, [](const json& value) { return short_text(value); });
}

std::string short_text(const std::vector<PlannedAxis>& axes) {
  return joined(
      axes, [](const PlannedAxis& axis) { return short_text(axis); }, "; ");
}

/// A size reads in megabytes; without one, nothing is known.
Cell megabytes(std::uint64_t bytes) {
  constexpr double kMegabyte = 1e6;
  return bytes > 0 ? Cell(static_cast<double>(bytes) / kMegabyte) : Cell();
}

/// A column of estimates has few digits: more would promise too much.
report::Column estimated(std::string name, std::string unit) {
  return {std::move(name), std::move(unit), report::Notation::general, 3};
}

json axes_json(const PlannedPart& part) {
  json axes = json::object();
  for (const PlannedAxis& axis : part.axes) axes[axis.key] = axis.values;
  return axes;
}

}  // namespace

Plan plan(const Study& study, const std::vector<Cost>& costs, int threads) {
  return {study.name, study.title, Parts(study, costs).take(), total(study, costs, threads)};
}

std::vector<Table> plan_tables(const Plan& plan) {
  Table parts = headed(plan.title.empty() ? plan.study : plan.title,
                       {"part", "computes", "along", "points", "tasks", estimated("time of one thread", "s"),
                        estimated("memory", "MB")});
  for (const PlannedPart& part : plan.parts)
    add(parts, part.name, part.kind, short_text(part.axes), part.points, part.tasks, part.seconds,
        megabytes(part.bytes));
  const PlanTotal& whole = plan.total;
  Table sums = headed("All parts, estimated on this machine",
                      {"tasks", "time of one thread", "threads", "time on these", estimated("memory at most", "MB"),
                       estimated("of this machine", "MB")});
  add(sums, whole.tasks, duration(whole.seconds), whole.threads, duration(whole.seconds_on_threads),
      megabytes(whole.bytes), megabytes(whole.memory));
  return {parts, sums};
}

Table plan_rows(const Plan& plan) {
  Table table = records({"part", "kind", "axes", "points", "tasks", "seconds", "bytes"});
  for (const PlannedPart& part : plan.parts)
    add_row(table, {{"part", part.name}, {"axes", short_text(part.axes)}}, part);
  return table;
}

const base::Description& describe(const PlannedPart*) {
  using P = PlannedPart;
  static const base::Description description{
      "the tasks of one kind in one part",
      {base::field("name", &P::name, {.doc = "of the part"}),
       base::field("kind", &P::kind, {.doc = "theory, experiment, thresholds or scaling"}),
       base::custom<P>("axes", {base::Kind::object}, axes_json, nullptr,
                       {.doc = "for every coordinate the values it takes, in the order of the file"}),
       base::field("points", &P::points, {.doc = "points of the part"}),
       base::field("tasks", &P::tasks, {.doc = "tasks that no part before has"}),
       base::field("seconds", &P::seconds, {.unit = "s", .doc = "estimated time of one thread"}),
       base::field("bytes", &P::bytes, {.unit = "B", .doc = "memory of the largest task"})}};
  return description;
}

const base::Description& describe(const PlanTotal*) {
  using T = PlanTotal;
  static const base::Description description{
      "a whole study, estimated on this machine",
      {base::field("tasks", &T::tasks, {.doc = "different tasks"}),
       base::field("seconds", &T::seconds, {.unit = "s", .doc = "time of one thread"}),
       base::field("threads", &T::threads, {.doc = "threads of this run"}),
       base::field("seconds_on_threads", &T::seconds_on_threads,
                   {.unit = "s", .doc = "time on these at best: chains of tasks do not divide"}),
       base::field("bytes", &T::bytes, {.unit = "B", .doc = "memory of the largest tasks, one on each thread"}),
       base::field("memory", &T::memory, {.unit = "B", .doc = "memory of this machine"})}};
  return description;
}

const base::Description& describe(const Plan*) {
  static const base::Description description{
      "what a study is going to do",
      {base::field("study", &Plan::study, {.doc = "its name"}),
       base::field("title", &Plan::title, {.doc = "its title"}),
       base::field("parts", &Plan::parts, {.doc = "an entry for every part and kind of task"}),
       base::field("total", &Plan::total, {.doc = "all parts together"})}};
  return description;
}

}  // namespace attnlaw::view
