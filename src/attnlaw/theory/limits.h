#pragma once
/// What the errors of a problem tend to where one of its numbers is small or large (docs/theory/thresholds.md, section
/// "Limits").
///
/// ```cpp
/// #include <cstdio>
///
/// #include "attnlaw/theory/limits.h"
///
/// attnlaw::model::Problem problem;
/// problem.student = attnlaw::model::Student::bayes;
/// problem.lambda_rule = attnlaw::model::LambdaRule::none;
/// problem.target = attnlaw::model::Target::parse("wishart:0.01");
/// problem.alpha = 0.004;
/// const auto solution = attnlaw::theory::solve(problem);
/// for (const attnlaw::theory::Limit& limit : attnlaw::theory::limits(solution))
///   std::printf("%s: %.4f, here %.4f\n", limit.figure.c_str(), limit.limit, limit.value);
/// ```

#include <span>
#include <string>
#include <vector>

#include "attnlaw/base/describe.h"
#include "attnlaw/base/evidence.h"
#include "attnlaw/base/names.h"
#include "attnlaw/theory/solve.h"

namespace attnlaw::theory {

using base::name;

enum class LimitKind {
  low_rank,         ///< κ* → 0 at fixed x = αK_eff/κ*, noiseless labels: a target of few modes
  vanishing_noise,  ///< Δ → 0: the threshold of interpolation
  many_sequences,   ///< α → ∞ with noisy labels: E ∝ 1/α, or the plateau of softmax rows
  many_tokens,  ///< T → ∞ at the overlaps of the problem: the test error, also of these overlaps at T = 8 and 16
  unfactorised  ///< the direct student at λ → 0 and noiseless labels, whatever the target: exact at any α
};
std::span<const base::Named<LimitKind>> names_table(LimitKind);

/// A figure of a problem beside what it tends to.
struct Limit {
  LimitKind kind = LimitKind::low_rank;
  std::string figure;     ///< estimation, test, interpolation or recovery
  std::string parameter;  ///< what is small or large …
  double at = 0;          ///< … and its value in the problem
  double limit = 0;       ///< what the figure tends to
  double value = 0;       ///< the figure of the problem
  base::Evidence evidence = base::Evidence::derived;
};
const base::Description& describe(const Limit*);

/// Returns the limits that a solved problem is close to or far from; none where none is known.
std::vector<Limit> limits(const Solution& solution);

/// E of a target of vanishing rank κ*, noiseless labels, x = αK_eff/κ*. That of the posterior mean is 1 up to x = 1/2,
/// then 4x(1 − x), and 0 from x = 1 on; that of the tied student at λ → 0 is 1 up to x = 1/2, then 2xw² with w = (4 −
/// √(6x − 2))/3, and 0 from x = 3 on.
double low_rank_error(bool bayes, double x);
/// The x at which they are recovered: 1 − κ*/2, exactly at any κ* ≤ 1, and to the first order 3 − (10/7)(7.5πκ*)^{2/5}.
double low_rank_recovery(bool bayes, double kappa);

/// The test error of softmax rows per sequence as T → ∞, of scores of variance Q*, covariance m and variance q with the
/// temperatures in them: normalisers concentrate, and entries are independent log-normal numbers. Heuristic.
double many_tokens_test(double Q_star, double m, double q);

}  // namespace attnlaw::theory
