#include "attnlaw/study/file/charts.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/study/file/request.h"

namespace attnlaw::study {
namespace {

using base::TomlValue;
using Kind = ChartRequest::Kind;

/// Refuses texts under `key` that are not among the accepted ones.
void require_among(const SourceFile& file, const TomlValue& chart, const std::string& key,
                   const std::vector<std::string>& texts, const std::vector<std::string>& accepted) {
  for (const std::string& text : texts)
    if (std::find(accepted.begin(), accepted.end(), text) == accepted.end())
      file.reject(chart.find(key)->line, "{} of a chart has '{}'; accepted: {}{}", key, text, fmt::join(accepted, ", "),
                  base::suggestion(text, accepted));
}

std::vector<std::string> names_of(const std::vector<Part>& parts) {
  std::vector<std::string> names;
  for (const Part& part : parts) names.push_back(part.name);
  return names;
}

/// The variables that may tell the curves of a chart apart.
std::vector<std::string> keys_of(const std::vector<Part>& parts) {
  std::vector<std::string> keys;
  for (const Part& part : parts) keys.insert(keys.end(), part.axes.begin(), part.axes.end());
  keys.insert(keys.end(), {"d", "instance", "part", "trainer"});
  keys.insert(keys.end(), problem_options().begin(), problem_options().end());
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

/// The variables that may stand on an axis of a chart beside figures.
std::vector<std::string> positions_of(const std::vector<Part>& parts) {
  std::vector<std::string> names{"n", "n/d", "d", "D", "instance"};
  for (const Part& part : parts) names.insert(names.end(), part.axes.begin(), part.axes.end());
  names.insert(names.end(), problem_options().begin(), problem_options().end());
  return names;
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

/// Refuses names under `key` that are no figure and not among `others`.
void require_figures(const SourceFile& file, const TomlValue& chart, const std::string& key,
                     const std::vector<std::string>& names, std::vector<std::string> others) {
  others.insert(others.end(), figure_names().begin(), figure_names().end());
  std::sort(others.begin(), others.end());
  others.erase(std::unique(others.begin(), others.end()), others.end());
  for (const std::string& name : names)
    if (!is_eigenvalue(name) && !is_path(name) && std::find(others.begin(), others.end(), name) == others.end())
      file.reject(chart.find(key)->line,
                  "{} of a chart has '{}'; accepted: {}, eigenvalue:1, eigenvalue:2, …, and paths like theory.test{}",
                  key, name, fmt::join(others, ", "), base::suggestion(name, others));
}

void require_names(const SourceFile& file, const TomlValue& chart, const ChartRequest& request,
                   const std::vector<Part>& parts) {
  require_among(file, chart, "parts", request.parts, names_of(parts));
  require_among(file, chart, "by", request.by, keys_of(parts));
  if (!request.x.empty()) require_figures(file, chart, "x", {request.x}, positions_of(parts));
  if (!request.y.empty()) require_figures(file, chart, "y", {request.y}, positions_of(parts));
  require_figures(file, chart, "values", request.values, {});
}

void require_complete(const SourceFile& file, const TomlValue& chart, const ChartRequest& request) {
  const auto need = [&](bool there, const char* kind, const char* what) {
    if (!there) file.reject(chart.line, "a chart of kind {} needs {}", kind, what);
  };
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

const std::vector<std::string>& figure_names() {
  static const std::vector<std::string> names = {
      // theory
      "train", "test", "estimation", "objective", "Q_star", "q", "q_a", "m", "V", "V_a", "q_hat", "q_hat_a", "m_hat",
      "V_hat", "V_hat_a", "zero_mass", "rank_fraction", "stable_rank", "effective_rank", "nuclear_frobenius", "lambda",
      "curvature", "a", "t", "noise_variance", "plug_in_test", "index_error", "mutual_information", "iterations",
      "residual", "replicon", "law_error", "points",
      // losses
      "excess_train", "excess_test", "squared_train", "squared_test", "sign_error",
      // experiments
      "seed", "kkt", "n", "nuclear", "rank",
      // thresholds
      "tokens", "K_eff", "recovery", "interpolation", "bayes_recovery",
      // scaling curves
      "gamma", "dimension", "alpha", "slope", "predicted", "recovered", "unlearned", "shrinkage", "misalignment",
      "bulk"};
  return names;
}

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
