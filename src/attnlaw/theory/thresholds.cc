#include "attnlaw/theory/thresholds.h"

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "attnlaw/base/infinity.h"
#include "attnlaw/base/names.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/matrix_laws/standard_laws.h"
#include "attnlaw/theory/decreasing_root.h"
#include "attnlaw/theory/fitting_student.h"
#include "attnlaw/theory/prior/denoiser.h"

namespace attnlaw::theory {
namespace {

using matrix_laws::Spectrum;

/// ∫_{x > max(t, cut)} (x − t)² ρ over the semicircle of unit variance, in closed form: with x = 2 sin φ.
double clipped_square(double t, double cut) {
  const double from = std::max(t, cut);
  if (from >= 2) return 0;
  const double low = std::asin(std::max(from, -2.0) / 2), high = std::asin(1.0);
  // ρ dx = (2/π) cos²φ dφ; ∫ (4 sin² − 4 t sin + t²) cos².
  const auto antiderivative = [&](double phi) {
    const double sine = std::sin(phi), cosine = std::cos(phi);
    const double square = (phi - sine * cosine * (1 - 2 * sine * sine)) / 8;  // ∫ sin² cos²
    const double first = -cosine * cosine * cosine / 3;                       // ∫ sin cos²
    const double mass = (phi + sine * cosine) / 2;                            // ∫ cos²
    return 4 * square - 4 * t * first + t * t * mass;
  };
  return 2 / std::numbers::pi * (antiderivative(high) - antiderivative(low));
}

struct Sign {
  double positive = 0, negative = 0;  ///< masses
};

Sign signs(const Spectrum& target) {
  if (const auto* wishart = target.wishart()) {
    const double rank = std::min(1.0, wishart->kappa);
    return wishart->scale > 0 ? Sign{rank, 0} : Sign{0, rank};
  }
  if (const auto* product = target.product()) {
    const double rank = std::min(1.0, product->kappa);
    return {0.5 * rank, 0.5 * rank};
  }
  Sign sign;
  for (std::size_t i = 0; i < target.discrete()->atoms.size(); ++i) {
    if (target.discrete()->atoms[i] > 0) sign.positive += target.discrete()->weights[i];
    if (target.discrete()->atoms[i] < 0) sign.negative += target.discrete()->weights[i];
  }
  return sign;
}

/// D(rank) = min_t [r² + 2r(1−r) + r t² + (1−r) ∫ (√(1−r) x − t)²], over the eigenvalues x of the noise in the kernel
/// of the target that are kept: above t/√(1−r), and no more than a fraction `width` of all eigenvalues. Of a general
/// matrix the singular values of the noise are kept, twice the positive side of the same semicircle.
std::pair<double, double> statistical_dimension(double rank, double width, Symmetry symmetry) {
  if (rank >= 1) return {1, 0};
  const double scale = std::sqrt(1 - rank);
  double cut = -2;
  if (width < 1) cut = width > rank ? matrix_laws::semicircle(1).quantile(1 - (width - rank) / (1 - rank)) : 2;
  const double sides = symmetry == Symmetry::general ? 2 : 1;
  const auto dimension = [&](double t) {
    return rank * rank + 2 * rank * (1 - rank) + rank * t * t +
           (1 - rank) * (1 - rank) * sides * clipped_square(t / scale, cut);
  };
  // D is convex in t where the cut does not bind, and quadratic where it does.
  const auto [t, least] =
      boost::math::tools::brent_find_minima(dimension, 0.0, 2 * scale, std::numeric_limits<double>::digits);
  return {least, t};
}

Denoiser::Result unpenalised(const model::Problem& problem, const Spectrum& target, double a) {
  return make_denoiser(problem, 0)->evaluate(target, {a * a, 1, 1});
}

}  // namespace

double fitted_scores(const model::Problem& problem) {
  return static_cast<double>(problem.symmetry()) * problem.observed_score_count();
}

double edge_dimension(double rank) { return rank * rank + 2 * rank * (1 - rank) + 4 * rank; }

std::optional<double> target_rank(const model::Problem& problem, const Spectrum& target) {
  const Sign sign = signs(target);
  if (problem.cross()) return sign.positive + sign.negative;
  return sign.negative > 0 ? std::nullopt : std::optional(sign.positive);
}

bool has_ridgeless(const model::Problem& problem) {
  return problem.linear_when_fitted() && !problem.custom_penalty &&
         (problem.soft_threshold() || problem.student == model::Student::direct);
}

void require_ridgeless(const model::Problem& problem) {
  if (has_ridgeless(problem)) return;
  base::reject(
      "thresholds and the limit lambda = 0+ are known for the students tied and direct, and for untied with attention "
      "= cross, with labels soft, readout rows, score or (of two keys) entry, and the student's own penalty; got "
      "student "
      "{}, labels {}, readout {}, penalty {}",
      model::name(problem.student) + (problem.untied_self() ? " of self-attention" : ""), model::name(problem.labels),
      model::name(problem.readout), model::penalty_text(problem));
}

std::optional<Recovery> recovery(const model::Problem& problem, const Spectrum& target) {
  require_ridgeless(problem);
  if (problem.student == model::Student::direct) return Recovery{1 / fitted_scores(problem), 1, 0};
  const std::optional<double> rank = target_rank(problem, target);
  // A rank that differs from the width by rounding alone fits.
  constexpr double kRounding = 1e-12;
  if (!rank || (problem.width < 1 && *rank > problem.width + kRounding)) return std::nullopt;
  const auto [D, t] = statistical_dimension(*rank, problem.width, symmetry_of(problem));
  return Recovery{D / fitted_scores(problem), D, t};
}

std::optional<Interpolation> interpolation(const model::Problem& problem, const Spectrum& target) {
  require_ridgeless(problem);
  if (problem.noise == 0 && recovery(problem, target)) return std::nullopt;
  // Without a penalty these students are S* + aZ: as many sequences as fix S.
  if (problem.student != model::Student::tied)
    return Interpolation{1 / fitted_scores(problem), std::numeric_limits<double>::infinity()};
  // Without a penalty E + Δ = A a² reads m = Q* + Δ.
  const double wanted = target.second_moment() + problem.noise;
  const auto excess = [&](double log_a) { return unpenalised(problem, target, std::exp(log_a)).overlaps.m - wanted; };
  // From a noise that leaves the target as it is to one where m no longer grows but with the mean of the target.
  const double scale = std::sqrt(wanted);
  constexpr double kLeast = 1e-4, kLargest = 1e6, kStep = 8;
  const double high = std::log(kLargest * scale);
  // Downwards in steps: a law of many atoms is costly where the noise resolves each of them.
  double low = std::log(scale), at_low = excess(low);
  for (; at_low >= 0 && low > std::log(kLeast * scale); at_low = excess(low)) low -= std::log(kStep);
  const double at_high = excess(high);
  using base::kInfinity;
  double a = kInfinity;
  if (at_low >= 0) {
    a = std::exp(low);
  } else if (at_high > 0) {
    a = std::exp(decreasing_root([&](double log_a) { return -excess(log_a); }, low, high));
  }
  const double A = unpenalised(problem, target, std::isinf(a) ? kLargest * scale : a).overlaps.V;
  return Interpolation{A / fitted_scores(problem), a};
}

std::optional<double> interpolation_limit(const model::Problem& problem, const Spectrum& target) {
  require_ridgeless(problem);
  const std::optional<double> rank = target_rank(problem, target);
  if (problem.student != model::Student::tied || problem.width < 1 || !rank) return std::nullopt;
  return (1 - 0.5 * (1 - *rank) * (1 - *rank)) / fitted_scores(problem);
}

RidgelessPhase ridgeless_phase(const model::Problem& problem, const Spectrum& target) {
  if (problem.noise == 0) {
    if (const auto at = recovery(problem, target))
      return problem.alpha < at->alpha ? RidgelessPhase::interpolating : RidgelessPhase::recovered;
  }
  return problem.alpha < interpolation(problem, target)->alpha ? RidgelessPhase::interpolating
                                                               : RidgelessPhase::overdetermined;
}

Overlaps interpolating_overlaps(const model::Problem& problem, const Spectrum& target) {
  return fitting_overlaps(problem, target, 1, {});
}

std::span<const base::Named<RidgelessPhase>> names_table(RidgelessPhase) {
  static constexpr base::Named<RidgelessPhase> kPhases[] = {{RidgelessPhase::interpolating, "interpolating"},
                                                            {RidgelessPhase::recovered, "recovered"},
                                                            {RidgelessPhase::overdetermined, "overdetermined"}};
  return kPhases;
}

}  // namespace attnlaw::theory
