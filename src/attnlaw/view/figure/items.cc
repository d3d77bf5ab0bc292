#include "attnlaw/view/figure/items.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <tuple>

#include "attnlaw/base/counted.h"
#include "attnlaw/view/columns.h"
#include "attnlaw/view/rows.h"

namespace attnlaw::view {
namespace {

using nlohmann::json;
using study::TaskKind;
using Status = study::Outcome::Status;

/// So many digits tell all doubles apart.
constexpr int kAllDigits = 17;

void require_parts(const study::Study& study, const study::ChartRequest& request) {
  for (const std::string& name : request.parts) {
    if (std::any_of(study.parts.begin(), study.parts.end(), [&](const auto& part) { return part.name == name; }))
      continue;
    throw std::invalid_argument(fmt::format("the chart '{}' asks for the part '{}'; there are {}", request.title, name,
                                            joined(study.parts, [](const study::Part& part) { return part.name; })));
  }
}

bool asked_for(const study::ChartRequest& request, const study::Part& part) {
  return request.parts.empty() ||
         std::find(request.parts.begin(), request.parts.end(), part.name) != request.parts.end();
}

/// Returns where a chart puts an item along an axis, as far as it is known before anything is computed.
json planned_place(Item item, const std::string& axis) {
  item.outcome = nullptr;
  return place(item, axis);
}

/// Says whether results of one kind at one x, and alike in `others`, differ in `axis`.
bool varies_at_one_x(const std::vector<Item>& items, const std::string& x, const std::string& axis,
                     const std::vector<std::string>& others = {}) {
  std::map<json, std::set<json>> seen;
  for (const Item& item : items) {
    const json at = place(item, x);
    if (at.is_null()) continue;
    json point{name(item.task->kind), at};
    for (const std::string& other : others) point.push_back(coordinate(item, other));
    auto& values = seen[point];
    values.insert(coordinate(item, axis));
    if (values.size() > 1) return true;
  }
  return false;
}

bool several_dimensions(const std::vector<Item>& items) {
  std::set<int> dimensions;
  for (const Item& item : items)
    if (item.task->kind == TaskKind::experiment) dimensions.insert(item.task->experiment.d);
  return dimensions.size() > 1;
}

/// Each option that differs reads as "noise (0 and 0.5)".
std::vector<std::string> differences(const json& first, const json& second) {
  const json a = first.flatten(), b = second.flatten();
  std::vector<std::string> words;
  const auto text = [](const json& document, const std::string& key) {
    return document.contains(key) ? text_of(document[key], kAllDigits) : "none";
  };
  json keys = a;
  keys.update(b);
  for (const auto& [path, unused] : keys.items())
    if (!a.contains(path) || !b.contains(path) || a[path] != b[path])
      words.push_back(fmt::format("{} ({} and {})", path.substr(path.rfind('/') + 1), text(a, path), text(b, path)));
  return words;
}

/// Returns the point of a chart that an item belongs to; null if that is not known before it is computed, or if it is
/// drawn otherwise: thresholds in α are lines across the chart.
json point_of(const Item& item, const PointAxes& axes) {
  json point{name(item.task->kind)};
  for (const std::string& axis : axes.along) {
    const json at = planned_place(item, axis);
    const bool line = item.task->kind == TaskKind::thresholds && ratio_unit(*item.task, axis);
    // A scaling curve has many points along any axis but its own coordinates.
    const bool curve = item.task->kind == TaskKind::scaling && !item.entry->coordinates.contains(axis);
    if ((at.is_null() || line) && !curve) return {};
    point.push_back(curve ? json() : at);
  }
  for (const std::string& axis : axes.by) point.push_back(coordinate(item, axis));
  point.push_back(item.task->kind == TaskKind::experiment ? item.task->experiment.d : 0);
  return point;
}

/// Returns two items of different subjects at one point; nothing if there are none.
std::optional<std::pair<Item, Item>> mixed_point(const std::vector<Item>& items, const PointAxes& axes) {
  std::map<json, std::pair<Item, json>> seen;
  for (const Item& item : items) {
    json point = point_of(item, axes), what = subject(*item.task);
    if (point.is_null()) continue;
    const auto [at, added] = seen.try_emplace(std::move(point), item, what);
    if (!added && at->second.second != what) return std::pair(at->second.first, item);
  }
  return std::nullopt;
}

/// A point reads as "alpha = 0.3, student = tied".
std::string described_point(const Item& item, const PointAxes& axes) {
  std::vector<std::string> words;
  const auto add = [&](const std::string& axis, const json& value) {
    if (const std::string text = text_of(value, kAllDigits); !text.empty())
      words.push_back(fmt::format("{} = {}", axis, text));
  };
  for (const std::string& axis : axes.along) add(axis, planned_place(item, axis));
  for (const std::string& axis : axes.by) add(axis, coordinate(item, axis));
  return fmt::format("{}", fmt::join(words, ", "));
}

void count_unconverged(const Item& item, Gaps& gaps) {
  if (item.task->kind != TaskKind::experiment) {
    ++gaps.unconverged;
    return;
  }
  const json& figures = item.outcome->figures;
  if (!figures.at("converged").get<bool>()) ++gaps.untrained;
  if (!figures.at("theory").at("converged").get<bool>()) ++gaps.unsolved;
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

std::vector<Item> once(const std::vector<Item>& items) {
  std::set<std::size_t> seen;
  std::vector<Item> result;
  for (const Item& item : items)
    if (seen.insert(item.entry->task).second) result.push_back(item);
  return result;
}

bool usable(const Item& item) {
  if (!item.has_figures()) return false;
  return item.task->kind == TaskKind::experiment || item.outcome->status == Status::converged;
}

Gaps gaps_of(const std::vector<Item>& items) {
  Gaps gaps;
  for (const Item& item : once(items)) {
    if (item.outcome == nullptr) {
      ++gaps.missing;
    } else if (item.outcome->status == Status::failed) {
      if (gaps.failed++ == 0) gaps.error = item.outcome->error;
    } else if (item.outcome->status == Status::unconverged) {
      count_unconverged(item, gaps);
    }
  }
  return gaps;
}

std::vector<std::string> Gaps::lines() const {
  std::vector<std::string> lines;
  const auto results = [](std::size_t count) { return base::counted(count, "result"); };
  if (missing > 0) lines.push_back(fmt::format("Left out: {} not computed yet.", results(missing)));
  if (failed > 0) lines.push_back(fmt::format("Left out: {} that failed ({}).", results(failed), error));
  if (unconverged > 0)
    lines.push_back(fmt::format("Left out: {} of the theory that did not converge.", results(unconverged)));
  if (untrained > 0)
    lines.push_back(fmt::format("Drawn although training stopped before its tolerance: {}.", results(untrained)));
  if (unsolved > 0)
    lines.push_back(
        fmt::format("Drawn although the theory of their own target did not converge: {}.", results(unsolved)));
  return lines;
}

std::vector<std::string> series_axes(const study::ChartRequest& request, const std::vector<Item>& items) {
  if (!request.by.empty()) return request.by;
  std::vector<std::string> axes, found;
  for (const Item& item : items)
    for (const std::string& axis : item.part->axes)
      if (axis != request.x && axis != "instance" && axis != request.best_over &&
          std::find(axes.begin(), axes.end(), axis) == axes.end())
        axes.push_back(axis);
  for (const std::string& axis : axes)
    if (varies_at_one_x(items, request.x, axis)) found.push_back(axis);
  const auto add = [&](const char* axis) {
    if (request.x != axis) found.emplace_back(axis);
  };
  if (several_dimensions(items)) add("d");
  for (const char* training : {"trainer", "outputs"})
    if (varies_at_one_x(items, request.x, training, found)) add(training);
  // Where every instance has its own best, subjects differ within a point.
  if (request.best_over.empty() && mixed_point(items, {{request.x}, found})) add("part");
  return found;
}

std::vector<Item> best_over(const std::string& axis, const std::vector<Item>& items) {
  if (axis.empty()) return items;
  std::vector<Item> best;
  std::map<json, std::size_t> found;
  for (const Item& item : items) {
    if (item.task->kind != TaskKind::experiment) {
      best.push_back(item);
      continue;
    }
    json family{item.part->name, item.entry->coordinates};
    family[1].erase(axis);
    const auto [at, added] = found.try_emplace(std::move(family), best.size());
    if (added) {
      best.push_back(item);
    } else if (const auto test = figure(item, "test")) {
      const auto least = figure(best[at->second], "test");
      if (!least || *test < *least) best[at->second] = item;
    }
  }
  return best;
}

json subject(const study::Task& task) {
  json document = study::to_json(task);
  for (const char* free : {"continued", "density", "n"}) document.erase(free);
  if (document.contains("experiment")) document["experiment"].erase("instance");
  return document;
}

void require_one_subject_per_point(const std::string& title, const std::vector<Item>& items, const PointAxes& axes) {
  const auto mixed = mixed_point(items, axes);
  if (!mixed) return;
  const auto& [first, second] = *mixed;
  throw std::invalid_argument(fmt::format(
      "the chart '{}' has different problems at one point ({}), which differ in {}: tell them apart with by, or draw "
      "them in charts of their own",
      title, described_point(first, axes), fmt::join(differences(subject(*first.task), subject(*second.task)), ", ")));
}

int Labels::digits(const std::string& axis) const {
  constexpr int kUsual = 4;
  std::set<double> values;
  for (const Item& item : items_)
    if (const json value = coordinate(item, axis); value.is_number()) values.insert(value.get<double>());
  for (int digits = kUsual; digits < kAllDigits; ++digits) {
    std::set<std::string> texts;
    for (const double value : values) texts.insert(text_of(value, digits));
    if (texts.size() == values.size()) return digits;
  }
  return kAllDigits;
}

std::string Labels::operator()(const Item& item, const std::string& axis) const {
  const auto [known, added] = digits_.try_emplace(axis, 0);
  if (added) known->second = digits(axis);
  const std::string text = text_of(coordinate(item, axis), known->second);
  if (text.empty() || text.find_first_not_of("0123456789.+-e") != std::string::npos) return symbol(text);
  return fmt::format("{} = {}", symbol(axis), text);
}

report::Subject Labels::subject(const Item& item) const {
  report::Subject subject{joined(item.part->axes, [&](const std::string& axis) { return (*this)(item, axis); }), {}};
  for (const std::string& axis : item.part->axes) subject.keys.emplace_back(axis, cell_of(coordinate(item, axis)));
  return subject;
}

}  // namespace attnlaw::view
