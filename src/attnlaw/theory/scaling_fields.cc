/// The fields of scaling curves, and the documents that follow from them.

#include <cmath>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/theory/scaling.h"

namespace attnlaw::theory {
namespace {

using base::Nesting;
using Json = nlohmann::json;

Json lambda_json(const ScalingPoint& point) { return base::json_of(point.solution.problem)["lambda"]; }

/// By the name of the regime, of those that have a power law.
Json exponents_json(const ScalingCurve& curve) {
  Json exponents = Json::object();
  for (const Regime regime : ruling_regimes())
    if (const double predicted = predicted_exponent(curve, regime); !std::isnan(predicted))
      exponents[name(regime)] = {{"clean_points", clean_points(curve, regime)},
                                 {"fitted", fitted_exponent(curve, regime)},
                                 {"predicted", predicted}};
  return exponents;
}

}  // namespace

std::span<const base::Named<Regime>> names_table(Regime) {
  static constexpr base::Named<Regime> kRegimes[] = {{Regime::collapse, "collapse"},
                                                     {Regime::lambda_dominated, "lambda-dominated"},
                                                     {Regime::lambda_shrinkage, "lambda-shrinkage"},
                                                     {Regime::noise_dominated, "noise-dominated"},
                                                     {Regime::noiseless, "noiseless"},
                                                     {Regime::overfitting, "overfitting"},
                                                     {Regime::peak, "interpolation-peak"},
                                                     {Regime::under_regularised, "under-regularised"},
                                                     {Regime::parametric, "parametric"},
                                                     {Regime::none, "none"}};
  return kRegimes;
}

const base::Description& describe(const ErrorParts*) {
  using E = ErrorParts;
  static const base::Description description{
      "the estimation error by its origin",
      {base::field("unlearned", &E::unlearned, {.doc = "modes of the target that stay inside the bulk"}),
       base::field("shrinkage", &E::shrinkage, {.doc = "learned modes: eigenvalues too small"}),
       base::field("misalignment", &E::misalignment, {.doc = "learned modes: eigenvectors off"}),
       base::field("bulk", &E::bulk, {.doc = "noise that is fitted, less the signal in it"})}};
  return description;
}

const base::Description& describe(const EffectiveNumbers*) {
  using N = EffectiveNumbers;
  static const base::Description description{
      "the two numbers that a student depends on",
      {base::field("effective_noise", &N::noise, {.symbol = "a", .doc = "the student is a function of S* + a Z"}),
       base::field("effective_threshold", &N::threshold,
                   {.symbol = "t",
                    .doc = "below which its eigenvalues are 0; null for a direct student, and at S = 0 or S*"})}};
  return description;
}

const base::Description& describe(const ScalingPoint*) {
  using P = ScalingPoint;
  static const base::Description description{
      "one number of sequences",
      {base::field("n", &P::n, {.symbol = "n", .doc = "sequences at d = D"}),
       base::figure_of<P>("alpha", [](const P& p) { return p.solution.problem.alpha; },
                          {.symbol = "α", .unit = "n/d²", .doc = "sequences per squared dimension"}),
       base::custom<P>("lambda", {base::Kind::value}, lambda_json, nullptr, {.symbol = "λ", .doc = "the penalty"}),
       base::figure_of<P>("train", [](const P& p) { return p.solution.errors.train; }, {.doc = "training error"}),
       base::figure_of<P>("test", [](const P& p) { return p.solution.errors.test; }, {.doc = "test error"}),
       base::figure_of<P>("test_noisy", [](const P& p) { return p.solution.errors.test_noisy; },
                          {.doc = "test error on labels with noise"}),
       base::figure_of<P>("estimation", [](const P& p) { return p.solution.errors.estimation; },
                          {.symbol = "E", .doc = "‖S − S*‖²_F/d"}),
       base::field("slope", &P::slope, {.doc = "d log E/d log n from the neighbours"}),
       base::field("predicted", &P::predicted, {.doc = "exponent of the regime"}),
       base::field("regime", &P::regime, {.doc = "the law that rules here"}),
       base::field("recovered", &P::recovered, {.doc = "modes above their transition, s > a"}),
       base::field("learned", &P::learned, {.doc = "those whose eigenvalues are above the threshold, s + a²/s > t"}),
       base::flat(&P::effective),
       base::field("parts", &P::parts, {.doc = "the estimation error by its origin; they sum to it"}),
       base::field("test_parts", &P::test_parts, {.doc = "test by its origin: floor + price E + amplitude"})
           .nested(Nesting::prefixed),
       base::field("test_noisy_parts", &P::noisy_parts, {.doc = "test_noisy by its origin"}).nested(Nesting::prefixed),
       base::figure_of<P>("replicon", [](const P& p) { return p.solution.diagnostics.replicon; },
                          {.symbol = "R", .doc = "the solution is stable where R < 1"}),
       base::figure_of<P>("converged", [](const P& p) { return p.solution.diagnostics.converged; },
                          {.doc = "whether the figures can be used"})}};
  return description;
}

const base::Description& describe(const ModeTransition*) {
  using M = ModeTransition;
  static const base::Description description{
      "where a mode of the target is recovered",
      {base::field("mode", &M::mode, {.doc = "1, 2, … from the largest"}),
       base::field("eigenvalue", &M::eigenvalue, {.doc = "that of the target; singular value with cross-attention"}),
       base::field("n", &M::n, {.symbol = "n", .doc = "interpolated in log n; null beyond the curve"})}};
  return description;
}

const base::Description& describe(const Crossover*) {
  using C = Crossover;
  static const base::Description description{
      "where one regime gives way to the next",
      {base::field("from", &C::from, {.doc = "the regime before"}), base::field("to", &C::to, {.doc = "that after"}),
       base::field("n", &C::n, {.symbol = "n", .doc = "sequences at d = D"})}};
  return description;
}

const base::Description& describe(const ScalingCurve*) {
  using C = ScalingCurve;
  static const base::Description description{
      "the learning curve of a power-law target",
      {base::field("gamma", &C::gamma, {.symbol = "γ", .doc = "tail exponent of the target"}),
       base::field("penalty_exponent", &C::penalty_exponent, {.doc = "λ grows like n to this power"}),
       base::field("dimension", &C::dimension, {.symbol = "D", .doc = "dimension of the target"}),
       base::field("points", &C::points, {.doc = "ascending in n"}),
       base::field("transitions", &C::transitions, {.doc = "where the first modes are recovered"}),
       base::field("crossovers", &C::crossovers, {.doc = "where the regime changes"}),
       base::custom<C>("exponents", {base::Kind::object}, exponents_json, nullptr,
                       {.doc = "of each regime: points where it is clean, exponent fitted to them and predicted one"}),
       base::figure_of<C>("fitted_penalty_exponent", fitted_penalty_exponent,
                          {.doc = "of λ in n: 1/2 is predicted of the edge and of the best λ"})}};
  return description;
}

const base::Description& describe(const PenaltyFit*) {
  using P = PenaltyFit;
  static const base::Description description{
      "how the error grows with the penalty",
      {base::field("n", &P::n, {.symbol = "n", .doc = "sequences at d = D"}),
       base::field("regime", &P::regime, {.doc = "the law that rules there"}),
       base::field("clean_points", &P::clean_points, {.doc = "penalties well inside the regime, three or more"}),
       base::field("fitted", &P::fitted, {.doc = "exponent of E in λ over them"}),
       base::field("predicted", &P::predicted, {.doc = "exponent of the regime: 2 − 1/γ, or 2"})}};
  return description;
}

const base::Description& describe(const RegimeMap*) {
  using M = RegimeMap;
  static const base::Description description{
      "regimes over numbers of sequences and penalties",
      {base::field("lambda", &M::lambda, {.symbol = "λ", .doc = "descending"}),
       base::field("collapse", &M::collapse, {.doc = "for every n: λ beyond which nothing is learned"}),
       base::field("edge", &M::edge, {.doc = "for every n: λ below which noise is fitted"}),
       base::field("penalty_fits", &M::penalty_fits, {.doc = "exponents of E in λ at fixed n"}),
       base::field("curves", &M::curves, {.doc = "the learning curve of every λ"})}};
  return description;
}

nlohmann::json to_json(const ScalingCurve& curve) { return base::json_of(curve); }

}  // namespace attnlaw::theory
