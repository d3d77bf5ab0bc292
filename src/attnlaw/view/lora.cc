#include "attnlaw/view/lora.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "attnlaw/view/columns.h"

namespace attnlaw::view {
namespace {

using laws::LoraExperiment;
using laws::LoraFigure;
using laws::LoraInstance;
using laws::LoraMeasurements;
using laws::LoraPrediction;
using report::Table;

/// A figure that theory and experiment share.
struct Figure {
  const char* name;
  const char* title;
  double (*theory)(const LoraPrediction&);
  double (*sampling_error)(const LoraPrediction&);
  double LoraMeasurements::*measured;
};

double no_error(const LoraPrediction&) { return std::nan(""); }

/// kOverlaps overlaps first, then errors.
constexpr std::size_t kOverlaps = 2;
const std::array<Figure, 8> kFiguresOfBoth{{
    {"m", "overlap m = w·u", [](const LoraPrediction& p) { return p.overlaps.m; },
     [](const LoraPrediction& p) { return p.sampling_error.m; }, &LoraMeasurements::m},
    {"q", "length q = |w|²", [](const LoraPrediction& p) { return p.overlaps.q; },
     [](const LoraPrediction& p) { return p.sampling_error.q; }, &LoraMeasurements::q},
    {"alignment", "alignment cos²", [](const LoraPrediction& p) { return p.alignment; },
     [](const LoraPrediction& p) { return p.alignment_error; }, &LoraMeasurements::alignment},
    {"adapter_error", "adapter error", [](const LoraPrediction& p) { return p.adapter_error; }, no_error,
     &LoraMeasurements::adapter_error},
    {"index_error", "index error", [](const LoraPrediction& p) { return p.index_error; }, no_error,
     &LoraMeasurements::index_error},
    {"train", "train", [](const LoraPrediction& p) { return p.train; },
     [](const LoraPrediction& p) { return p.train_error; }, &LoraMeasurements::train},
    {"test", "test", [](const LoraPrediction& p) { return p.test; },
     [](const LoraPrediction& p) { return p.test_error; }, &LoraMeasurements::test},
    {"objective", "objective", [](const LoraPrediction& p) { return p.objective; }, no_error,
     &LoraMeasurements::objective},
}};

report::Column text_column(const char* name) { return general(name); }

Table prediction_table(const LoraPrediction& prediction) {
  Table table{
      "Fine-tuning: " + describe(prediction),
      {text_column("figure"), general("theory"), general("sampling error", kErrorFigures), general("large-α law")}};
  const laws::LoraLargeAlpha law = laws::large_alpha_law(prediction.task, prediction.pretrained);
  const bool linear = prediction.task.head == model::Head::linear;
  for (const Figure& figure : kFiguresOfBoth) {
    report::Cell limit;
    const std::string name = figure.name;
    if (linear && name == "alignment") limit = 1 - law.misalignment;
    if (linear && name == "adapter_error") limit = law.adapter_error;
    if (linear && (name == "index_error" || name == "test")) limit = law.index_error;
    table.rows.push_back({std::string(figure.title), or_nothing(figure.theory(prediction)),
                          or_nothing(figure.sampling_error(prediction)), limit});
  }
  table.rows.push_back(
      {std::string("response V"), or_nothing(prediction.overlaps.V), or_nothing(prediction.sampling_error.V), {}});
  table.rows.push_back({std::string("effective penalty"), or_nothing(prediction.lambda_effective), {}, {}});
  table.rows.push_back({std::string("effective noise E_pre + Δ"), prediction.effective_noise, {}, {}});
  table.rows.push_back({std::string("stability (< 1)"), or_nothing(prediction.stability), {}, {}});
  table.rows.push_back({std::string("Stein's identity"), or_nothing(prediction.stein), {}, {}});
  if (linear) {
    const laws::WeakRecovery weak = laws::weak_recovery(prediction.task, prediction.pretrained);
    table.rows.push_back({std::string(weak.alpha ? "weak recovery at α_ft" : "weak recovery at α_ft, at most"),
                          weak.alpha.value_or(weak.upper_bound),
                          {},
                          {}});
  }
  return table;
}

Table experiment_table(const LoraExperiment& experiment, const LoraPrediction& drawn) {
  Table table{
      fmt::format("Experiments at d = {}, n = {}, {} instances; theory of the students that were drawn (E_pre = "
                  "{:.4g}, ω left to learn {:.4g})",
                  experiment.d, experiment.n, experiment.instances.size(), experiment.mean.E_pre,
                  experiment.mean.omega_effective),
      {text_column("figure"), general("theory"), general("experiment"), general("±", kErrorFigures)}};
  for (const Figure& figure : kFiguresOfBoth)
    table.rows.push_back({std::string(figure.title), or_nothing(figure.theory(drawn)), experiment.mean.*figure.measured,
                          or_nothing(experiment.standard_error.*figure.measured)});
  table.rows.push_back({std::string("alignment of the start"),
                        {},
                        experiment.mean.start_alignment,
                        or_nothing(experiment.standard_error.start_alignment)});
  return table;
}

Table curve_table(const std::vector<LoraPrediction>& curve) {
  Table table{"Learning curve", {general("alpha_ft")}};
  for (const Figure& figure : kFiguresOfBoth) table.columns.push_back(general(figure.name));
  table.columns.push_back(general("stability"));
  for (const LoraPrediction& point : curve) {
    table.rows.push_back({point.task.alpha});
    for (const Figure& figure : kFiguresOfBoth) table.rows.back().push_back(or_nothing(figure.theory(point)));
    table.rows.back().push_back(or_nothing(point.stability));
  }
  return table;
}

nlohmann::json prediction_json(const LoraPrediction& prediction) {
  nlohmann::json errors;
  for (std::size_t i = kOverlaps; i < kFiguresOfBoth.size(); ++i)
    errors[kFiguresOfBoth[i].name] = kFiguresOfBoth[i].theory(prediction);
  return {{"alpha_ft", prediction.task.alpha},
          {"omega", prediction.task.omega},
          {"converged", prediction.converged},
          {"overlaps", {{"m", prediction.overlaps.m}, {"q", prediction.overlaps.q}, {"V", prediction.overlaps.V}}},
          {"errors", errors},
          {"lambda_effective", prediction.lambda_effective},
          {"effective_noise", prediction.effective_noise},
          {"stability", prediction.stability},
          {"stein", prediction.stein},
          {"sampling_error",
           {{"m", prediction.sampling_error.m},
            {"q", prediction.sampling_error.q},
            {"V", prediction.sampling_error.V},
            {"alignment", prediction.alignment_error},
            {"train", prediction.train_error},
            {"test", prediction.test_error}}},
          {"residual", prediction.residual},
          {"evaluations", prediction.iterations},
          {"points", prediction.points},
          {"seconds", prediction.seconds}};
}

nlohmann::json measurements_json(const LoraMeasurements& measurements) {
  nlohmann::json result;
  for (const LoraFigure& figure : laws::lora_figures()) result[figure.name] = measurements.*figure.value;
  return result;
}

nlohmann::json experiment_json(const LoraExperiment& experiment, const LoraPrediction& drawn) {
  nlohmann::json instances = nlohmann::json::array();
  for (const LoraInstance& instance : experiment.instances) {
    instances.push_back(measurements_json(instance));
    instances.back()["seed"] = instance.seed;
    instances.back()["converged"] = instance.converged;
  }
  return {{"d", experiment.d},
          {"n", experiment.n},
          {"instances", instances},
          {"mean", measurements_json(experiment.mean)},
          {"standard_error", measurements_json(experiment.standard_error)},
          {"theory", prediction_json(drawn)}};
}

void add_theory(Table& table, const char* kind, const LoraPrediction& prediction) {
  std::vector<std::pair<std::string, report::Cell>> cells{{"kind", std::string(kind)},
                                                          {"alpha_ft", prediction.task.alpha},
                                                          {"V", or_nothing(prediction.overlaps.V)},
                                                          {"stability", or_nothing(prediction.stability)},
                                                          {"stein", or_nothing(prediction.stein)},
                                                          {"converged", yes_or_no(prediction.converged)}};
  for (const Figure& figure : kFiguresOfBoth) cells.emplace_back(figure.name, or_nothing(figure.theory(prediction)));
  add_row(table, cells);
}

void add_measured(Table& table, const char* kind, double alpha, const LoraMeasurements& measured,
                  report::Cell converged = {}) {
  std::vector<std::pair<std::string, report::Cell>> cells{
      {"kind", std::string(kind)}, {"alpha_ft", alpha}, {"converged", std::move(converged)}};
  for (const LoraFigure& figure : laws::lora_figures())
    cells.emplace_back(figure.name, or_nothing(measured.*figure.value));
  add_row(table, cells);
}

}  // namespace

std::string describe(const LoraPrediction& prediction) {
  const laws::LoraTask& task = prediction.task;
  const laws::PretrainedOverlaps& pretrained = prediction.pretrained;
  std::string text = fmt::format("T = {}, {} head, α_ft = {:.6g}, ω = {:.6g}, λ_ft = {:.6g}", task.tokens,
                                 model::name(task.head), task.alpha, task.omega, task.lambda);
  if (task.noise > 0) text += fmt::format(", Δ = {:.6g}", task.noise);
  if (task.head == model::Head::softmax && task.beta != 1) text += fmt::format(", β = {:.6g}", task.beta);
  return text + fmt::format("; E_pre = {:.6g} (Q* = {:.6g}, Q_pre = {:.6g}, m_pre = {:.6g})", pretrained.E_pre(),
                            pretrained.Q_star, pretrained.Q_pre, pretrained.m_pre);
}

std::vector<Table> lora_tables(const LoraResult& result) {
  std::vector<Table> tables{prediction_table(result.prediction)};
  if (result.experiment) tables.push_back(experiment_table(*result.experiment, *result.drawn));
  if (!result.curve.empty()) tables.push_back(curve_table(result.curve));
  return tables;
}

Table lora_rows(const LoraResult& result) {
  Table table{"", {text_column("kind"), general("alpha_ft")}};
  for (const LoraFigure& figure : laws::lora_figures()) table.columns.push_back(general(figure.name));
  for (const char* name : {"V", "stability", "stein", "converged"}) table.columns.push_back(general(name));
  add_theory(table, "theory", result.prediction);
  for (const LoraPrediction& point : result.curve) add_theory(table, "curve", point);
  if (!result.experiment) return table;
  const double alpha = result.prediction.task.alpha;
  add_theory(table, "drawn", *result.drawn);
  add_measured(table, "mean", alpha, result.experiment->mean);
  add_measured(table, "standard_error", alpha, result.experiment->standard_error);
  for (const LoraInstance& instance : result.experiment->instances)
    add_measured(table, "instance", alpha, instance, yes_or_no(instance.converged));
  return table;
}

report::Chart lora_chart(const LoraResult& result) {
  report::ErrorsChart chart;
  chart.title = "Learning curve of the adapter";
  chart.description =
      "Misalignment 1 − cos², adapter error and test error against the number of fine-tuning sequences per dimension, "
      "predicted and measured, with the law of large α_ft.";
  chart.x = {"α_ft = n/d", report::Scale::log};
  chart.y = {"error", report::Scale::log};
  report::Series misalignment{"1 − cos²", {}, {}}, adapter{"adapter error", {}, {}}, test{"test error", {}, {}},
      law{"adapter error, large α_ft", {}, {}};
  for (const LoraPrediction& point : result.curve) {
    misalignment.theory.push_back({point.task.alpha, 1 - point.alignment});
    adapter.theory.push_back({point.task.alpha, point.adapter_error});
    test.theory.push_back({point.task.alpha, point.test});
    law.theory.push_back({point.task.alpha, laws::large_alpha_law(point.task, point.pretrained).adapter_error});
  }
  if (result.experiment) {
    const LoraMeasurements &mean = result.experiment->mean, &error = result.experiment->standard_error;
    const double alpha = result.prediction.task.alpha;
    misalignment.experiment.push_back({alpha, 1 - mean.alignment, error.alignment});
    adapter.experiment.push_back({alpha, mean.adapter_error, error.adapter_error});
    test.experiment.push_back({alpha, mean.test, error.test});
  }
  chart.series = {std::move(misalignment), std::move(adapter), std::move(test)};
  if (result.prediction.task.head == model::Head::linear) chart.series.push_back(std::move(law));
  return report::errors_chart(chart);
}

nlohmann::json to_json(const LoraResult& result) {
  const laws::LoraTask& task = result.prediction.task;
  nlohmann::json document{{"task",
                           {{"tokens", task.tokens},
                            {"head", model::name(task.head)},
                            {"alpha_ft", task.alpha},
                            {"omega", task.omega},
                            {"lambda_ft", task.lambda},
                            {"noise", task.noise},
                            {"beta", task.beta}}}};
  document["prediction"] = prediction_json(result.prediction);
  if (task.head == model::Head::linear) {
    const laws::LoraLargeAlpha law = laws::large_alpha_law(task, result.prediction.pretrained);
    const laws::WeakRecovery weak = laws::weak_recovery(task, result.prediction.pretrained);
    document["large_alpha"] = {
        {"misalignment", law.misalignment}, {"adapter_error", law.adapter_error}, {"index_error", law.index_error}};
    document["weak_recovery"] = {{"alpha", weak.alpha ? nlohmann::json(*weak.alpha) : nlohmann::json()},
                                 {"upper_bound", weak.upper_bound}};
  }
  if (!result.curve.empty()) {
    document["curve"] = nlohmann::json::array();
    for (const LoraPrediction& point : result.curve) document["curve"].push_back(prediction_json(point));
  }
  if (result.experiment) document["experiment"] = experiment_json(*result.experiment, *result.drawn);
  return document;
}

Warnings warnings(const LoraResult& result) {
  Warnings lines = result.prediction.doubts();
  std::size_t doubtful = 0;
  for (const LoraPrediction& point : result.curve) doubtful += point.doubts().empty() ? 0 : 1;
  if (doubtful > 0)
    lines.push_back(
        fmt::format("The theory is not reliable at {} of {} points of the curve (stability >= 1, a violated "
                    "identity of Stein, or no convergence).",
                    doubtful, result.curve.size()));
  if (result.drawn)
    for (const std::string& doubt : result.drawn->doubts())
      if (std::find(lines.begin(), lines.end(), doubt) == lines.end())
        lines.push_back("Theory of the students that were drawn: " + doubt);
  if (result.experiment && !result.experiment->converged())
    lines.push_back("NOT CONVERGED: a pre-trained student or an adapter did not reach its tolerance.");
  return lines;
}

}  // namespace attnlaw::view
