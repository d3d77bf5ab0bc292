#include "attnlaw/view/solution.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "attnlaw/base/printable.h"
#include "attnlaw/model/custom_loss.h"
#include "attnlaw/model/custom_penalty.h"
#include "attnlaw/view/result.h"
#include "attnlaw/view/spectrum.h"

namespace attnlaw::view {
namespace {

using report::Cell;
using report::Table;

/// Makes a table of one row, whose columns are the names of the fields.
Table row_of(std::string title, const Fields& fields) {
  Table table{std::move(title), {}, {{}}};
  for (const auto& [name, value] : fields) {
    table.columns.push_back(general(name));
    append(table.rows.front(), value);
  }
  return table;
}

bool interpolates(const theory::Solution& s) {
  return s.ridgeless && s.ridgeless->phase == theory::RidgelessPhase::interpolating;
}

/// Rows that do not exist for a student are left out.
Table error_table(const theory::Solution& s, const model::Problem& asked) {
  const theory::Errors& sampling = s.diagnostics.sampling_error;
  Table table = headed(view::describe(s.problem), {"error", "theory", error_column("sampling error")});
  const bool found = s.problem.lambda_rule == model::LambdaRule::value && asked.lambda_rule != s.problem.lambda_rule;
  if (found) table.title += fmt::format(" (λ = {})", model::lambda_text(asked));
  add(table, "train", s.errors.train, sampling.train);
  add(table, s.bayes ? "test (posterior mean of the label)" : "test", s.errors.test, sampling.test);
  if (s.problem.noise > 0) add(table, "test (noisy labels)", s.errors.test_noisy, sampling.test_noisy);
  if (s.bayes) add(table, "test (plug-in)", s.bayes->plug_in_test);
  if (s.bayes) add(table, "index error", s.bayes->index_error);
  add(table, "estimation", s.errors.estimation, sampling.estimation);
  add(table, "objective", s.errors.objective, sampling.objective);
  if (s.loss_figures)
    for (const auto& [name, figure] : fields_of(*s.loss_figures)) add(table, words(name), figure);
  if (s.loss_figures) add(table, "entropy of the labels", s.errors.test - s.loss_figures->excess_test);
  std::erase_if(table.rows, [](const Row& row) { return row[1] == Cell(); });
  return table;
}

/// V ~ 1/λ while interpolating: then what is finite is printed, and named so.
Table order_table(const theory::Solution& s) {
  const bool scaled = interpolates(s);
  const auto& [q, m, V, q_a, V_a, deviation] = s.overlaps;
  const auto& [q_hat, m_hat, V_hat, q_hat_a, V_hat_a] = s.conjugates;
  Fields fields{{"Q*", s.Q_star},
                {"q", q},
                {"m", m},
                {scaled ? "λV" : "V", V},
                {scaled ? "q_hat/λ²" : "q_hat", q_hat},
                {scaled ? "m_hat/λ" : "m_hat", m_hat},
                {scaled ? "V_hat/λ" : "V_hat", V_hat}};
  if (s.problem.two_sectors()) append(fields, {{"q_a", q_a}, {"V_a", V_a}, {"q_hat_a", q_hat_a}, {"V_hat_a", V_hat_a}});
  return row_of("", fields);
}

Table ridgeless_table(const theory::RidgelessLimit& limit) {
  const bool interpolating = limit.phase == theory::RidgelessPhase::interpolating;
  return row_of("Limit λ → 0: effective noise a, effective threshold t",
                {{"phase", limit.phase},
                 {"a", interpolating ? Cell(limit.a) : Cell()},
                 {"t", interpolating ? Cell(limit.t) : Cell()}});
}

Table bayes_table(const theory::BayesFigures& bayes) {
  return row_of("Posterior: the data are as good as S* + √v GOE",
                {{"v", bayes.noise_variance},
                 {"mutual information", bayes.mutual_information},
                 {"fixed points", bayes.fixed_points.size()},
                 {"their estimation errors", fmt::format("{:.6g}", fmt::join(bayes.fixed_points, ", "))}});
}

Table sensitivity_table(const theory::Sensitivities& s) {
  Table table = headed("Sensitivities: d(error)/d(parameter), the others fixed",
                       {"parameter", "train", "test", "test_noisy", "estimation", "objective"});
  const auto row = [&](const char* parameter, const theory::Errors& slope) {
    add(table, parameter, slope.train, slope.test, slope.test_noisy, slope.estimation, slope.objective);
  };
  row("alpha", s.alpha);
  if (s.lambda) row("lambda", *s.lambda);
  row("noise", s.noise);
  row("beta", s.beta);
  return table;
}

Table diagnostics_table(const theory::Solution& s) {
  const theory::Diagnostics& d = s.diagnostics;
  Table table = headed("", {general("replicon", 4), error_column("residual"), "iterations", "points",
                            report::Column{"time", "s", report::Notation::general, 3}});
  // It is infinite where the response jumps, which a warning explains.
  add(table, std::isfinite(d.replicon) ? Cell(d.replicon) : Cell(), d.residual, d.iterations, d.points, d.seconds);
  return table;
}

}  // namespace

std::string words(std::string figure) {
  std::replace(figure.begin(), figure.end(), '_', ' ');
  return figure;
}

void add_constants(report::Table& data, const model::Problem& problem, const std::vector<std::string>& options) {
  const nlohmann::json document = model::to_json(problem);
  for (const std::string& option : options) {
    data.columns.push_back(general(option));
    for (auto& cells : data.rows) cells.push_back(cell_of(document.value(option, nlohmann::json())));
  }
}

Fields problem_fields(const model::Problem& problem, const model::Problem& asked) {
  Fields fields = fields_of(problem);
  const auto lambda = std::find_if(fields.begin(), fields.end(), [](const auto& f) { return f.first == "lambda"; });
  if (problem.lambda_rule != model::LambdaRule::value) lambda->second = model::lambda_text(problem);
  const bool number = asked.lambda_rule == model::LambdaRule::value;
  fields.insert(lambda + 1, {"lambda_rule", number ? std::string("value") : model::lambda_text(asked)});
  return fields;
}

std::string describe(const model::Problem& problem, const std::vector<std::string>& without) {
  const auto shown = [&](std::string_view option) {
    return std::find(without.begin(), without.end(), option) == without.end();
  };
  std::vector<std::string> parts;
  const auto add = [&](std::string_view option, bool unusual, const std::string& text) {
    if (unusual && shown(option)) parts.push_back(text);
  };
  add("tokens", true, "T = " + model::tokens_text(problem));
  add("attention", problem.cross(), "cross-attention");
  add("head", true, fmt::format("{} head", model::name(problem.head)));
  add("readout", problem.readout != model::Readout::rows, "readout " + model::name(problem.readout));
  add("labels", problem.labels != model::Labels::soft, fmt::format("{} labels", model::name(problem.labels)));
  if (problem.custom_loss) add("loss", true, "loss " + problem.custom_loss->name);
  add("loss", problem.loss != model::Loss::square, "loss " + model::name(problem.loss));
  if (problem.custom_penalty) add("penalty", true, "penalty " + problem.custom_penalty->name);
  add("alpha", true, fmt::format("α = {:g}", problem.alpha));
  add("lambda", problem.lambda_rule == model::LambdaRule::value, fmt::format("λ = {:.6g}", problem.lambda));
  add("lambda", !problem.lambda_known(), "λ = " + model::lambda_text(problem));
  add("target", true, "target " + base::on_one_line(problem.target.spec()));
  const auto usual = problem.cross() ? model::Student::untied : model::Student::tied;
  add("student", problem.student != usual, "student " + model::name(problem.student));
  add("width", problem.width != 1, fmt::format("width {:g}", problem.width));
  add("noise", problem.noise > 0, fmt::format("Δ = {:g}", problem.noise));
  const bool temperatures = problem.beta != 1 || problem.target_beta != 1;
  add("beta", temperatures, fmt::format("β = {:g}", problem.beta));
  add("target_beta", temperatures, fmt::format("β* = {:g}", problem.target_beta));
  return fmt::format("{}", fmt::join(parts, ", "));
}

namespace {

/// Why the λ of least test error is no number of the interior; empty if it is one.
std::string reason_at_end(const theory::OptimalLambda& optimum) {
  if (optimum.where == "0+")
    return optimum.test == 0 ? "0+: the test error is 0 in the limit λ → 0, and more at every λ beyond"
                             : "0+: no penalty does as well as any";
  if (optimum.where == "S = 0")
    return fmt::format(
        "S = 0: at no λ that learns anything is the test error less; figures are those of every λ above {:.4g}",
        optimum.lambda);
  if (optimum.where == "end of range") return "end of range: the range of λ that is searched ends here";
  return "";
}

}  // namespace

Table optimum_table(const theory::OptimalLambda& optimum) {
  const std::string reason = reason_at_end(optimum);
  return row_of("λ of least test error" + (reason.empty() ? "" : "\n" + reason),
                {{"λ", optimum.lambda},
                 {"test", optimum.test},
                 {"d²test/d(log λ)²", optimum.curvature},
                 {"where", optimum.where}});
}

std::vector<Table> solution_tables(const theory::Solution& s, const model::Problem& asked) {
  std::vector<Table> tables{error_table(s, asked)};
  if (s.optimal_lambda) tables.push_back(optimum_table(*s.optimal_lambda));
  if (s.ridgeless) tables.push_back(ridgeless_table(*s.ridgeless));
  if (s.sensitivities) tables.push_back(sensitivity_table(*s.sensitivities));
  if (s.bayes) tables.push_back(bayes_table(*s.bayes));
  tables.push_back(order_table(s));
  tables.push_back(spectrum_table(s, nullptr));
  tables.push_back(collapse_table(s.spectrum.collapse));
  tables.push_back(diagnostics_table(s));
  return tables;
}

report::Page solution_page(const theory::Solution& s, const std::vector<Table>& tables) {
  report::Page page{"Theory of one problem", describe(s.problem), sections_of(tables)};
  for (report::Section& section : page.sections)
    if (section.heading.empty()) section.heading = "More figures";
  page.sections.front().heading = "Errors";
  if (!theory::TrainedLaw::exists(s.problem) || !s.diagnostics.converged) return page;
  const auto spectrum = std::find_if(page.sections.begin(), page.sections.end(),
                                     [](const auto& section) { return section.heading.starts_with("Spectrum"); });
  spectrum->chart = spectrum_chart(s, theory::TrainedLaw(s, s.problem.target_law()).density(), nullptr);
  return page;
}

Fields solution_fields(const nlohmann::json& document, const model::Problem& problem, const model::Problem& asked) {
  static const char* const kOfSectors[] = {"q_a", "V_a", "q_hat_a", "V_hat_a"};
  const Fields of_problem = fields_of(problem);
  Fields fields = problem_fields(problem, asked);
  for (const auto& [name, value] : fields_of(document, base::detail::description_of<theory::Solution>())) {
    const auto is = [&name = name](const auto& field) { return field.first == name; };
    if (std::any_of(of_problem.begin(), of_problem.end(), is)) continue;
    // Where a student has one sector alone, the other one is 0.
    const bool zero =
        std::find(std::begin(kOfSectors), std::end(kOfSectors), name) != std::end(kOfSectors) && value == Cell();
    fields.emplace_back(name, zero ? Value(0.0) : value);
  }
  return fields;
}

Table solution_row(const theory::Solution& s, const model::Problem& asked) {
  return table_of({solution_fields(base::json_of(s), s.problem, asked)});
}

}  // namespace attnlaw::view
