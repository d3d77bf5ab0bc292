/// The fields of a solution, and the document that follows from them.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/theory/prior/numerical_prior.h"
#include "attnlaw/theory/solution.h"

namespace attnlaw::theory {
namespace {

using base::Kind;
using base::Nesting;
using Json = nlohmann::json;

/// The order parameters as documents have them.
struct OrderParameters {
  double Q_star = 0;
  double q = 0, m = 0, V = 0;
  std::optional<double> q_a, V_a;
};

const base::Description& describe(const OrderParameters*) {
  using O = OrderParameters;
  static const base::Description description{
      "order parameters",
      {base::field("Q_star", &O::Q_star, {.symbol = "Q*", .doc = "‖S*‖²_F/d of the target"}),
       base::field("q", &O::q,
                   {.symbol = "q", .doc = "‖S_s‖²_F/d of the symmetric part; ‖S‖²_F/d with cross-attention"}),
       base::field("m", &O::m, {.symbol = "m", .doc = "⟨S, S*⟩/d"}),
       base::field("V", &O::V, {.symbol = "V", .doc = "response of S to its field; λV while interpolating"}),
       base::field("q_a", &O::q_a, {.symbol = "q_a", .doc = "‖S_a‖²_F/d of the antisymmetric part"}),
       base::field("V_a", &O::V_a, {.symbol = "V_a", .doc = "response of the antisymmetric part"})}};
  return description;
}

struct ConjugateParameters {
  double q_hat = 0, m_hat = 0, V_hat = 0;
  std::optional<double> q_hat_a, V_hat_a;
};

const base::Description& describe(const ConjugateParameters*) {
  using C = ConjugateParameters;
  static const base::Description description{
      "conjugate parameters: S is a spectral function of m̂ S* + √q̂ Z",
      {base::field("q_hat", &C::q_hat, {.symbol = "q̂", .doc = "variance of the noise; q̂/λ² while interpolating"}),
       base::field("m_hat", &C::m_hat, {.symbol = "m̂", .doc = "weight of the target; m̂/λ while interpolating"}),
       base::field("V_hat", &C::V_hat, {.symbol = "V̂", .doc = "stiffness; V̂/λ while interpolating"}),
       base::field("q_hat_a", &C::q_hat_a, {.symbol = "q̂_a", .doc = "variance of the noise of the antisymmetric part"}),
       base::field("V_hat_a", &C::V_hat_a, {.symbol = "V̂_a", .doc = "stiffness of the antisymmetric part"})}};
  return description;
}

std::optional<double> of_sector(const Solution& solution, double value) {
  return solution.problem.two_sectors() ? std::optional(value) : std::nullopt;
}

OrderParameters order_parameters(const Solution& solution) {
  const Overlaps& at = solution.overlaps;
  return {solution.Q_star, at.q, at.m, at.V, of_sector(solution, at.q_a), of_sector(solution, at.V_a)};
}

ConjugateParameters conjugate_parameters(const Solution& solution) {
  const Conjugates& at = solution.conjugates;
  return {at.q_hat, at.m_hat, at.V_hat, of_sector(solution, at.q_hat_a), of_sector(solution, at.V_hat_a)};
}

/// Bands of a spectrum as pairs of numbers.
Json edges_json(const TrainedSpectrum& spectrum) {
  Json edges = Json::array();
  for (const auto& edge : spectrum.edges) edges.push_back({edge.lower, edge.upper});
  return edges;
}

base::Type pairs() {
  const auto pair = std::make_shared<const base::Type>(base::type_of<std::vector<double>>());
  return {Kind::list, {}, nullptr, pair};
}

Json outliers_json(const TrainedSpectrum& spectrum) {
  Json outliers = Json::array();
  for (const Outlier& outlier : spectrum.outliers)
    outliers.push_back({{"target", outlier.target}, {"eigenvalue", outlier.eigenvalue}, {"overlap", outlier.overlap}});
  return outliers;
}

/// The matrices that stand for a law that is not known.
struct SampledPrior {
  int dimension = 0;
  int matrices = 0;
};

const base::Description& describe(const SampledPrior*) {
  static const base::Description description{
      "drawn matrices that stand for the law of a student that has none known",
      {base::field("dimension", &SampledPrior::dimension, {.doc = "of the matrices"}),
       base::field("matrices", &SampledPrior::matrices, {.doc = "how many there are"})}};
  return description;
}

std::optional<SampledPrior> sampled_prior(const Diagnostics& diagnostics) {
  if (diagnostics.sampled_matrices == 0) return std::nullopt;
  return SampledPrior{diagnostics.sampled_matrices, NumericalPrior::kReplicates};
}

/// Those figures that the loss has.
Json loss_figures_json(const Solution& solution) {
  Json figures = base::json_of(*solution.loss_figures);
  if (solution.problem.loss == model::Loss::logistic) return {{"sign_error", figures["sign_error"]}};
  figures.erase("sign_error");
  return figures;
}

}  // namespace

const base::Description& describe(const Errors*) {
  static const base::Description description{
      "errors of the trained student",
      {base::field("train", &Errors::train, {.doc = "loss per training sequence, without penalty"}),
       base::field("test", &Errors::test, {.doc = "noiseless loss per fresh sequence"}),
       base::field("test_noisy", &Errors::test_noisy,
                   {.doc = "the same against labels with the noise of the training labels"}),
       base::field("estimation", &Errors::estimation, {.symbol = "E", .doc = "‖S − S*‖²_F/d"}),
       base::field("objective", &Errors::objective,
                   {.unit = "per d²", .doc = "α·train plus λ times Tr S, ‖S‖_* or ‖S‖²_F over d"})}};
  return description;
}

const base::Description& describe(const LossFigures*) {
  using F = LossFigures;
  static const base::Description description{
      "figures of a loss beside the errors",
      {base::field("excess_train", &F::excess_train,
                   {.doc = "cross-entropy above the entropy of the labels, on training data (soft labels only)"}),
       base::field("excess_test", &F::excess_test,
                   {.doc = "cross-entropy above the entropy of fresh noiseless labels"}),
       base::field("squared_train", &F::squared_train, {.doc = "‖y − σ_β(h)‖²_F on training data (soft labels only)"}),
       base::field("squared_test", &F::squared_test, {.doc = "‖y − σ_β(h)‖²_F on fresh sequences"}),
       base::field("sign_error", &F::sign_error, {.doc = "probability of a wrong sign on fresh sequences"})}};
  return description;
}

const base::Description& describe(const Collapse*) {
  using C = Collapse;
  static const base::Description description{
      "how far a spectrum has collapsed, each from 0 to 1",
      {base::field("rank_fraction", &C::rank_fraction, {.doc = "rank(S)/d"}),
       base::field("stable_rank", &C::stable_rank, {.doc = "‖S‖²_F/(d ‖S‖²_op)"}),
       base::field("effective_rank", &C::effective_rank, {.doc = "‖S‖²_*/(d ‖S‖²_F)"}),
       base::field("nuclear_frobenius", &C::nuclear_frobenius, {.doc = "‖S‖_*/(√d ‖S‖_F)"})}};
  return description;
}

const base::Description& describe(const TrainedSpectrum*) {
  using T = TrainedSpectrum;
  static const base::Description description{
      "spectrum of the trained S: an atom at 0, bands and outliers",
      {base::field("zero_mass", &T::zero_mass, {.doc = "weight of the atom at 0"}),
       base::field("upper_mass", &T::upper_mass,
                   {.doc = "weight of the bands that have detached upwards from the lowest; null while there is none"}),
       base::custom<T>("edges", pairs(), edges_json, nullptr, {.doc = "lower and upper end of every band"}),
       base::custom<T>("outliers",
                       {Kind::list, {}, nullptr, std::make_shared<const base::Type>(base::Type{Kind::object})},
                       outliers_json, nullptr,
                       {.doc = "isolated eigenvalues: that of the target, that of S, squared overlap of the two"}),
       base::field("collapse", &T::collapse, {})}};
  return description;
}

const base::Description& describe(const Diagnostics*) {
  using D = Diagnostics;
  static const base::Description description{
      "how the solution was reached and how far it can be trusted",
      {base::field("sampling_error", &D::sampling_error,
                   {.doc = "standard errors of the errors over replicates of the rule; 0 for closed forms, null where "
                           "a time limit left a coarse grid alone"})
           .nested(Nesting::suffixed),
       base::field("replicon", &D::replicon, {.symbol = "R", .doc = "the solution is stable where R < 1"}),
       base::field("residual", &D::residual, {.doc = "at the returned point"}),
       base::field("converged", &D::converged, {.doc = "whether the figures can be used"}),
       base::field("message", &D::message, {.doc = "what failed or fell short of the accuracy"}).when([](const D& d) {
         return !d.message.empty();
       }),
       base::field("iterations", &D::iterations, {.doc = "evaluations of the state-evolution map"}),
       base::field("law_error", &D::law_error, {.doc = "certified error of mass and moments of the spectral law"}),
       base::field("points", &D::points,
                   {.doc = "points of the rule for expectations over fields, 0 for closed forms"}),
       base::figure_of<D>("sampled_prior", sampled_prior, {}),
       base::field("seconds", &D::seconds, {.unit = "s", .doc = "wall time"})}};
  return description;
}

const base::Description& describe(const BayesFigures*) {
  using B = BayesFigures;
  static const base::Description description{
      "what the posterior mean has beside the errors",
      {base::field("noise_variance", &B::noise_variance, {.symbol = "v", .doc = "the data are as good as S* + √v GOE"}),
       base::field("plug_in_test", &B::plug_in_test, {.doc = "label error of the outputs of the posterior mean of S*"}),
       base::field("index_error", &B::index_error, {.doc = "E‖h* − h(Ŝ)‖²_F"}),
       base::field("mutual_information", &B::mutual_information,
                   {.unit = "per d²", .doc = "infinite, written null, with noiseless labels"}),
       base::field("fixed_points", &B::fixed_points,
                   {.doc = "estimation errors of all fixed points, ascending; several mean a hard phase"})}};
  return description;
}

const base::Description& describe(const RidgelessLimit*) {
  using R = RidgelessLimit;
  static const base::Description description{
      "the limit λ → 0",
      {base::field("phase", &R::phase, {.doc = "whether labels are fitted, the target is found, or neither"}),
       base::field("a", &R::a, {.symbol = "a", .doc = "effective noise √q̂/m̂, while interpolating"}),
       base::field("t", &R::t, {.symbol = "t", .doc = "effective threshold, while interpolating"})}};
  return description;
}

const base::Description& describe(const OptimalLambda*) {
  using O = OptimalLambda;
  static const base::Description description{
      "the penalty of least test error",
      {base::field("lambda", &O::lambda, {.symbol = "λ", .doc = "0: the limit λ → 0 is best"}),
       base::field("test", &O::test, {.doc = "test error there"}),
       base::field("curvature", &O::curvature, {.doc = "d² test/d(log λ)² there; 0 at an end of the range"}),
       base::field("where", &O::where, {.doc = "interior, 0+, S = 0, or end of range"})}};
  return description;
}

const base::Description& describe(const Sensitivities*) {
  using S = Sensitivities;
  static const base::Description description{
      "derivatives of the errors with respect to the numbers of the problem, all others fixed",
      {base::field("alpha", &S::alpha, {.doc = "with respect to α"}).nested(Nesting::prefixed),
       base::field("lambda", &S::lambda, {.doc = "with respect to λ; none in the ridgeless limit"})
           .nested(Nesting::prefixed),
       base::field("noise", &S::noise, {.doc = "with respect to Δ, at 0 from above"}).nested(Nesting::prefixed),
       base::field("beta", &S::beta, {.doc = "with respect to β of the student, that of the target fixed"})
           .nested(Nesting::prefixed)}};
  return description;
}

const base::Description& describe(const Solution*) {
  using S = Solution;
  static const base::Description description{
      "what the theory says about one problem",
      {base::field("problem", &S::problem, {.doc = "resolved: with the λ that was found"}),
       base::figure_of<S>("overlaps", order_parameters, {}), base::figure_of<S>("conjugates", conjugate_parameters, {}),
       base::field("errors", &S::errors, {}), base::field("spectrum", &S::spectrum, {}),
       base::field("diagnostics", &S::diagnostics, {}),
       base::field("ridgeless", &S::ridgeless, {.doc = "with lambda 0+"}),
       base::field("optimal_lambda", &S::optimal_lambda, {.doc = "with lambda optimal"}).nested(Nesting::prefixed),
       base::field("sensitivities", &S::sensitivities, {.doc = "with the option sensitivities"})
           .nested(Nesting::prefixed),
       base::field("bayes", &S::bayes, {.doc = "student bayes"}),
       base::custom<S>("loss_figures", base::type_of<LossFigures>(), loss_figures_json, nullptr,
                       {.doc = "cross-entropy and sign labels"})
           .when([](const S& s) { return s.loss_figures.has_value(); })}};
  return description;
}

nlohmann::json to_json(const Solution& solution) { return base::json_of(solution); }

}  // namespace attnlaw::theory
