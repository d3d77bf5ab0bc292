#include "core/answer.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <nlohmann/json.hpp>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/base/fields/schema.h"
#include "attnlaw/base/json_text.h"
#include "attnlaw/matrix_laws/standard_laws.h"
#include "attnlaw/model/problem.h"
#include "attnlaw/study/thresholds.h"
#include "attnlaw/theory/accuracy_field.h"
#include "attnlaw/theory/scaling.h"
#include "attnlaw/theory/solve.h"
#include "attnlaw/theory/square_roots.h"
#include "core/alternatives.h"
#include "core/in_context.h"

namespace attnlaw::explorer {
namespace {

using nlohmann::json;

enum class Ask { describe, check, solve, thresholds, scaling, describe_in_context, in_context };

std::span<const base::Named<Ask>> names_table(Ask) {
  static constexpr base::Named<Ask> kAsks[] = {
      {Ask::describe, "describe"},     {Ask::check, "check"},     {Ask::solve, "solve"},
      {Ask::thresholds, "thresholds"}, {Ask::scaling, "scaling"}, {Ask::describe_in_context, "describe_in_context"},
      {Ask::in_context, "in_context"}};
  return kAsks;
}

/// Overlaps to start from, as an answer had them.
struct Start {
  double q = 0, m = 0, V = 0, q_a = 0, V_a = 0;
  std::optional<double> deviation;

  Start() = default;
  explicit Start(const theory::Overlaps& at) : q(at.q), m(at.m), V(at.V), q_a(at.q_a), V_a(at.V_a) {
    if (!std::isnan(at.deviation)) deviation = at.deviation;
  }
  theory::Overlaps overlaps() const {
    theory::Overlaps result{q, m, V, q_a, V_a};
    if (deviation) result.deviation = *deviation;
    return result;
  }
};

const base::Description& describe(const Start*) {
  using S = Start;
  static const base::Description description{
      "overlaps of a solution",
      {base::field("q", &S::q, {.doc = "‖S_s‖²_F/d"}), base::field("m", &S::m, {.doc = "⟨S, S*⟩/d"}),
       base::field("V", &S::V, {.doc = "response"}), base::field("q_a", &S::q_a, {.doc = "‖S_a‖²_F/d"}),
       base::field("V_a", &S::V_a, {.doc = "response of the antisymmetric part"}),
       base::field("deviation", &S::deviation, {.doc = "‖S_s − S*‖²_F/d where it is known better"})}};
  return description;
}

struct Question {
  Ask ask = Ask::solve;
  json problem = json::object();
  double accuracy = theory::SolveOptions{}.accuracy;
  std::optional<double> time_limit;
  std::optional<Start> start;
  bool spectrum = false;
  std::vector<double> n;
  std::string along;
  std::vector<double> values;
  std::vector<std::optional<Start>> starts;
};

const base::Description& describe(const Question*) {
  using Q = Question;
  static const base::Description description{
      "a question of the page",
      {base::field("ask", &Q::ask, {.doc = "what is wanted"}),
       base::field("problem", &Q::problem, {.doc = "the problem, as its documents have it"}),
       theory::accuracy_field(&Q::accuracy),
       base::field(
           "time_limit", &Q::time_limit,
           {.unit = "s", .range = base::kPositive, .doc = "start no iterate or finer point after so many seconds"}),
       base::field("start", &Q::start, {.doc = "the answer of a neighbour: its `start`"}),
       base::field("spectrum", &Q::spectrum, {.doc = "also the spectrum of S, and that of the target"}),
       base::field("n", &Q::n, {.doc = "numbers of sequences of a scaling curve"}),
       base::field("along", &Q::along,
                   {.doc = "the option that varies, if one does: an answer for each of its values"}),
       base::field("values", &Q::values, {.doc = "its values"}),
       base::field("starts", &Q::starts, {.doc = "of each value, where there is one, the answer of a neighbour"})}};
  return description;
}

/// What a screen shows is no finer than these shares of the width and the height of a curve.
constexpr double kFineStep = 1.0 / 250, kFineRise = 1.0 / 50;
/// Atoms beyond these are not told apart.
constexpr std::size_t kMostAtoms = 400;

/// The curve without points that are too close to the one before. Ends of bands stay: there the density is 0.
json curve_json(const std::vector<double>& s, const std::vector<double>& density) {
  json document{{"s", json::array()}, {"density", json::array()}};
  if (s.empty()) return document;
  double height = 0;
  for (const double rho : density)
    if (std::isfinite(rho)) height = std::max(height, rho);
  std::size_t last = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const bool far = s[i] - s[last] >= kFineStep * (s.back() - s.front()) ||
                     !(std::abs(density[i] - density[last]) < kFineRise * height);
    if (!far && density[i] != 0 && i != 0 && i + 1 != s.size()) continue;
    document["s"].push_back(s[i]);
    document["density"].push_back(density[i]);
    last = i;
  }
  return document;
}

/// The law of the target itself: a density, and atoms as pairs (place, mass). Of singular values with cross-attention.
json target_json(const model::Problem& problem) {
  const matrix_laws::Law law = matrix_laws::law_of(problem.target_law());
  const double sides = problem.cross() ? 2 : 1;
  std::vector<double> s, density;
  for (const auto& band : law.bands()) {
    if (problem.cross() && band.support.upper <= 0) continue;
    const double lower = problem.cross() ? std::max(0.0, band.support.lower) : band.support.lower;
    const double middle = 0.5 * (lower + band.support.upper), half = band.support.upper - middle;
    constexpr int kPoints = 120;
    for (int i = 0; i <= kPoints; ++i) {
      const double x = middle - half * std::cos(std::numbers::pi * i / kPoints);
      s.push_back(x);
      density.push_back(sides * law.density(x));
    }
  }
  json document = curve_json(s, density);
  document["atoms"] = json::array();
  for (const auto& atom : law.atoms()) {
    if (problem.cross() && atom.x < 0) continue;
    if (document["atoms"].size() == kMostAtoms) break;
    document["atoms"].push_back({atom.x, atom.x > 0 ? sides * atom.mass : atom.mass});
  }
  return document;
}

/// The singular values of W/√d of a tied student: their density, and those of the outliers.
json weights_json(const theory::Solution& solution, theory::TrainedLaw::Curve curve) {
  const theory::SquareRoots roots = theory::weights_of(solution.problem);
  for (std::size_t i = 0; i < curve.s.size(); ++i) {
    curve.density[i] = roots.density(curve.s[i], curve.density[i]);
    curve.s[i] = roots.of(curve.s[i]);
  }
  json document = curve_json(curve.s, curve.density);
  document["outliers"] = json::array();
  for (const theory::Outlier& outlier : solution.spectrum.outliers)
    document["outliers"].push_back(roots.of(outlier.eigenvalue));
  return document;
}

json solve(const Question& question) {
  const model::Problem problem = model::problem_from_json(question.problem);
  const matrix_laws::Spectrum target = problem.target_law();
  theory::SolveOptions options;
  options.accuracy = question.accuracy;
  options.time_limit = question.time_limit;
  if (question.start) options.start = question.start->overlaps();
  if (!question.spectrum) options.detail = theory::Detail::errors;
  const theory::Solution solution = theory::solve(problem, target, options);
  json document = to_json(solution);
  document["start"] = base::json_of(Start(solution.overlaps));
  if (!question.spectrum) return document;
  document["target"] = target_json(problem);
  if (theory::TrainedLaw::exists(problem) && solution.diagnostics.converged) {
    const theory::TrainedLaw::Curve density = theory::TrainedLaw(solution, target).density();
    document["density"] = curve_json(density.s, density.density);
    if (problem.student == model::Student::tied) document["weights"] = weights_json(solution, density);
  }
  return document;
}

/// What a curve shows of a solution, and what its neighbours start from.
json curve_point(const theory::Solution& solution) {
  return {{"errors", base::json_of(solution.errors)},
          {"replicon", solution.diagnostics.replicon},
          {"converged", solution.diagnostics.converged},
          {"start", base::json_of(Start(solution.overlaps))}};
}

/// A point at each value of an option. One that cannot be solved has its own error, and the others stay.
json solve_along(const Question& question) {
  json document = question.problem, points = json::array();
  theory::SolveOptions options;
  options.accuracy = question.accuracy;
  options.time_limit = question.time_limit;
  options.detail = theory::Detail::errors;
  // The numbers of the curves of the page leave the target as it is.
  const bool same_target = question.along == "alpha" || question.along == "lambda";
  std::optional<matrix_laws::Spectrum> target;
  for (std::size_t i = 0; i < question.values.size(); ++i) {
    document[question.along] = question.values[i];
    try {
      const model::Problem problem = model::problem_from_json(document);
      if (!target || !same_target) target = problem.target_law();
      options.start.reset();
      if (i < question.starts.size() && question.starts[i]) options.start = question.starts[i]->overlaps();
      points.push_back(curve_point(theory::solve(problem, *target, options)));
    } catch (const std::exception& error) {
      points.push_back({{"error", error.what()}});
    }
  }
  return {{"points", points}};
}

json scaling(const Question& question) {
  theory::ScalingOptions options;
  options.solve.accuracy = question.accuracy;
  return to_json(theory::scaling_curve(model::problem_from_json(question.problem), question.n, options));
}

json answer_to(const Question& question) {
  switch (question.ask) {
    case Ask::describe:
      return base::schema_of(base::detail::description_of<model::Problem>(), base::json_of(model::Problem{}));
    case Ask::check:
      return alternatives(question.problem);
    case Ask::solve:
      return question.along.empty() ? solve(question) : solve_along(question);
    case Ask::thresholds:
      return base::json_of(study::thresholds(model::problem_from_json(question.problem)));
    case Ask::scaling:
      return scaling(question);
    case Ask::describe_in_context:
      return describe_in_context();
    case Ask::in_context:
      return in_context(question.problem, question.along, question.values);
  }
  return {};
}

}  // namespace

std::string answer(const std::string& question) {
  json document;
  try {
    Question asked;
    base::read(base::parse_json(question), asked, "a question");
    document = answer_to(asked);
  } catch (const std::exception& error) {
    document = {{"error", error.what()}};
  }
  return base::json_text(document);
}

}  // namespace attnlaw::explorer
