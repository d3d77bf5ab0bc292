#include "attnlaw/view/figure/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>

#include "attnlaw/base/fields/description.h"
#include "attnlaw/base/json_text.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/study/spectrum_comparison.h"

namespace attnlaw::view {
namespace {

using nlohmann::json;
using study::TaskKind;

std::optional<double> as_number(const json& value) {
  if (value.is_number() && !value.is_boolean()) return value.get<double>();
  if (value.is_object() && value.contains("alpha")) return as_number(value["alpha"]);
  return std::nullopt;
}

/// Returns the dimension of a finite system: d of an experiment, D of a power law.
std::optional<double> dimension(const study::Task& task) {
  if (task.kind == TaskKind::experiment) return task.experiment.d;
  if (const model::PowerLawTarget* law = task.problem.target.power_law()) return static_cast<double>(law->dimension);
  return std::nullopt;
}

/// Returns n or n/d, which follow from α and the dimension.
std::optional<double> sequences(const study::Task& task, const std::string& name) {
  const auto d = dimension(task);
  if (!d) return std::nullopt;
  if (name == "n/d") return task.problem.alpha * *d;
  return std::round(task.problem.alpha * *d * *d);
}

constexpr std::string_view kEffective = "_eff";

/// The groups of a document (docs/json.md) whose numbers have names of their own.
constexpr const char* kGroups[] = {"errors",         "overlaps", "conjugates", "spectrum",     "spectrum.collapse",
                                   "optimal_lambda", "bayes",    "ridgeless",  "loss_figures", "diagnostics",
                                   "parts"};

/// Returns the threshold "recovery" of "recovery_eff", in units of α K_eff; nothing for other names.
std::optional<double> effective_threshold(const Item& item, const std::string& name) {
  if (item.task->kind != TaskKind::thresholds || !name.ends_with(kEffective)) return std::nullopt;
  const auto alpha = find_number(item.outcome->figures, name.substr(0, name.size() - kEffective.size()));
  if (!alpha) return std::nullopt;
  return *alpha * item.task->problem.observed_score_count();
}

/// Returns what a part of the estimation error costs in the test error: "test_parts.bulk", or "test_noisy_parts.bulk".
std::optional<double> priced_part(const json& document, const std::string& name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos || !name.substr(0, dot).ends_with("_parts")) return std::nullopt;
  const json *price = find_value(document, name.substr(0, dot) + ".price"),
             *part = find_value(document, "parts" + name.substr(dot));
  if (price == nullptr || part == nullptr || !price->is_number() || !part->is_number()) return std::nullopt;
  return price->get<double>() * part->get<double>();
}

/// Returns κ* of a target that has one.
std::optional<double> rank_of(const model::Target& target) {
  if (const auto* wishart = target.spectrum().wishart()) return wishart->kappa;
  if (const auto* product = target.spectrum().product()) return product->kappa;
  return std::nullopt;
}

/// Returns k of "eigenvalue:k"; nothing for other names.
std::optional<std::size_t> eigenvalue_number(const std::string& name) {
  constexpr std::string_view kPrefix = "eigenvalue:";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  std::size_t k = 0;
  const auto [end, error] = std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), k);
  if (error != std::errc{} || end != name.data() + name.size() || k == 0) return std::nullopt;
  return k;
}

std::optional<double> rank_fraction_of(const std::vector<double>& eigenvalues) {
  const double tolerance = study::zero_tolerance(eigenvalues);
  const auto nonzero =
      std::count_if(eigenvalues.begin(), eigenvalues.end(), [&](double s) { return std::abs(s) > tolerance; });
  return static_cast<double>(nonzero) / static_cast<double>(eigenvalues.size());
}

std::optional<double> measured_in_spectrum(const std::vector<double>& eigenvalues, const std::string& name) {
  if (eigenvalues.empty()) return std::nullopt;
  if (const auto k = eigenvalue_number(name); k && *k <= eigenvalues.size()) return eigenvalues[*k - 1];
  if (name == "rank_fraction") return rank_fraction_of(eigenvalues);
  if (name == "zero_mass") return 1 - *rank_fraction_of(eigenvalues);
  return std::nullopt;
}

/// Returns the outlier of the k-th mode: modes become isolated in the order of their size.
std::optional<double> predicted_eigenvalue(const json& figures, std::size_t k) {
  const json* outliers = find_value(figures, "spectrum.outliers");
  if (outliers == nullptr || outliers->size() < k) return std::nullopt;
  std::vector<std::pair<double, double>> modes;
  for (const json& outlier : *outliers) modes.emplace_back(outlier.at("target"), outlier.at("eigenvalue"));
  std::sort(modes.begin(), modes.end(), std::greater<>());
  return modes[k - 1].second;
}

std::optional<double> in_spectrum(const Item& item, const std::string& name) {
  if (name == "rank") {
    const auto fraction = figure(item, "rank_fraction"), d = dimension(*item.task);
    return fraction && d ? std::optional(*fraction * *d) : std::nullopt;
  }
  if (const auto* eigenvalues = item.outcome->array("eigenvalues")) return measured_in_spectrum(*eigenvalues, name);
  if (const auto k = eigenvalue_number(name)) return predicted_eigenvalue(item.outcome->figures, *k);
  return std::nullopt;
}

/// 0.1 + 0.2 and 0.3 are the same value of an axis.
json without_rounding_errors(const json& value) {
  if (!value.is_number()) return value;
  const std::string text = fmt::format("{:.14g}", value.get<double>());
  return json::parse(text).get<double>();
}

/// Readers see these in place of a name: a short one, and the title of an axis. Options of a problem have their symbols
/// of their fields.
struct Name {
  const char* name;
  const char* symbol;
  const char* title;
};
constexpr Name kNames[] = {
    {"alpha", "", "α = n/d²"},
    {"alpha_eff", "αK_eff", "effective sample ratio αK_eff"},
    {"alpha_eff/kappa", "αK_eff/κ*", "effective sample ratio over rank, αK_eff/κ*"},
    {"lambda", "", "penalty λ"},
    {"noise", "", "noise Δ"},
    {"kappa", "κ*", "κ* of the target"},
    {"gamma", "γ", "exponent γ of the target"},
    {"width", "", "width κ = m_h/d"},
    {"tokens", "", "tokens T"},
    {"beta", "", "inverse temperature β"},
    {"target_beta", "", "inverse temperature β* of the labels"},
    {"n", "n", "sequences n"},
    {"n/d", "n/d", "sequences per dimension n/d"},
    {"train", "train", "training error"},
    {"test", "test", "test error"},
    {"test_noisy", "test (noisy labels)", "test error on noisy labels"},
    {"estimation", "estimation", "estimation error"},
    {"excess_train", "excess (train)", "excess cross-entropy on training data"},
    {"excess_test", "excess", "excess cross-entropy on fresh sequences"},
    {"squared_train", "squared (train)", "squared distance on training data"},
    {"squared_test", "squared", "squared distance on fresh sequences"},
    {"sign_error", "sign error", "part of signs that are wrong"},
    {"slope", "slope", "local slope d log E/d log n"},
    {"recovered", "modes", "modes recovered"},
    {"replicon", "replicon", "replicon R"},
    {"rank_fraction", "rank/d", "rank/d of the trained S"},
    {"stable_rank", "stable rank/d", "stable rank/d of the trained S"},
    {"effective_rank", "effective rank/d", "effective rank/d of the trained S"},
    {"nuclear_frobenius", "nuclear/(√d Frobenius)", "nuclear/(√d Frobenius) of the trained S"},
    {"zero_mass", "mass at 0", "mass at 0 of the trained S"},
    {"upper_mass", "upper bulk", "mass of the bulk that has detached"},
    {"regime", "regime", "regime"},
    {"test_parts.floor", "floor", "test error of the target itself"},
    {"test_parts.unlearned", "unlearned", "test error by modes that are not learned"},
    {"test_parts.shrinkage", "shrinkage", "test error by shrinkage"},
    {"test_parts.misalignment", "misalignment", "test error by misalignment"},
    {"test_parts.bulk", "bulk", "test error by fitted noise"},
    {"test_parts.amplitude", "amplitude", "test error by amplitude"},
    {"test_noisy_parts.floor", "floor", "test error of the target itself"},
    {"test_noisy_parts.unlearned", "unlearned", "test error by modes that are not learned"},
    {"test_noisy_parts.shrinkage", "shrinkage", "test error by shrinkage"},
    {"test_noisy_parts.misalignment", "misalignment", "test error by misalignment"},
    {"test_noisy_parts.bulk", "bulk", "test error by fitted noise"},
    {"test_noisy_parts.amplitude", "amplitude", "test error by amplitude"},
    {"recovery", "recovery", "α of recovery"},
    {"interpolation", "interpolation", "α of interpolation"},
    {"bayes_recovery", "Bayes recovery", "α of Bayes recovery"},
    {"detachment", "detachment", "α of detachment"},
    {"detachment_eff", "detachment", "αK_eff of detachment"},
    {"recovery_eff", "recovery", "αK_eff of recovery"},
    {"interpolation_limit", "interpolation, Δ → 0", "α of interpolation as the noise vanishes"},
    {"interpolation_limit_eff", "interpolation, Δ → 0", "αK_eff of interpolation as the noise vanishes"},
    {"interpolation_eff", "interpolation", "αK_eff of interpolation"},
    {"bayes_recovery_eff", "Bayes recovery", "αK_eff of Bayes recovery"},
    {"bayes", "Bayes", "Bayes"},
};

const Name* find_name(const std::string& name) {
  const auto found =
      std::find_if(std::begin(kNames), std::end(kNames), [&](const Name& known) { return name == known.name; });
  return found == std::end(kNames) ? nullptr : found;
}

}  // namespace

const json* find_value(const json& document, std::string_view path) {
  const json* value = &document;
  for (const std::string_view key : base::split(path, '.')) {
    const auto index = value->is_array() ? base::number_in<std::size_t>(key) : std::nullopt;
    if (value->is_object() && value->contains(key))
      value = &value->at(key);
    else if (index && *index < value->size())
      value = &value->at(*index);
    else
      return nullptr;
  }
  return value;
}

std::optional<double> find_number(const json& document, const std::string& name) {
  if (const json* value = find_value(document, name))
    if (const auto number = as_number(*value)) return number;
  for (const char* group : kGroups)
    if (const json* value = find_value(document, fmt::format("{}.{}", group, name)))
      if (const auto number = as_number(*value)) return number;
  return priced_part(document, name);
}

std::vector<std::string> figure_names(const json& document) {
  std::vector<std::string> names;
  const auto add = [&](const json* group, const std::string& path) {
    if (group == nullptr || !group->is_object()) return;
    for (const auto& [name, value] : group->items()) {
      if (!value.is_number() && !value.is_array()) continue;
      names.push_back(name);
      if (!path.empty()) names.push_back(fmt::format("{}.{}", path, name));
    }
  };
  add(&document, "");
  for (const char* group : kGroups) add(find_value(document, group), group);
  return names;
}

std::optional<double> ratio_unit(const study::Task& task, const std::string& axis) {
  if (axis == "alpha") return 1;
  const double observed = task.problem.observed_score_count();
  if (axis == "alpha_eff") return observed;
  if (axis != "alpha_eff/kappa") return std::nullopt;
  const auto rank = rank_of(task.problem.target);
  return rank ? std::optional(observed / *rank) : std::nullopt;
}

std::vector<double> places(const Item& item, const std::string& axis) {
  if (item.task->kind != TaskKind::scaling || item.entry->coordinates.contains(axis)) {
    const auto at = position(item, axis);
    return at ? std::vector{*at} : std::vector<double>();
  }
  const auto D = dimension(*item.task);
  if (!D) return {};
  std::vector<double> result;
  for (const double n : item.task->n) {
    if (axis == "n") result.push_back(n);
    if (axis == "n/d") result.push_back(n / *D);
    if (const auto unit = ratio_unit(*item.task, axis)) result.push_back(n / (*D * *D) * *unit);
  }
  return result;
}

std::optional<double> position(const Item& item, const std::string& name) {
  const json& coordinates = item.entry->coordinates;
  if (coordinates.contains(name))
    if (const auto number = as_number(coordinates[name])) return number;
  if (name == "n" || name == "n/d") return sequences(*item.task, name);
  if (name == "alpha_eff" || name == "alpha_eff/kappa") {
    const auto unit = ratio_unit(*item.task, name);
    return unit ? std::optional(item.task->problem.alpha * *unit) : std::nullopt;
  }
  if (name == "D" || name == "d") return dimension(*item.task);
  if (const json problem = model::to_json(item.task->problem); problem.contains(name))
    if (const auto number = as_number(problem[name])) return number;
  return figure(item, name);
}

json place(const Item& item, const std::string& axis) {
  // A rule for λ becomes a number.
  if (axis == "lambda" && !item.has_figures() && !position(item, axis)) return {};
  if (const auto at = position(item, axis)) return *at;
  const json word = coordinate(item, axis);
  return word.is_string() ? word : json();
}

std::optional<double> figure(const Item& item, const std::string& name) {
  if (!item.has_figures()) return std::nullopt;
  if (const auto number = find_number(item.outcome->figures, name)) return number;
  if (const auto number = in_spectrum(item, name)) return number;
  if (const auto number = effective_threshold(item, name)) return number;
  if (name == "lambda" && item.task->problem.lambda_rule == model::LambdaRule::value) return item.task->problem.lambda;
  return std::nullopt;
}

json coordinate(const Item& item, const std::string& name) {
  if (name == "part") return item.part->name;
  if (item.entry->coordinates.contains(name)) return without_rounding_errors(item.entry->coordinates[name]);
  if (item.task->kind == TaskKind::experiment) {
    if (name == "d") return static_cast<double>(item.task->experiment.d);
    if (name == "trainer") return experiment::name(item.task->experiment.trainer);
    if (name == "outputs") return experiment::name(item.task->experiment.outputs);
  }
  const json problem = model::to_json(item.task->problem);
  return problem.contains(name) ? without_rounding_errors(problem[name]) : json();
}

std::string text_of(const json& coordinate, int digits) {
  if (coordinate.is_string()) return coordinate;
  if (coordinate.is_number()) return fmt::format("{:.{}g}", coordinate.get<double>(), digits);
  return coordinate.is_null() ? "" : base::json_text(coordinate);
}

std::string axis_title(const std::string& name) {
  const Name* known = find_name(name);
  return known ? known->title : name;
}

std::string symbol(const std::string& name) {
  const base::Field* option = base::find_field(describe(static_cast<const model::Problem*>(nullptr)), name);
  if (option && !option->about.symbol.empty()) return std::string(option->about.symbol);
  const Name* known = find_name(name);
  return known ? known->symbol : name;
}

std::string sentence(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

}  // namespace attnlaw::view
