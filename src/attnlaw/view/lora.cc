#include "attnlaw/view/lora.h"

#include <fmt/format.h>

#include <algorithm>

#include "attnlaw/view/charts.h"
#include "attnlaw/view/rows.h"
#include "attnlaw/view/solution.h"

namespace attnlaw::view {
namespace {

using laws::LoraMeasurements;
using laws::LoraPrediction;
using report::Table;

/// Theory and experiment share these figures: names of fields, and what tables say.
constexpr std::pair<const char*, const char*> kShared[] = {{"m", "overlap m = w·u"},
                                                           {"q", "length q = |w|²"},
                                                           {"alignment", "alignment cos²"},
                                                           {"adapter_error", "adapter error"},
                                                           {"index_error", "index error"},
                                                           {"train", "train"},
                                                           {"test", "test"},
                                                           {"test_noisy", "test (noisy labels)"},
                                                           {"objective", "objective"}};

/// A prediction is named "T = 2, softmax head, α_ft = 8, ω = 2, λ_ft = 0.02, E_pre = 0.397 (Q* = 1.5, Q_pre = 1.1,
/// m_pre = 1.1)".
std::string headline(const LoraPrediction& prediction) {
  const laws::LoraTask& task = prediction.task;
  const laws::PretrainedOverlaps& pretrained = prediction.pretrained;
  std::string text = fmt::format("T = {}, {} head, α_ft = {:.6g}, ω = {:.6g}, λ_ft = {:.6g}", task.tokens,
                                 model::name(task.head), task.alpha, task.omega, task.lambda);
  if (task.noise > 0) text += fmt::format(", Δ = {:.6g}", task.noise);
  if (task.head == model::Head::softmax && task.beta != 1) text += fmt::format(", β = {:.6g}", task.beta);
  return text + fmt::format("; E_pre = {:.6g} (Q* = {:.6g}, Q_pre = {:.6g}, m_pre = {:.6g})", pretrained.E_pre(),
                            pretrained.Q_star, pretrained.Q_pre, pretrained.m_pre);
}

/// The law of many sequences, by the names of figures; it is empty unless the head is linear.
std::map<std::string, report::Cell> large_alpha_figures(const LoraPrediction& prediction) {
  if (prediction.task.head != model::Head::linear) return {};
  const laws::LoraLargeAlpha law = laws::large_alpha_law(prediction.task, prediction.pretrained);
  return {{"alignment", 1 - law.misalignment},
          {"adapter_error", law.adapter_error},
          {"index_error", law.index_error},
          {"test", law.index_error},
          {"test_noisy", law.index_error + prediction.task.label_scatter()}};
}

Table prediction_table(const LoraPrediction& prediction) {
  Table table = headed("Fine-tuning: " + headline(prediction),
                       {"figure", "theory", error_column("sampling error"), "large-α law"});
  auto cells = cells_by_name(prediction), limits = large_alpha_figures(prediction);
  const auto add_figure = [&](const std::string& name, const char* title) {
    add(table, title, cells[name], cells[name + "_sampling_error"], limits[name]);
  };
  for (const auto& [name, title] : kShared) add_figure(name, title);
  add_figure("V", "response V");
  add_figure("lambda_effective", "effective penalty");
  add_figure("effective_noise", prediction.task.sequences == laws::LoraSequences::fresh
                                    ? "effective noise E_pre + Δ"
                                    : "effective noise of the sequences");
  add_figure("stability", "stability (< 1)");
  add_figure("stein", "Stein's identity");
  if (prediction.task.head != model::Head::linear) return table;
  const laws::WeakRecovery weak = laws::weak_recovery(prediction.task, prediction.pretrained);
  add(table, weak.alpha ? "weak recovery at α_ft" : "weak recovery at α_ft, at most",
      weak.alpha.value_or(weak.upper_bound));
  return table;
}

Table experiment_table(const LoraMeasured& experiment) {
  Table table =
      headed(fmt::format("Experiments at d = {}, n = {}, {} instances; theory of the students that were drawn (E_pre = "
                         "{:.4g}, ω left to learn {:.4g})",
                         experiment.d, experiment.n, experiment.instances.size(), experiment.mean.E_pre,
                         experiment.mean.omega_effective),
             {"figure", "theory", "experiment", error_column()});
  auto drawn = cells_by_name(experiment.drawn), mean = cells_by_name(experiment.mean),
       error = cells_by_name(experiment.standard_error);
  const auto add_figure = [&](const char* name, const char* title) {
    add(table, title, drawn[name], mean[name], error[name]);
  };
  for (const auto& [name, title] : kShared) add_figure(name, title);
  add_figure("start_alignment", "alignment of the start");
  return table;
}

/// The posterior mean of the adapter, beside what message passing finds.
Table posterior_table(const LoraResult& result) {
  Table table = headed("Posterior mean of the adapter, which no other beats", {"figure", "theory"});
  const laws::LoraBayes& bayes = *result.bayes;
  if (!result.experiment) {
    add(table, "alignment cos²", bayes.alignment);
    add(table, "adapter error", bayes.adapter_error);
  } else {
    const LoraMeasured& measured = *result.experiment;
    add_columns(table, {"of what was drawn", "experiment", error_column()});
    add(table, "alignment cos²", bayes.alignment, measured.drawn_bayes->alignment, measured.mean.bayes_alignment,
        measured.standard_error.bayes_alignment);
    add(table, "adapter error", bayes.adapter_error, measured.drawn_bayes->adapter_error,
        measured.mean.bayes_adapter_error, measured.standard_error.bayes_adapter_error);
  }
  add(table, "index error", bayes.index_error);
  add(table, "alignment without knowledge to start from", bayes.from_nothing);
  return table;
}

Table curve_table(const std::vector<LoraPrediction>& curve) {
  Table table = headed("Learning curve", {"alpha_ft"});
  for (const auto& [name, title] : kShared) table.columns.push_back(general(name));
  table.columns.push_back(general("stability"));
  for (const LoraPrediction& point : curve) add_row(table, {}, point);
  return table;
}

std::vector<Table> tables_of(const LoraResult& result) {
  std::vector<Table> tables{prediction_table(result.prediction)};
  if (result.experiment) tables.push_back(experiment_table(*result.experiment));
  if (result.bayes) tables.push_back(posterior_table(result));
  if (!result.curve.empty()) tables.push_back(curve_table(result.curve));
  return tables;
}

Table rows_of(const LoraResult& result) {
  Table table = records<LoraMeasurements>({"kind", "alpha_ft"}, {"V", "stability", "stein", "converged"});
  add_row(table, {{"kind", "theory"}}, result.prediction);
  for (const LoraPrediction& point : result.curve) add_row(table, {{"kind", "curve"}}, point);
  if (!result.experiment) return table;
  const LoraMeasured& experiment = *result.experiment;
  const auto add_measured = [&](const char* kind, const auto& measured) {
    add_row(table, {{"kind", kind}, {"alpha_ft", result.prediction.task.alpha}}, measured);
  };
  add_measured("drawn", experiment.drawn);
  add_measured("mean", experiment.mean);
  add_measured("standard_error", experiment.standard_error);
  for (const laws::LoraInstance& instance : experiment.instances) add_measured("instance", instance);
  return table;
}

report::Chart chart_of(const LoraResult& result) {
  const auto line = [&](auto figure) {
    return points_over(result.curve, [&](const auto& point) { return report::Point{point.task.alpha, figure(point)}; });
  };
  report::Series misalignment{"1 − cos²", line([](const auto&point) { return 1 - point.alignment; })},
      adapter{"adapter error", line([](const auto&point) { return point.adapter_error; })},
      test{"test error", line([](const auto&point) { return point.test; })};
  if (result.experiment) {
    const LoraMeasurements &mean = result.experiment->mean, &error = result.experiment->standard_error;
    const double alpha = result.prediction.task.alpha;
    misalignment.experiment = {{alpha, 1 - mean.alignment, error.alignment}};
    adapter.experiment = {{alpha, mean.adapter_error, error.adapter_error}};
    test.experiment = {{alpha, mean.test, error.test}};
  }
  report::ErrorsChart chart{
      .title = "Learning curve of the adapter",
      .description =
          "Misalignment 1 − cos², adapter error and test error against the number of fine-tuning sequences per "
          "dimension, predicted and measured, with the law of large α_ft.",
      .x = {"α_ft = n/d", Scale::log, "alpha_ft"},
      .y = {"error", Scale::log},
      .series = {std::move(misalignment), std::move(adapter), std::move(test)}};
  if (result.prediction.task.head == model::Head::linear)
    chart.series.push_back({"adapter error, large α_ft", line([](const auto& point) {
                              return laws::large_alpha_law(point.task, point.pretrained).adapter_error;
                            })});
  return report::errors_chart(chart);
}

/// A posterior mean that was not asked for is no failure.
bool converged(const std::optional<laws::LoraBayes>& bayes) { return !bayes || bayes->converged; }

Warnings warnings_of(const LoraResult& result) {
  Warnings lines = result.prediction.doubts();
  std::size_t doubtful = 0;
  for (const LoraPrediction& point : result.curve) doubtful += point.doubts().empty() ? 0 : 1;
  if (doubtful > 0)
    lines.push_back(
        fmt::format("The theory is not reliable at {} of {} points of the curve (stability >= 1, a violated "
                    "identity of Stein, or no convergence).",
                    doubtful, result.curve.size()));
  if (result.experiment)
    for (const std::string& doubt : result.experiment->drawn.doubts())
      if (std::find(lines.begin(), lines.end(), doubt) == lines.end())
        lines.push_back("Theory of the students that were drawn: " + doubt);
  if (result.experiment && !result.experiment->converged())
    lines.push_back(
        "NOT CONVERGED: a pre-trained student, an adapter or message passing of a posterior mean did not reach its "
        "tolerance.");
  if (!converged(result.bayes) || (result.experiment && !converged(result.experiment->drawn_bayes)))
    lines.push_back("NOT CONVERGED: no solution was reached for the posterior mean of the adapter.");
  return lines;
}

report::Page page_of(const LoraResult& result, const std::vector<Table>& tables) {
  report::Page page{"Fine-tuning by an adapter of rank one", headline(result.prediction), sections_of(tables)};
  page.sections.insert(page.sections.begin(), {"Learning curve", "", chart_of(result)});
  return page;
}

}  // namespace

bool LoraResult::converged() const {
  return prediction.converged && (!pretraining || pretraining->diagnostics.converged) &&
         std::all_of(curve.begin(), curve.end(), [](const auto& point) { return point.converged; }) &&
         view::converged(bayes) &&
         (!experiment ||
          (experiment->converged() && experiment->drawn.converged && view::converged(experiment->drawn_bayes)));
}

Result show(const LoraResult& result, bool draw) {
  Result shown{.tables = tables_of(result),
               .rows = rows_of(result),
               .warnings = warnings_of(result),
               .converged = result.converged()};
  if (draw) shown.page = page_of(result, shown.tables);
  if (!result.pretraining) return shown;
  for (const std::string& line : warnings(*result.pretraining)) shown.warnings.push_back("Pre-training: " + line);
  shown.tables.front().title += "\nPre-trained: " + describe(result.pretraining->problem);
  return shown;
}

}  // namespace attnlaw::view
