#include "attnlaw/theory/trained_student.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attnlaw/matrix_laws/semicircle_sum.h"

namespace attnlaw::theory {
namespace {

Collapse measure_collapse(const matrix_laws::Law& law, const SpectralFunction& f, Symmetry symmetry, double q,
                          const TrainedSpectrum& spectrum) {
  if (!(q > 0)) return {};
  std::vector<double> breaks = f.bends();
  breaks.insert(breaks.end(), {f.cut, f.shift});
  double nuclear = 0, largest = 0;
  const std::vector<matrix_laws::Law::Node> nodes = law.quadrature(breaks).nodes;
  std::vector<double> x;
  for (const auto& node : nodes) x.push_back(node.x);
  const std::vector<double> values = f.at(x);
  for (std::size_t i = 0; i < nodes.size(); ++i) nuclear += sides(symmetry) * nodes[i].weight * std::abs(values[i]);
  for (const auto& edge : spectrum.edges) largest = std::max({largest, std::abs(edge.lower), std::abs(edge.upper)});
  return collapse_of(q, nuclear, largest, spectrum.zero_mass);
}

/// ½V̂q − m̂m − q̂V and the same of the antisymmetric part: what couples overlaps to conjugates in the free energy, times
/// d² over the number of parameters of S.
double coupling_of(const Conjugates& conjugates, const Overlaps& overlaps) {
  return 0.5 * conjugates.V_hat * overlaps.q - conjugates.m_hat * overlaps.m - conjugates.q_hat * overlaps.V +
         0.5 * conjugates.V_hat_a * overlaps.q_a - conjugates.q_hat_a * overlaps.V_a;
}

Overlaps difference(const Overlaps& a, const Overlaps& b) {
  return {a.q - b.q, a.m - b.m, a.V - b.V, a.q_a - b.q_a, a.V_a - b.V_a};
}

Conjugates difference(const Conjugates& a, const Conjugates& b) {
  return {a.q_hat - b.q_hat, a.m_hat - b.m_hat, a.V_hat - b.V_hat, a.q_hat_a - b.q_hat_a, a.V_hat_a - b.V_hat_a};
}

/// Of the sampled matrices of a numerical prior: 1/dimension is the order of its bias.
constexpr int kPriorDimension = 120;

/// Where more than so many points have several minima, integrands jump between them, and the two replicates of a grid
/// share part of the error that this makes: up to five times what they differ by (tests/theory/stated_error_test.cc).
constexpr double kFewJumps = 1e-3;
constexpr double kJumpCaution = 5;
/// …and of all errors of a grid of c digits this share of e^−c, and this share of the relative error of q̂.
constexpr double kLeastShare = 0.05;
constexpr double kForceShare = 0.2;

/// Mass of the bands of M above the lowest that are kept, which have detached from the bulk; NaN while there is none.
double upper_mass(const matrix_laws::Law& law, const SpectralFunction& f, Symmetry symmetry) {
  double mass = std::numeric_limits<double>::quiet_NaN();
  const auto& bands = law.bands();
  for (std::size_t i = 1; i < bands.size(); ++i) {
    const auto& [lower, upper] = bands[i].support;
    if (!(lower > 0) || upper <= f.cut) continue;
    const double kept = f.cut > lower ? law.cdf(upper) - law.cdf(f.cut) : bands[i].mass;
    mass = (std::isnan(mass) ? 0 : mass) + sides(symmetry) * kept;
  }
  return mass;
}

std::unique_ptr<OutputChannel> make_channel(const model::Problem& problem, double Q_star,
                                            std::optional<RidgelessPhase> phase, const PointRule& rule) {
  return phase == RidgelessPhase::interpolating ? make_interpolating_channel(problem, Q_star, rule)
                                                : make_output_channel(problem, Q_star, rule);
}

/// The conjugates of closed forms depend on E and V alone, unless the student is a multiple of the target.
Chart::Signal signal_of(const model::Problem& problem, std::optional<RidgelessPhase> phase) {
  return closed_form(problem, phase) && problem.beta_ratio() == 1 ? Chart::Signal::error : Chart::Signal::correlation;
}

std::unique_ptr<Denoiser> make_denoiser_by_rule(const model::Problem& problem, const matrix_laws::Spectrum& target,
                                                double lambda, double tolerance,
                                                NumericalPrior::Approximation approximation) {
  if (problem.untied_self()) return std::make_unique<NumericalPrior>(target, lambda, kPriorDimension, approximation);
  if (problem.lambda_rule == model::LambdaRule::edge)
    return std::make_unique<EdgeDenoiser>(problem.width, symmetry_of(problem), tolerance);
  return make_denoiser(problem, lambda, tolerance);
}

}  // namespace

bool closed_form(const model::Problem& problem, std::optional<RidgelessPhase> phase) {
  if (problem.untied_self() || problem.custom_loss) return false;
  return problem.head == model::Head::linear || phase == RidgelessPhase::interpolating;
}

double effective_lambda(const model::Problem& problem, std::optional<RidgelessPhase> phase) {
  if (!phase) return problem.lambda;
  return phase == RidgelessPhase::interpolating ? 1 : 0;
}

double relative_error(const Errors& error, const Errors& value) {
  // An error that is not known (a replicate without a student, close to S = 0) is as bad as any.
  const auto ratio = [](double part, double whole) {
    if (std::isnan(part) && !std::isnan(whole)) return std::numeric_limits<double>::infinity();
    return whole > 0 ? part / whole : 0;
  };
  return std::max(
      {ratio(error.train, value.train), ratio(error.test, value.test), ratio(error.estimation, value.estimation)});
}

TrainedStudent::TrainedStudent(const model::Problem& problem, const matrix_laws::Spectrum& target,
                               std::optional<RidgelessPhase> phase, const Resolution& resolution,
                               NumericalPrior::Approximation approximation)
    : TrainedStudent(problem, target, resolution, approximation, effective_lambda(problem, phase),
                     signal_of(problem, phase), make_channel(problem, target.second_moment(), phase, resolution.rule)) {
}

TrainedStudent::TrainedStudent(const model::Problem& problem, const matrix_laws::Spectrum& target,
                               const Resolution& resolution, NumericalPrior::Approximation approximation, double lambda,
                               Chart::Signal signal, std::shared_ptr<const OutputChannel> channel)
    : problem_(problem),
      resolution_(resolution),
      approximation_(approximation),
      lambda_(lambda),
      channel_(std::move(channel)),
      denoiser_(make_denoiser_by_rule(problem, target, lambda, resolution.law, approximation)),
      spectral_(dynamic_cast<const SpectralDenoiser*>(denoiser_.get())),
      map_(*channel_, *denoiser_, target, signal) {}

TrainedStudent TrainedStudent::at_lambda(double lambda) const {
  model::Problem moved = problem_;
  moved.lambda = lambda;
  return {moved, map_.target(), resolution_, approximation_, lambda, map_.chart().signal, channel_};
}

std::optional<TrainedStudent> TrainedStudent::near_target() const {
  const bool within_reach = problem_.noise == 0 && problem_.beta_ratio() == 1 && spectral_ && !problem_.two_sectors();
  if (!within_reach || map_.chart().signal != Chart::Signal::correlation) return std::nullopt;
  return TrainedStudent(problem_, map_.target(), resolution_, approximation_, lambda_, Chart::Signal::deviation,
                        channel_);
}

Errors TrainedStudent::errors(const FixedPoint& at) const {
  const double Q_star = map_.target().second_moment();
  // The prior may know E better than overlaps do.
  Overlaps overlaps = at.overlaps;
  if (std::isnan(overlaps.deviation)) overlaps.deviation = at.step.prior.overlaps.deviation;
  Errors errors{at.step.train, channel_->test(at.overlaps), overlaps.estimation(Q_star), 0, 0};
  errors.test_noisy = noisy_test(at.overlaps, errors.test, OutputChannel::kAll);
  if (!channel_->identifies_scale()) errors.estimation = std::numeric_limits<double>::quiet_NaN();
  errors.objective = problem_.alpha * errors.train + penalty(at) + objective_at_the_end(at);
  return errors;
}

double TrainedStudent::objective_at_the_end(const FixedPoint& at) const {
  // Conjugates of a ridgeless student are in other units, and a λ at the edge moves with them.
  if (problem_.lambda_rule != model::LambdaRule::value || !(at.overlaps.q > 0)) return 0;
  // Closed forms are solved to rounding. Close to the target the two sides of the coupling nearly cancel, and what the
  // law leaves open of either would be seen in an objective that is small beside them.
  constexpr double kVisible = 1e-5;
  const Conjugates& conjugates = at.step.conjugates;
  const double side = 0.5 * conjugates.V_hat * at.overlaps.q / problem_.symmetry();
  if (map_.chart().signal != Chart::Signal::correlation ||
      resolution_.law * side > kVisible * (problem_.alpha * at.step.train + penalty(at)))
    return 0;
  return coupling_of(conjugates, difference(at.step.prior.overlaps, at.overlaps)) / problem_.symmetry();
}

double TrainedStudent::noisy_test(const Overlaps& overlaps, double test, int replicate) const {
  return problem_.noise > 0 ? channel_->fresh_loss(overlaps, problem_.noise, replicate) : test;
}

double TrainedStudent::penalty(const FixedPoint& at) const {
  switch (problem_.lambda_rule) {
    case model::LambdaRule::value:
      return problem_.lambda * at.step.prior.penalty;
    case model::LambdaRule::edge:
      return 2 * std::sqrt(at.step.conjugates.q_hat) / problem_.symmetry() * at.step.prior.penalty;
    default:
      return 0;  // ridgeless: the λ of the prior is a unit
  }
}

double TrainedStudent::envelope(const Step& step, const Overlaps& overlaps) const {
  const double work = overlaps.V * step.conjugates.q_hat + overlaps.V_a * step.conjugates.q_hat_a;
  return problem_.alpha * step.train + work / (2 * problem_.symmetry());
}

double TrainedStudent::curvature_left(const FixedPoint& at, const std::vector<ReplicatePoint>& points) const {
  double sum = 0;
  for (const ReplicatePoint& point : points) {
    if (!(point.overlaps.q > 0)) return 0;
    const Conjugates change = difference(point.step.conjugates, at.step.conjugates);
    // The envelope has the derivative ½q̂ with respect to −V, half of that of `coupling_of`.
    const Overlaps motion = difference(point.overlaps, at.overlaps);
    sum += 0.5 * (coupling_of(change, motion) + 0.5 * (change.q_hat * motion.V + change.q_hat_a * motion.V_a));
  }
  const auto replicates = static_cast<double>(points.size());
  return std::abs(sum) / (replicates * replicates * problem_.symmetry());
}

TrainedStudent::Scatter TrainedStudent::scatter(const FixedPoint& at, Workspace& workspace) const {
  const int replicates = map_.replicates();
  if (replicates == 1) return {};
  std::vector<ReplicatePoint> points;
  if (!at.slope && at.overlaps.q > 0) {
    const double unknown = std::numeric_limits<double>::quiet_NaN();
    return {{unknown, unknown, unknown, unknown, unknown}, {}};
  }
  if (at.slope) {
    points = replicate_fixed_points(map_, at, workspace);
  } else {
    for (int replicate = 0; replicate < replicates; ++replicate) {
      Step step;
      step.train = channel_->evaluate_at_zero(replicate).train;
      points.push_back({{}, step.train, step});
    }
  }
  // The objective is stationary in the overlaps: to first order it scatters as its envelope does at the fixed point of
  // all, and where points resolve that very well it is the second order that is left.
  std::vector<Errors> samples;
  std::vector<double> forces, imbalances;
  for (int replicate = 0; replicate < replicates; ++replicate) {
    const ReplicatePoint& point = points[static_cast<std::size_t>(replicate)];
    const double test = channel_->test(point.overlaps, replicate);
    samples.push_back({point.train, test, point.overlaps.estimation(map_.target().second_moment()),
                       envelope(point.step, at.overlaps), noisy_test(point.overlaps, test, replicate)});
    forces.push_back(point.step.conjugates.q_hat);
    imbalances.push_back(point.step.imbalance);
  }
  // Figures of two grids may agree by chance.
  const auto* grid = std::get_if<GridRule>(&resolution_.rule);
  const base::Estimate force = base::estimate_of(forces);
  const double least = grid ? kLeastShare * std::exp(-grid->digits) + at.distance +
                                  (force.value > 0 ? kForceShare * force.standard_error / force.value : 0)
                            : 0;
  // Nothing says that a custom loss has no kinks.
  const double caution = grid && (problem_.custom_loss || at.step.several > kFewJumps) ? kJumpCaution : 1;
  const auto error_of = [&](double Errors::*figure) {
    const auto [mean, scatter] = over_replicates(samples, figure);
    return caution * scatter + least * std::abs(mean);
  };
  return {{error_of(&Errors::train), error_of(&Errors::test), error_of(&Errors::estimation),
           error_of(&Errors::objective) + curvature_left(at, points), error_of(&Errors::test_noisy)},
          grid ? base::Estimate{} : base::estimate_of(imbalances)};
}

TrainedSpectrum TrainedStudent::spectrum(const FixedPoint& at, const Workspace& workspace) const {
  const Conjugates& conjugates = at.step.conjugates;
  TrainedSpectrum spectrum;
  if (!usable(conjugates)) return spectrum;
  spectrum.zero_mass = at.step.prior.zero_mass;
  if (!spectral_) {
    const double nuclear = at.step.prior.penalty, largest = workspace.prior.singular_values().back();
    spectrum.collapse = collapse_of(at.overlaps.q + at.overlaps.q_a, nuclear, largest, spectrum.zero_mass);
    return spectrum;
  }
  const matrix_laws::Law law = noisy_target(map_.target(), conjugates);
  const Symmetry symmetry = symmetry_of(problem_);
  const bool singular = symmetry == Symmetry::general;
  const SpectralFunction f = kept_side(spectral_->function(law, conjugates), symmetry);
  for (const auto& band : law.bands())
    for (const auto& [first, last] : f.pieces(band.support, f.jumps())) {
      const std::vector<double> ends = f.above({first, last});
      if (ends.front() < ends.back()) spectrum.edges.push_back({ends.front(), ends.back()});  // else an atom
    }
  for (const Outlier& outlier :
       matrix_laws::outliers(law, map_.target().scaled(conjugates.m_hat), conjugates.q_hat,
                             singular ? matrix_laws::Values::singular_values : matrix_laws::Values::eigenvalues)) {
    if (outlier.eigenvalue <= f.cut) continue;
    spectrum.outliers.push_back({outlier.target / conjugates.m_hat, f(outlier.eigenvalue), outlier.overlap});
  }
  spectrum.upper_mass = upper_mass(law, f, symmetry);
  spectrum.collapse = measure_collapse(law, f, symmetry, at.overlaps.q, spectrum);
  return spectrum;
}

double TrainedStudent::certified_law_error(const FixedPoint& at) const {
  if (!spectral_ || !usable(at.step.conjugates) || many_atoms(map_.target())) return 0;
  return noisy_target(map_.target(), at.step.conjugates).quadrature().error();
}

double TrainedStudent::replicon(const FixedPoint& at, Workspace& workspace) const {
  if (!(at.overlaps.q > 0) || !usable(at.step.conjugates)) return 0;
  if (!spectral_) return std::numeric_limits<double>::quiet_NaN();
  const matrix_laws::Law law = noisy_target(map_.target(), at.step.conjugates);
  return theory::replicon(channel_->squared_response(at.overlaps, &workspace.channel),
                          spectral_->squared_response(law, at.step.conjugates));
}

}  // namespace attnlaw::theory
