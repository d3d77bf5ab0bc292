#include "figure_items.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <tuple>

namespace attnlaw::app {
namespace {

using study::TaskKind;
using Status = study::Outcome::Status;

void require_parts(const study::Study& study, const study::ChartRequest& request) {
  for (const std::string& name : request.parts) {
    if (std::any_of(study.parts.begin(), study.parts.end(), [&](const auto& part) { return part.name == name; }))
      continue;
    std::vector<std::string> names;
    for (const study::Part& part : study.parts) names.push_back(part.name);
    throw std::invalid_argument(fmt::format("the chart '{}' asks for the part '{}'; there are {}", request.title, name,
                                            fmt::join(names, ", ")));
  }
}

bool asked_for(const study::ChartRequest& request, const study::Part& part) {
  return request.parts.empty() ||
         std::find(request.parts.begin(), request.parts.end(), part.name) != request.parts.end();
}

/// Whether results of one kind at one x, otherwise alike, differ in `axis`.
bool varies_at_one_x(const std::vector<Item>& items, const std::string& x, const std::string& axis) {
  std::map<std::pair<TaskKind, double>, std::set<std::string>> seen;
  for (const Item& item : items) {
    const auto at = position(item, x);
    if (!at) continue;
    auto& labels = seen[{item.task->kind, *at}];
    labels.insert(label(item, axis));
    if (labels.size() > 1) return true;
  }
  return false;
}

}  // namespace

std::vector<Item> items_of(const study::Study& study, const study::Outcomes& outcomes,
                           const study::ChartRequest& request) {
  require_parts(study, request);
  std::vector<Item> items;
  for (const study::Part& part : study.parts) {
    if (!asked_for(request, part)) continue;
    for (const study::PartEntry& entry : part.entries) {
      const auto& outcome = outcomes.at(entry.task);
      items.push_back({&part, &entry, &study.tasks[entry.task].task, outcome ? &*outcome : nullptr});
    }
  }
  return items;
}

bool usable(const Item& item) {
  if (!item.has_figures()) return false;
  return item.task->kind == TaskKind::experiment || item.outcome->status == Status::converged;
}

Gaps gaps_of(const std::vector<Item>& items) {
  Gaps gaps;
  for (const Item& item : items) {
    if (item.outcome == nullptr) {
      ++gaps.missing;
    } else if (item.outcome->status == Status::failed) {
      if (gaps.failed++ == 0) gaps.error = item.outcome->error;
    } else if (item.outcome->status == Status::unconverged) {
      ++(item.task->kind == TaskKind::experiment ? gaps.unconverged_experiments : gaps.unconverged);
    }
  }
  return gaps;
}

std::vector<std::string> Gaps::lines() const {
  std::vector<std::string> lines;
  const auto results = [](std::size_t count) { return fmt::format("{} {}", count, count == 1 ? "result" : "results"); };
  if (missing > 0) lines.push_back(fmt::format("Left out: {} not computed yet.", results(missing)));
  if (failed > 0) lines.push_back(fmt::format("Left out: {} that failed ({}).", results(failed), error));
  if (unconverged > 0)
    lines.push_back(fmt::format("Left out: {} of the theory that did not converge.", results(unconverged)));
  if (unconverged_experiments > 0)
    lines.push_back(
        fmt::format("Drawn although training stopped before its tolerance: {}.", results(unconverged_experiments)));
  return lines;
}

std::vector<std::string> series_axes(const study::ChartRequest& request, const std::vector<Item>& items) {
  if (!request.by.empty()) return request.by;
  std::vector<std::string> axes, found;
  for (const Item& item : items)
    for (const std::string& axis : item.part->axes)
      if (axis != request.x && axis != "instance" && std::find(axes.begin(), axes.end(), axis) == axes.end())
        axes.push_back(axis);
  for (const std::string& axis : axes)
    if (varies_at_one_x(items, request.x, axis)) found.push_back(axis);
  if (found.empty() && varies_at_one_x(items, request.x, "part")) found.emplace_back("part");
  return found;
}

}  // namespace attnlaw::app
