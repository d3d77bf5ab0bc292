#include <algorithm>
#include <nlohmann/json.hpp>

#include "attnlaw/theory/solve.h"
#include "attnlaw/view/lora.h"
#include "attnlaw/view/solution.h"
#include "commands.h"
#include "legacy_progress.h"
#include "output.h"

namespace attnlaw::legacy {

using namespace view;
namespace {

/// What was pre-trained, and how it came about.
struct Pretrained {
  laws::PretrainedOverlaps overlaps;
  std::optional<theory::Solution> solution;
};

Pretrained solve_pretraining(const LoraArguments& arguments) {
  if (!arguments.pretraining) return {*arguments.pretrained, std::nullopt};
  theory::SolveOptions options;
  options.accuracy = arguments.options.accuracy;
  options.detail = theory::Detail::errors;
  theory::Solution solution = theory::solve(*arguments.pretraining, options);
  return {laws::PretrainedOverlaps::of(solution), std::move(solution)};
}

laws::Pretraining students(const LoraArguments& arguments, const Pretrained& pretrained) {
  if (!pretrained.solution) return laws::sample_students(arguments.target, pretrained.overlaps);
  experiment::Options options;
  // λ may be a rule; experiments train with the number that the theory has found for it.
  options.trainer = experiment::trainers_for(pretrained.solution->problem).front();
  return laws::train_students(pretrained.solution->problem, options);
}

LoraResult compute(const LoraArguments& arguments, const Pretrained& pretrained) {
  LoraResult result{laws::predict_lora(arguments.task, pretrained.overlaps, arguments.options), {}, {}, {}};
  {
    Progress progress("curve", arguments.common.quiet);
    for (const double alpha : arguments.alphas) {
      laws::LoraTask task = arguments.task;
      task.alpha = alpha;
      result.curve.push_back(laws::predict_lora(task, pretrained.overlaps, arguments.options));
      progress.update(static_cast<int>(result.curve.size()), static_cast<int>(arguments.alphas.size()));
    }
  }
  if (!arguments.experiment) return result;
  laws::LoraExperimentOptions options = *arguments.experiment;
  Progress progress("fine-tuning", arguments.common.quiet);
  options.progress = [&](int done, int total) { progress.update(done, total); };
  result.experiment = laws::simulate_lora(arguments.task, students(arguments, pretrained), options);
  result.drawn = laws::predict_lora(*result.experiment, arguments.options);
  return result;
}

nlohmann::json document_of(const LoraResult& result, const Pretrained& pretrained) {
  nlohmann::json document = to_json(result);
  document["schema"] = "attnlaw/2";
  document["command"] = "lora";
  document["pretraining"] = {{"Q_star", pretrained.overlaps.Q_star},
                             {"Q_pre", pretrained.overlaps.Q_pre},
                             {"m_pre", pretrained.overlaps.m_pre},
                             {"E_pre", pretrained.overlaps.E_pre()}};
  if (pretrained.solution) document["pretraining"]["problem"] = model::to_json(pretrained.solution->problem);
  return document;
}

report::Page page_of(const LoraResult& result) {
  report::Page page;
  page.title = "Fine-tuning by an adapter of rank one";
  page.lead = describe(result.prediction);
  page.sections.push_back({"Learning curve", "", lora_chart(result), std::nullopt});
  for (report::Table& table : lora_tables(result)) {
    std::string heading = std::move(table.title);
    table.title.clear();
    page.sections.push_back({std::move(heading), "", std::nullopt, std::move(table)});
  }
  return page;
}

}  // namespace

int run(const LoraArguments& arguments) {
  require_outputs(arguments.common, arguments.html);
  const Pretrained pretrained = solve_pretraining(arguments);
  const LoraResult found = compute(arguments, pretrained);
  const bool converged =
      found.prediction.converged && (!pretrained.solution || pretrained.solution->diagnostics.converged) &&
      std::all_of(found.curve.begin(), found.curve.end(), [](const auto& point) { return point.converged; }) &&
      (!found.experiment || (found.experiment->converged() && found.drawn->converged));

  Result result{lora_tables(found), document_of(found, pretrained), lora_rows(found), warnings(found),
                report_note(arguments.html)};
  if (pretrained.solution)
    for (const std::string& line : warnings(*pretrained.solution)) result.warnings.push_back("Pre-training: " + line);
  if (pretrained.solution) result.tables.front().title += "\nPre-trained: " + describe(pretrained.solution->problem);
  result.document["converged"] = converged;
  if (!arguments.html.empty()) write_page(arguments.html, page_of(found), result.warnings);
  emit(arguments.common, std::move(result));
  return converged ? 0 : 1;
}

}  // namespace attnlaw::legacy
