#include "attnlaw/view/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "attnlaw/base/memory.h"
#include "attnlaw/view/columns.h"

namespace attnlaw::view {
namespace {

using nlohmann::json;
using report::Cell;
using report::Table;
using study::Cost;
using study::Study;
using study::TaskKind;

/// The values that one coordinate takes, in the order of the file.
struct PlannedAxis {
  std::string key;
  std::vector<json> values;
  std::set<json> seen;

  void add(const json& value) {
    if (seen.insert(value).second) values.push_back(value);
  }
};

/// The tasks of one kind in one part.
struct PlannedRow {
  std::string part;
  TaskKind kind = TaskKind::theory;
  std::vector<PlannedAxis> axes;
  std::size_t points = 0;  ///< entries of the part
  std::size_t tasks = 0;   ///< that no part before has
  double seconds = 0;
  std::uint64_t bytes = 0;  ///< of the largest
};

void add_coordinates(const json& coordinates, const std::vector<std::string>& order, PlannedRow& row) {
  const auto add = [&](const std::string& key) {
    if (!coordinates.contains(key)) return;
    auto axis = std::find_if(row.axes.begin(), row.axes.end(), [&](const auto& a) { return a.key == key; });
    if (axis == row.axes.end()) axis = row.axes.insert(row.axes.end(), {key, {}, {}});
    axis->add(coordinates.at(key));
  };
  for (const std::string& key : order) add(key);
  for (const char* key : {"d", "instance"}) add(key);
}

/// The rows of a plan; a task belongs to the first row that needs it, as does what it follows.
class Plan {
 public:
  Plan(const Study& study, const std::vector<Cost>& costs) : study_(study), costs_(costs), owned_(study.tasks.size()) {
    for (const study::Part& part : study.parts) add(part);
  }

  const std::vector<PlannedRow>& rows() const { return rows_; }

 private:
  void add(const study::Part& part) {
    std::map<TaskKind, PlannedRow> kinds;
    const auto row_of = [&](std::size_t task) -> PlannedRow& {
      const TaskKind kind = study_.tasks[task].task.kind;
      PlannedRow& row = kinds[kind];
      row.part = part.name;
      row.kind = kind;
      return row;
    };
    for (const study::PartEntry& entry : part.entries) {
      PlannedRow& row = row_of(entry.task);
      ++row.points;
      add_coordinates(entry.coordinates, part.axes, row);
      for (std::optional<std::size_t> task = entry.task; task && !owned_[*task]; task = study_.tasks[*task].predecessor)
        own(*task, row_of(*task));
    }
    for (auto& [kind, row] : kinds) rows_.push_back(std::move(row));
  }

  void own(std::size_t task, PlannedRow& row) {
    owned_[task] = true;
    ++row.tasks;
    row.seconds += costs_[task].seconds;
    row.bytes = std::max(row.bytes, costs_[task].bytes);
  }

  const Study& study_;
  const std::vector<Cost>& costs_;
  std::vector<bool> owned_;
  std::vector<PlannedRow> rows_;
};

/// The whole study.
struct Total {
  double seconds = 0;             ///< of one thread
  double seconds_on_threads = 0;  ///< at best: the work divided, but no chain of tasks divides
  std::uint64_t bytes = 0;        ///< of the largest tasks, one on each thread
};

Total total(const Study& study, const std::vector<Cost>& costs, int threads) {
  Total result;
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
  const auto together = std::min(bytes.size(), static_cast<std::size_t>(threads));
  std::partial_sort(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(together), bytes.end(), std::greater());
  result.bytes =
      std::accumulate(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(together), std::uint64_t{0});
  return result;
}

std::string short_text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_integer() ? fmt::format("{}", value.get<std::int64_t>())
                                   : fmt::format("{:.4g}", value.get<double>());
}

/// "alpha 0.05 … 2 (40)", or all values if they are few.
std::string short_text(const PlannedAxis& axis) {
  constexpr std::size_t kFew = 4;
  if (axis.values.size() > kFew)
    return fmt::format("{} {} … {} ({})", axis.key, short_text(axis.values.front()), short_text(axis.values.back()),
                       axis.values.size());
  std::vector<std::string> texts;
  for (const json& value : axis.values) texts.push_back(short_text(value));
  return fmt::format("{} {}", axis.key, fmt::join(texts, ", "));
}

std::string short_text(const std::vector<PlannedAxis>& axes) {
  std::vector<std::string> texts;
  for (const PlannedAxis& axis : axes) texts.push_back(short_text(axis));
  return fmt::format("{}", fmt::join(texts, "; "));
}

Cell count(std::size_t n) { return static_cast<long long>(n); }

constexpr double kMegabyte = 1e6;

Cell megabytes(std::uint64_t bytes) { return bytes > 0 ? Cell(static_cast<double>(bytes) / kMegabyte) : Cell(); }

constexpr int kTimeFigures = 3;  ///< more than an estimate is worth

}  // namespace

std::vector<Table> plan_tables(const Study& study, const std::vector<Cost>& costs, int threads) {
  Table parts{study.title.empty() ? study.name : study.title,
              {general("part"),
               general("computes"),
               general("along"),
               general("points"),
               general("tasks"),
               {"time of one thread", "s", report::Notation::general, kTimeFigures},
               {"memory", "MB", report::Notation::general, kTimeFigures}}};
  const Plan plan(study, costs);
  for (const PlannedRow& row : plan.rows())
    parts.rows.push_back({row.part, study::name(row.kind), short_text(row.axes), count(row.points), count(row.tasks),
                          row.seconds, megabytes(row.bytes)});
  const Total whole = total(study, costs, threads);
  Table sums{"All parts, estimated on this machine",
             {general("tasks"),
              general("time of one thread"),
              general("threads"),
              general("time on these"),
              {"memory at most", "MB", report::Notation::general, kTimeFigures},
              {"of this machine", "MB", report::Notation::general, kTimeFigures}},
             {{count(study.tasks.size()), duration(whole.seconds), static_cast<long long>(threads),
               duration(whole.seconds_on_threads), megabytes(whole.bytes), megabytes(base::memory_limit())}}};
  return {parts, sums};
}

json plan_json(const Study& study, const std::vector<Cost>& costs, int threads) {
  json parts = json::array();
  const Plan plan(study, costs);
  for (const PlannedRow& row : plan.rows()) {
    json axes = json::object();
    for (const PlannedAxis& axis : row.axes) axes[axis.key] = axis.values;
    parts.push_back({{"name", row.part},
                     {"kind", study::name(row.kind)},
                     {"axes", axes},
                     {"points", row.points},
                     {"tasks", row.tasks},
                     {"seconds", row.seconds},
                     {"bytes", row.bytes}});
  }
  const Total whole = total(study, costs, threads);
  return {{"study", study.name},
          {"title", study.title},
          {"parts", parts},
          {"total",
           {{"tasks", study.tasks.size()},
            {"seconds", whole.seconds},
            {"threads", threads},
            {"seconds_on_threads", whole.seconds_on_threads},
            {"bytes", whole.bytes},
            {"memory", base::memory_limit()}}}};
}

Table plan_rows(const Study& study, const std::vector<Cost>& costs) {
  Table table{"", {{"part"}, {"kind"}, {"axes"}, {"points"}, {"tasks"}, {"seconds"}, {"bytes"}}};
  const Plan plan(study, costs);
  for (const PlannedRow& row : plan.rows())
    table.rows.push_back({row.part, study::name(row.kind), short_text(row.axes), count(row.points), count(row.tasks),
                          row.seconds, static_cast<long long>(row.bytes)});
  return table;
}

}  // namespace attnlaw::view
