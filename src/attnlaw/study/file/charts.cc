#include "attnlaw/study/file/charts.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/study/comparison.h"
#include "attnlaw/study/file/request.h"
#include "attnlaw/study/thresholds.h"
#include "attnlaw/theory/scaling.h"

namespace attnlaw::study {
namespace {

using base::TomlValue;
using Kind = ChartRequest::Kind;

/// Refuses texts under `key` that are not among the accepted ones.
void require_among(const SourceFile& file, const TomlValue& chart, const std::string& key,
                   const std::vector<std::string>& texts, const std::vector<std::string>& accepted) {
  for (const std::string& text : texts)
    file.placed(chart.find(key)->line, "",
                [&] { base::require_among(text, accepted, fmt::format("{} of a chart has '{}'", key, text)); });
}

std::vector<std::string> names_of(const std::vector<Part>& parts) {
  std::vector<std::string> names;
  for (const Part& part : parts) names.push_back(part.name);
  return names;
}

std::vector<std::string> each_once(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

/// Axes and options of the problem, which tell curves apart and may stand along a chart, and names beside them.
std::vector<std::string> variables_of(const std::vector<Part>& parts, std::vector<std::string> names) {
  for (const Part& part : parts) names.insert(names.end(), part.axes.begin(), part.axes.end());
  names.insert(names.end(), problem_options().begin(), problem_options().end());
  return each_once(std::move(names));
}

bool has_experiments(const Part& part) {
  return std::any_of(part.entries.begin(), part.entries.end(),
                     [](const PartEntry& entry) { return entry.coordinates.contains("instance"); });
}

/// The axes of the drawn parts with experiments that are options of the problem: instances can take their best of them.
std::vector<std::string> searchable(const std::vector<Part>& parts, const ChartRequest& request) {
  const auto among = [](const std::string& name, const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::vector<std::string> names;
  for (const Part& part : parts)
    if ((request.parts.empty() || among(part.name, request.parts)) && has_experiments(part))
      std::copy_if(part.axes.begin(), part.axes.end(), std::back_inserter(names),
                   [&](const std::string& axis) { return among(axis, problem_options()); });
  return each_once(std::move(names));
}

/// "eigenvalue:3".
bool is_eigenvalue(const std::string& name) {
  constexpr std::string_view kPrefix = "eigenvalue:";
  if (!name.starts_with(kPrefix)) return false;
  const std::string number = name.substr(kPrefix.size());
  return !number.empty() && number[0] != '0' && number.find_first_not_of("0123456789") == std::string::npos;
}

/// A path into a document: "theory.test".
bool is_path(const std::string& name) { return name.find('.') != std::string::npos; }

/// Adds the names of the numbers in a document, but for its problem and its times.
void add_numbers(const base::Description& description, std::vector<std::string>& names) {
  base::for_each_field(description, [&](const base::Field& field) {
    const base::Type& type = field.type.item ? *field.type.item : field.type;
    const bool number = field.type.kind == base::Kind::number || field.type.kind == base::Kind::integer;
    if (type.object && field.name != "problem") add_numbers(type.object(), names);
    if ((number || field.name == "lambda") && field.about.unit != "s") names.push_back(field.name);
  });
}

/// Plain names of the figures that a chart may draw (docs/commands/figure.md), of all kinds of tasks.
const std::vector<std::string>& figure_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> found{"rank", "regime"};
    std::vector<std::string> thresholds = threshold_names();
    thresholds.emplace_back("interpolation_limit");
    for (const std::string& threshold : thresholds)
      for (const char* unit : {"", "_eff"}) found.push_back(threshold + unit);
    for (const base::Description* document :
         {&base::detail::description_of<theory::Solution>(), &base::detail::description_of<PredictedInstance>(),
          &base::detail::description_of<Thresholds>(), &base::detail::description_of<theory::ScalingCurve>()})
      add_numbers(*document, found);
    return found;
  }();
  return names;
}

/// Refuses names under `key` that are no figure and not among `others`.
void require_figures(const SourceFile& file, const TomlValue& chart, const std::string& key,
                     std::vector<std::string> names, std::vector<std::string> others = {}) {
  std::erase_if(names, [](const std::string& name) { return is_eigenvalue(name) || is_path(name); });
  others.insert(others.end(), figure_names().begin(), figure_names().end());
  others = each_once(std::move(others));
  others.insert(others.end(), {"eigenvalue:1", "eigenvalue:2", "…", "paths like theory.test"});
  require_among(file, chart, key, names, others);
}

void require_names(const SourceFile& file, const TomlValue& chart, const ChartRequest& request,
                   const std::vector<Part>& parts) {
  const auto along = variables_of(parts, {"n", "n/d", "d", "D", "instance", "alpha_eff", "alpha_eff/kappa"});
  require_among(file, chart, "parts", request.parts, names_of(parts));
  require_among(file, chart, "by", request.by, variables_of(parts, {"d", "instance", "part", "trainer", "outputs"}));
  if (!request.best_over.empty())
    require_among(file, chart, "best_over", {request.best_over}, searchable(parts, request));
  if (!request.x.empty()) require_figures(file, chart, "x", {request.x}, along);
  if (!request.y.empty()) require_figures(file, chart, "y", {request.y}, along);
  require_figures(file, chart, "values", request.values);
  require_among(file, chart, "lines", request.lines, threshold_names());
}

void require_complete(const SourceFile& file, const TomlValue& chart, const ChartRequest& request) {
  const auto need = [&](bool there, const char* kind, const char* what) {
    if (!there) file.reject(chart.line, "a chart of kind {} needs {}", kind, what);
  };
  const auto refuse_elsewhere = [&](bool given, const char* key, Kind kind) {
    if (given && request.kind != kind)
      file.reject(chart.find(key)->line, "{} is of charts of kind {}, got kind {}", key, name(kind),
                  name(request.kind));
  };
  refuse_elsewhere(request.square_roots, "square_roots", Kind::spectrum);
  refuse_elsewhere(request.ratios, "ratios", Kind::curves);
  refuse_elsewhere(!request.best_over.empty(), "best_over", Kind::curves);
  if (!request.lines.empty() && request.kind == Kind::spectrum)
    file.reject(chart.find("lines")->line, "lines are of charts of kinds curves and map, got kind spectrum");
  if (!request.best_over.empty() && request.best_over == request.x)
    file.reject(chart.find("best_over")->line, "best_over must differ from x, got {} for both", request.x);
  if (request.kind == Kind::curves) {
    need(!request.x.empty(), "curves", "x, what is drawn along");
    need(!request.values.empty(), "curves", "values, at least one figure to draw");
  } else if (request.kind == Kind::map) {
    need(!request.x.empty() && !request.y.empty(), "map", "x and y, its two axes");
    need(request.values.size() == 1, "map", "values with exactly one figure to draw");
  }
}

ChartRequest read_chart(const SourceFile& file, const TomlValue& chart, const std::vector<Part>& parts) {
  ChartRequest request;
  read_table(file, chart, base::detail::description_of<ChartRequest>(), &request, "a [[chart]]");
  require_names(file, chart, request, parts);
  require_complete(file, chart, request);
  return request;
}

}  // namespace

std::vector<ChartRequest> read_charts(const SourceFile& file, const TomlValue& document,
                                      const std::vector<Part>& parts) {
  std::vector<ChartRequest> charts;
  const TomlValue* given = document.find("chart");
  if (!given) return charts;
  if (!given->is_array()) file.reject(given->line, "charts are written [[chart]], got {}", given->described());
  for (const TomlValue& chart : given->items) charts.push_back(read_chart(file, chart, parts));
  return charts;
}

}  // namespace attnlaw::study
