/// What holds for every problem, over random ones from the whole range that is accepted: changes of units, of the list
/// of eigenvalues and of the grouping of data that change nothing, derivatives, and orders between students.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "attnlaw/theory/solve.h"
#include "attnlaw/theory/thresholds.h"
#include "random_questions.h"

namespace attnlaw::theory {
namespace {

using accuracy::Draw;
using model::Problem;

constexpr double Errors::*kFigures[] = {&Errors::train, &Errors::test, &Errors::estimation, &Errors::objective};

/// Scores of three tokens are the most that thousands of problems can have in a minute; linear ones are closed forms.
bool quick(const Problem& problem) {
  constexpr int kMostTokens = 3;
  if (problem.untied_self()) return false;
  return problem.head == model::Head::linear ? problem.labels == model::Labels::soft
                                             : std::max(problem.tokens, problem.keys()) <= kMostTokens;
}

/// One with the law of its target given by its eigenvalues.
bool discrete(const Problem& problem) { return problem.target.spectrum().discrete() != nullptr; }

Problem draw(Draw& draws, const std::function<bool(const Problem&)>& accepted) {
  while (true) {
    Problem problem = reliability::draw_problem(draws);
    const bool known = problem.lambda_rule != model::LambdaRule::ridgeless || has_ridgeless(problem);
    if (quick(problem) && known && accepted(problem)) return problem;
  }
}

Solution errors_of(const Problem& problem) {
  SolveOptions options;
  options.detail = Detail::errors;
  return solve(problem, options);
}

std::string text(const Problem& problem) { return to_toml(problem); }

/// The target by its eigenvalues, times `factor`, each `times` over.
model::Target listed(const Problem& problem, double factor, std::size_t times) {
  const auto& law = *problem.target.spectrum().discrete();
  double least = 1;
  for (const double weight : law.weights) least = std::min(least, weight);
  const auto dimension = static_cast<std::size_t>(std::lround(1 / least));
  std::vector<std::string> values;
  for (std::size_t i = 0; i < law.atoms.size(); ++i) {
    if (law.atoms[i] == 0) continue;
    const auto count = times * static_cast<std::size_t>(std::lround(law.weights[i] / least));
    values.insert(values.end(), count, fmt::format("{:.17g}", factor * law.atoms[i]));
  }
  return model::Target::parse(fmt::format("spikes:{},{}", times * dimension, fmt::join(values, ",")));
}

/// A factor of each figure.
struct Factors {
  double loss = 1, estimation = 1;
};

/// Two problems with one answer: both are solved or neither is, and errors agree within what both state.
void expect_same(const Problem& first, const Problem& second, const Factors& factors) {
  SCOPED_TRACE(text(first) + "\n" + text(second));
  const Solution a = errors_of(first), b = errors_of(second);
  EXPECT_EQ(a.diagnostics.converged, b.diagnostics.converged)
      << a.diagnostics.message << " | " << b.diagnostics.message;
  if (!a.diagnostics.converged || !b.diagnostics.converged) return;
  constexpr double kAccuracy = 1e-3, kUnits = 3, kRounding = 1e-10;
  const double scale = 1 + a.Q_star;
  for (double Errors::*figure : kFigures) {
    const double factor = figure == &Errors::estimation ? factors.estimation : factors.loss;
    const double expected = factor * a.errors.*figure, got = b.errors.*figure;
    if (std::isnan(expected) && std::isnan(got)) continue;
    const double stated =
        std::hypot(factor * a.diagnostics.sampling_error.*figure, b.diagnostics.sampling_error.*figure);
    EXPECT_NEAR(got, expected, kAccuracy * std::abs(expected) + kUnits * stated + kRounding * factor * scale);
  }
}

/// c S* with c² Δ, and β/c, β*/c with a softmax.
Problem in_other_units(const Problem& problem, double c) {
  Problem other = problem;
  other.target = listed(problem, c, 1);
  other.noise *= c * c;
  const bool softmax = problem.head == model::Head::softmax;
  if (softmax) other.beta /= c, other.target_beta /= c;
  const bool square = problem.student == model::Student::direct || problem.student == model::Student::direct_general;
  // A softmax keeps its outputs, a linear head multiplies them.
  other.lambda *= (softmax ? 1 : c * c) / (square ? c * c : c);
  return other;
}

TEST(Properties, UnitsOfTheTargetChangeNothingSlow) {
  constexpr int kProblems = 30;
  Draw draws(11);
  for (int i = 0; i < kProblems; ++i) {
    const Problem problem = draw(draws, [](const Problem& p) {
      return discrete(p) && p.target.spectrum().discrete()->atoms.size() < 60 &&
             p.lambda_rule != model::LambdaRule::optimal;
    });
    const double c = std::pow(10, draws.uniform(-3, 3));
    const double loss = problem.head == model::Head::linear ? c * c : 1;
    expect_same(problem, in_other_units(problem, c), {loss, c * c});
  }
}

TEST(Properties, EigenvaluesMayBeListedTwiceSlow) {
  constexpr int kProblems = 110;
  Draw draws(12);
  for (int i = 0; i < kProblems; ++i) {
    const Problem problem = draw(draws, [](const Problem& p) {
      return discrete(p) && p.target.spectrum().discrete()->atoms.size() < 60 &&
             p.lambda_rule != model::LambdaRule::optimal;
    });
    Problem twice = problem;
    twice.target = listed(problem, 1, 2);
    expect_same(problem, twice, {});
  }
}

TEST(Properties, QueriesOfCrossAttentionAreSequencesOfTheirOwnSlow) {
  constexpr int kProblems = 450;
  Draw draws(13);
  for (int i = 0; i < kProblems; ++i) {
    const Problem problem = draw(draws, [](const Problem& p) {
      return p.cross() && p.readout == model::Readout::rows && p.lambda_rule != model::LambdaRule::optimal &&
             p.alpha * p.tokens < model::kMaxAlpha;
    });
    Problem single = problem;
    single.tokens = 1;
    single.alpha *= problem.tokens;
    SCOPED_TRACE(text(problem));
    const Solution a = errors_of(problem), b = errors_of(single);
    ASSERT_EQ(a.diagnostics.converged, b.diagnostics.converged);
    constexpr double kRounding = 1e-9;
    EXPECT_NEAR(a.errors.estimation, b.errors.estimation, kRounding * a.Q_star);
    EXPECT_NEAR(a.errors.test, problem.tokens * b.errors.test, kRounding * a.errors.test + 1e-300);
    EXPECT_NEAR(a.errors.objective, b.errors.objective, kRounding * a.errors.objective + 1e-300);
  }
}

TEST(Properties, WidthsBeyondOneAreNoneSlow) {
  constexpr int kProblems = 45;
  Draw draws(14);
  for (int i = 0; i < kProblems; ++i) {
    Problem problem = draw(draws, [](const Problem& p) {
      return p.student == model::Student::tied && p.lambda_rule != model::LambdaRule::optimal;
    });
    problem.width = 1;
    Problem wide = problem;
    wide.width = 1 + draws.uniform(0, 3);
    SCOPED_TRACE(text(wide));
    const Solution a = errors_of(problem), b = errors_of(wide);
    EXPECT_EQ(a.diagnostics.converged, b.diagnostics.converged);
    if (!a.diagnostics.converged) continue;
    for (double Errors::*figure : kFigures) EXPECT_EQ(a.errors.*figure, b.errors.*figure);
  }
}

/// dObjective/dλ is what λ multiplies, the penalty: the student is a minimum.
TEST(Properties, TheObjectiveGrowsByThePenaltySlow) {
  constexpr int kProblems = 700;
  Draw draws(15);
  for (int i = 0; i < kProblems; ++i) {
    const Problem problem = draw(draws, [](const Problem& p) {
      return p.penalised() && p.lambda_rule == model::LambdaRule::value && p.head == model::Head::linear;
    });
    SCOPED_TRACE(text(problem));
    constexpr double kStep = 1e-3;
    Problem less = problem, more = problem;
    less.lambda *= 1 - kStep, more.lambda *= 1 + kStep;
    const Solution at = errors_of(problem), below = errors_of(less), above = errors_of(more);
    if (!at.diagnostics.converged || !below.diagnostics.converged || !above.diagnostics.converged) continue;
    // d(objective)/dλ is the penalty over λ, which bends next to the collapse: by Simpson's rule over the step.
    const auto slope = [](const Solution& s) {
      return (s.errors.objective - s.problem.alpha * s.errors.train) / s.problem.lambda;
    };
    const double growth = (above.errors.objective - below.errors.objective) / (2 * kStep);
    const double penalty = problem.lambda * (slope(below) + 4 * slope(at) + slope(above)) / 6;
    EXPECT_NEAR(growth, penalty, 1e-4 * penalty + 1e-9 * at.errors.objective);
  }
}

TEST(Properties, MoreDataHelpAtTheBestPenaltySlow) {
  constexpr int kProblems = 215;
  Draw draws(16);
  for (int i = 0; i < kProblems; ++i) {
    Problem problem = draw(draws, [](const Problem& p) {
      return p.penalised() && p.head == model::Head::linear && p.readout == model::Readout::rows &&
             p.student != model::Student::direct_general && p.alpha < 1e3 &&
             (!discrete(p) || p.target.spectrum().discrete()->atoms.size() < 100);
    });
    problem.lambda_rule = model::LambdaRule::optimal;
    SCOPED_TRACE(text(problem));
    Problem more = problem;
    more.alpha *= 1 + draws.uniform(0.1, 2);
    const Solution few = errors_of(problem), many = errors_of(more);
    if (!few.diagnostics.converged || !many.diagnostics.converged) continue;
    EXPECT_LE(many.errors.test, few.errors.test * (1 + 1e-3) + 1e-9 * few.Q_star);
  }
}

/// Nobody knows more than the posterior mean.
TEST(Properties, NoStudentBeatsThePosteriorMeanSlow) {
  constexpr int kProblems = 450;
  Draw draws(17);
  for (int i = 0; i < kProblems; ++i) {
    const Problem problem = draw(draws, [](const Problem& p) {
      return p.penalised() && p.labels_are_outputs() && p.head == model::Head::linear && !p.two_sectors() &&
             !p.cross() && p.lambda_rule != model::LambdaRule::optimal;
    });
    Problem bayes = problem;
    bayes.student = model::Student::bayes;
    bayes.lambda_rule = model::LambdaRule::none;
    bayes.width = 1;
    SCOPED_TRACE(text(problem));
    const Solution best = errors_of(bayes), trained = errors_of(problem);
    if (!best.diagnostics.converged || !trained.diagnostics.converged) continue;
    EXPECT_LE(best.errors.estimation, trained.errors.estimation * (1 + 2e-3) + 1e-9 * best.Q_star);
  }
}

}  // namespace
}  // namespace attnlaw::theory
