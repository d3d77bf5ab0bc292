#include "attnlaw/view/solution.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "attnlaw/view/columns.h"
#include "attnlaw/view/spectrum.h"

namespace attnlaw::view {
namespace {

using report::Cell;
using report::Table;
using Fields = std::vector<std::pair<std::string, Cell>>;

constexpr std::pair<const char*, double theory::LossFigures::*> kLossFigures[] = {
    {"excess_train", &theory::LossFigures::excess_train},
    {"excess_test", &theory::LossFigures::excess_test},
    {"squared_train", &theory::LossFigures::squared_train},
    {"squared_test", &theory::LossFigures::squared_test},
    {"sign_error", &theory::LossFigures::sign_error}};

/// One row, whose columns are the names of the fields.
Table row_of(const Fields& fields, int precision = kFigures) {
  Table row{"", {}, {{}}};
  for (const auto& [name, value] : fields) {
    row.columns.push_back(general(name, precision));
    row.rows.front().push_back(value);
  }
  return row;
}

void append(Fields& fields, const Fields& more) { fields.insert(fields.end(), more.begin(), more.end()); }

bool interpolates(const theory::Solution& s) {
  return s.ridgeless && s.ridgeless->phase == theory::RidgelessPhase::interpolating;
}

/// Rows that do not exist for a student are left out.
Table error_table(const theory::Solution& s, const model::Problem& asked) {
  const theory::Errors& sampling = s.diagnostics.sampling_error;
  Table table{describe(s.problem), {general("error"), general("theory"), general("sampling error", kErrorFigures)}};
  const bool found = s.problem.lambda_rule == model::LambdaRule::value && asked.lambda_rule != s.problem.lambda_rule;
  if (found) table.title += fmt::format(" (λ = {})", model::lambda_text(asked));
  const auto add = [&](const std::string& name, double value, Cell error) {
    if (!std::isnan(value)) table.rows.push_back({name, value, std::move(error)});
  };
  add("train", s.errors.train, sampling.train);
  add(s.bayes ? "test (posterior mean of the label)" : "test", s.errors.test, sampling.test);
  if (s.bayes) add("test (plug-in)", s.bayes->plug_in_test, Cell());
  if (s.bayes) add("index error", s.bayes->index_error, Cell());
  add("estimation", s.errors.estimation, sampling.estimation);
  add("objective", s.errors.objective, sampling.objective);
  if (const auto& figures = s.loss_figures) {
    for (const auto& [name, figure] : kLossFigures) add(words(name), (*figures).*figure, Cell());
  }
  return table;
}

/// V ~ 1/λ while interpolating: then what is finite is printed, and named so.
Table order_table(const theory::Solution& s) {
  const bool scaled = interpolates(s);
  const auto& [q, m, V, q_a, V_a] = s.overlaps;
  const auto& [q_hat, m_hat, V_hat, q_hat_a, V_hat_a] = s.conjugates;
  Fields fields{{"Q*", s.Q_star},
                {"q", q},
                {"m", m},
                {scaled ? "λV" : "V", V},
                {scaled ? "q_hat/λ²" : "q_hat", q_hat},
                {scaled ? "m_hat/λ" : "m_hat", m_hat},
                {scaled ? "V_hat/λ" : "V_hat", V_hat}};
  if (s.problem.two_sectors()) append(fields, {{"q_a", q_a}, {"V_a", V_a}, {"q_hat_a", q_hat_a}, {"V_hat_a", V_hat_a}});
  return row_of(fields);
}

Table ridgeless_table(const theory::RidgelessLimit& limit) {
  const bool interpolating = limit.phase == theory::RidgelessPhase::interpolating;
  Table table = row_of({{"phase", theory::name(limit.phase)},
                        {"a", interpolating ? Cell(limit.a) : Cell()},
                        {"t", interpolating ? Cell(limit.t) : Cell()}});
  table.title = "Limit λ → 0: effective noise a, effective threshold t";
  return table;
}

Table bayes_table(const theory::BayesFigures& bayes) {
  Table table = row_of({{"v", bayes.noise_variance},
                        {"mutual information", or_nothing(bayes.mutual_information)},
                        {"fixed points", static_cast<long long>(bayes.fixed_points.size())},
                        {"their estimation errors", fmt::format("{:.6g}", fmt::join(bayes.fixed_points, ", "))}});
  table.title = "Posterior: the data are as good as S* + √v GOE";
  return table;
}

Table diagnostics_table(const theory::Solution& s) {
  const theory::Diagnostics& d = s.diagnostics;
  Table table{"",
              {general("replicon", 4), general("residual", kErrorFigures), general("iterations"), general("points"),
               report::Column{"time", "s", report::Notation::general, 3}}};
  // Infinite where the response jumps, which a warning explains.
  table.rows = {{std::isfinite(d.replicon) ? Cell(d.replicon) : Cell(), d.residual,
                 static_cast<long long>(d.iterations), static_cast<long long>(d.points), d.seconds}};
  return table;
}

Fields special_fields(const theory::Solution& s) {
  const auto when = [](bool present, auto value) { return present ? Cell(value()) : Cell(); };
  const auto& [ridgeless, optimum, bayes] = std::tie(s.ridgeless, s.optimal_lambda, s.bayes);
  return {{"phase", when(ridgeless.has_value(), [&] { return theory::name(ridgeless->phase); })},
          {"a", when(interpolates(s), [&] { return ridgeless->a; })},
          {"t", when(interpolates(s), [&] { return ridgeless->t; })},
          {"optimal_lambda_curvature", when(optimum.has_value(), [&] { return optimum->curvature; })},
          {"optimal_lambda_where", when(optimum.has_value(), [&] { return optimum->where; })},
          {"noise_variance", when(bayes.has_value(), [&] { return bayes->noise_variance; })},
          {"plug_in_test", when(bayes.has_value(), [&] { return bayes->plug_in_test; })},
          {"index_error", when(bayes.has_value(), [&] { return bayes->index_error; })},
          {"mutual_information", bayes ? or_nothing(bayes->mutual_information) : Cell()},
          {"fixed_points",
           when(bayes.has_value(), [&] { return fmt::format("{}", fmt::join(bayes->fixed_points, ";")); })}};
}

Fields loss_fields(const theory::Solution& s) {
  const theory::LossFigures figures = s.loss_figures.value_or(theory::LossFigures{});
  Fields fields;
  for (const auto& [name, figure] : kLossFigures) fields.emplace_back(name, or_nothing(figures.*figure));
  return fields;
}

Fields result_fields(const theory::Solution& s) {
  const theory::Errors& sampling = s.diagnostics.sampling_error;
  return {{"Q_star", s.Q_star},
          {"q", s.overlaps.q},
          {"m", s.overlaps.m},
          {"V", s.overlaps.V},
          {"q_hat", s.conjugates.q_hat},
          {"m_hat", s.conjugates.m_hat},
          {"V_hat", s.conjugates.V_hat},
          {"q_a", s.overlaps.q_a},
          {"V_a", s.overlaps.V_a},
          {"q_hat_a", s.conjugates.q_hat_a},
          {"V_hat_a", s.conjugates.V_hat_a},
          {"train", or_nothing(s.errors.train)},
          {"test", s.errors.test},
          {"estimation", or_nothing(s.errors.estimation)},
          {"objective", or_nothing(s.errors.objective)},
          {"train_sampling_error", sampling.train},
          {"test_sampling_error", sampling.test},
          {"estimation_sampling_error", sampling.estimation},
          {"zero_mass", s.spectrum.zero_mass},
          {"rank_fraction", s.spectrum.collapse.rank_fraction},
          {"stable_rank", s.spectrum.collapse.stable_rank},
          {"effective_rank", s.spectrum.collapse.effective_rank},
          {"nuclear_frobenius", s.spectrum.collapse.nuclear_frobenius},
          {"replicon", or_nothing(s.diagnostics.replicon)},
          {"residual", s.diagnostics.residual},
          {"converged", yes_or_no(s.diagnostics.converged)},
          {"seconds", s.diagnostics.seconds}};
}

}  // namespace

std::string words(const std::string& figure) {
  static const std::map<std::string, std::string> named{{"excess_train", "excess cross-entropy, train"},
                                                        {"excess_test", "excess cross-entropy, test"},
                                                        {"squared_train", "squared, train"},
                                                        {"squared_test", "squared, test"},
                                                        {"sign_error", "sign error"}};
  const auto found = named.find(figure);
  return found == named.end() ? figure : found->second;
}

Fields problem_fields(const model::Problem& problem, const model::Problem& asked) {
  const bool number = problem.lambda_rule == model::LambdaRule::value;
  return {
      {"attention", model::name(problem.attention)},
      {"tokens", problem.cross() ? Cell(model::tokens_text(problem)) : Cell(static_cast<long long>(problem.tokens))},
      {"head", model::name(problem.head)},
      {"readout", model::name(problem.readout)},
      {"labels", model::name(problem.labels)},
      {"loss", model::name(problem.loss)},
      {"alpha", problem.alpha},
      {"lambda", number ? Cell(problem.lambda) : Cell(model::lambda_text(problem))},
      {"lambda_rule", asked.lambda_rule == model::LambdaRule::value ? std::string("value") : model::lambda_text(asked)},
      {"beta", problem.beta},
      {"target_beta", problem.target_beta},
      {"noise", problem.noise},
      {"target", problem.target.spec()},
      {"student", model::name(problem.student)},
      {"width", problem.width}};
}

std::string describe(const model::Problem& problem, std::initializer_list<std::string_view> without) {
  const auto shown = [&](std::string_view option) {
    return std::find(without.begin(), without.end(), option) == without.end();
  };
  std::string text = fmt::format("T = {}, {}{} head", model::tokens_text(problem),
                                 problem.cross() ? "cross-attention, " : "", model::name(problem.head));
  if (problem.readout != model::Readout::rows) text += ", readout " + model::name(problem.readout);
  if (problem.labels != model::Labels::soft) text += fmt::format(", {} labels", model::name(problem.labels));
  if (problem.loss != model::Loss::square) text += ", loss " + model::name(problem.loss);
  if (shown("alpha")) text += fmt::format(", α = {:g}", problem.alpha);
  if (problem.lambda_rule == model::LambdaRule::value && shown("lambda"))
    text += fmt::format(", λ = {:.6g}", problem.lambda);
  else if (problem.lambda_rule != model::LambdaRule::none && shown("lambda"))
    text += ", λ = " + model::lambda_text(problem);
  if (shown("target")) text += ", target " + problem.target.spec();
  const auto usual = problem.cross() ? model::Student::untied : model::Student::tied;
  if (problem.student != usual) text += ", student " + model::name(problem.student);
  if (problem.width != 1) text += fmt::format(", width {:g}", problem.width);
  if (problem.noise > 0 && shown("noise")) text += fmt::format(", Δ = {:g}", problem.noise);
  if (problem.beta != 1 || problem.target_beta != 1)
    text += fmt::format(", β = {:g}, β* = {:g}", problem.beta, problem.target_beta);
  return text;
}

Table optimum_table(const theory::OptimalLambda& optimum) {
  Table table = row_of({{"λ", optimum.lambda},
                        {"test", optimum.test},
                        {"d²test/d(log λ)²", optimum.curvature},
                        {"where", optimum.where}});
  table.title = "λ of least test error";
  return table;
}

std::vector<Table> solution_tables(const theory::Solution& s, const model::Problem& asked) {
  std::vector<Table> tables{error_table(s, asked)};
  if (s.optimal_lambda) tables.push_back(optimum_table(*s.optimal_lambda));
  if (s.ridgeless) tables.push_back(ridgeless_table(*s.ridgeless));
  if (s.bayes) tables.push_back(bayes_table(*s.bayes));
  tables.push_back(order_table(s));
  tables.push_back(spectrum_table(s, nullptr));
  tables.push_back(collapse_table(s.spectrum.collapse));
  tables.push_back(diagnostics_table(s));
  return tables;
}

Table solution_row(const theory::Solution& s, const model::Problem& asked) {
  Fields fields = problem_fields(s.problem, asked);
  append(fields, result_fields(s));
  append(fields, special_fields(s));
  append(fields, loss_fields(s));
  return row_of(fields);
}

}  // namespace attnlaw::view
