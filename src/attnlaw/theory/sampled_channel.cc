#include "attnlaw/theory/sampled_channel.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "attnlaw/theory/linear_channel.h"
#include "attnlaw/theory/quasi_monte_carlo.h"
#include "attnlaw/theory/softmax_losses.h"

namespace attnlaw::theory {
namespace {

/// Seeds of the scrambles: fixed, so that the theory is deterministic.
constexpr std::uint64_t kRuleSeed = 20250924;

/// Independent replicates: enough for a standard error of 7 degrees of freedom.
constexpr int kReplicates = 8;

/// Variance of the label's field given ω: D/q with D = (Q* + Δ) q − m².
double conditional_variance(const Overlaps& overlaps, double label_variance) {
  constexpr double kRoundoff = 1e-300;
  return std::max(label_variance - overlaps.m * overlaps.m / overlaps.q, kRoundoff);
}

}  // namespace

template <class Loss>
struct SampledChannel<Loss>::Field {
  using Vector = PackArray<Loss::kDimension>;
  explicit Field(const Loss& loss)
      : omega(loss.dimension()),
        target(loss.dimension()),
        fit(loss.dimension()),
        epsilon(loss.dimension()),
        eta(loss.dimension()),
        label(loss.make_label()) {}

  Vector omega, target;  ///< whitened fields
  Vector fit;            ///< the student's field that reproduces the label
  Vector epsilon, eta;   ///< their independent standard normal parts
  typename Loss::Label label;
};

template <class Loss>
SampledChannel<Loss>::SampledChannel(Loss loss, double alpha, double beta_ratio, double noise, double Q_star,
                                     int log2_points)
    : loss_(std::move(loss)), alpha_(alpha), beta_ratio_(beta_ratio), noise_(noise), Q_star_(Q_star), first_pack_{0} {
  const std::size_t dimension = 2 * static_cast<std::size_t>(loss_.sampled_dimension());
  for (int replicate = 0; replicate < kReplicates; ++replicate)
    append_replicate(scrambled_sobol_rule(dimension, log2_points, kRuleSeed + static_cast<std::uint64_t>(replicate)));
}

template <class Loss>
void SampledChannel<Loss>::append_replicate(const NormalRule& rule) {
  const std::size_t count = rule.weights.size();
  for (std::size_t first = 0; first < count; first += kLanes) {
    Pack weight;
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      weight.lanes[lane] = first + lane < count ? rule.weights[first + lane] : 0;
    weights_.push_back(weight);
    for (std::size_t k = 0; k < rule.dimension; ++k) {
      Pack pack;
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        pack.lanes[lane] = rule.points[std::min(first + lane, count - 1) * rule.dimension + k];
      normals_.push_back(pack);
    }
  }
  first_pack_.push_back(weights_.size());
}

template <class Loss>
void SampledChannel<Loss>::draw(std::size_t pack, const Overlaps& overlaps, double noise, Field& field) const {
  const auto sampled = static_cast<std::size_t>(loss_.sampled_dimension());
  const Pack* normals = &normals_[pack * 2 * sampled];
  loss_.embed(normals, field.epsilon.data());
  loss_.embed(normals + sampled, field.eta.data());
  const double scale = std::sqrt(overlaps.q);
  const double along = overlaps.q > 0 ? overlaps.m / scale : 0;
  const double across = std::sqrt(overlaps.q > 0 ? conditional_variance(overlaps, Q_star_ + noise) : Q_star_ + noise);
  for (std::size_t k = 0; k < field.omega.size(); ++k) {
    field.omega[k] = scale * field.epsilon[k];
    field.target[k] = along * field.epsilon[k] + across * field.eta[k];
    field.fit[k] = beta_ratio_ * field.target[k];
  }
  loss_.label(field.target.data(), field.label);
}

template <class Loss>
template <class Body>
void SampledChannel<Loss>::for_each_pack(const Overlaps& overlaps, double noise, int replicate, Body&& body) const {
  const auto chosen = static_cast<std::size_t>(replicate);
  const std::size_t first = replicate == kAll ? 0 : first_pack_[chosen];
  const std::size_t last = replicate == kAll ? weights_.size() : first_pack_[chosen + 1];
  const double share = replicate == kAll ? 1.0 / replicates() : 1.0;
  Field field(loss_);
  for (std::size_t pack = first; pack < last; ++pack) {
    draw(pack, overlaps, noise, field);
    body(field, share * weights_[pack]);
  }
}

namespace {

/// ‖(1 + VH)⁻¹H‖²_F per lane. 1 + VH is positive definite at a proximal point; a lane where rounding hides that (a
/// fold, of measure zero) counts as 0.
template <class Matrix>
Pack squared_response_of(const Matrix& hessian, int dimension, double V) {
  Matrix factor = hessian;
  std::vector<Pack> column(static_cast<std::size_t>(dimension));
  for (Pack& entry : factor) entry *= V;
  for (int k = 0; k < dimension; ++k) factor[static_cast<std::size_t>(lower_index(k, k))] += 1;
  const Mask fold = cholesky(factor, dimension);
  Pack sum = 0;
  for (int j = 0; j < dimension; ++j) {
    for (int i = 0; i < dimension; ++i)
      column[static_cast<std::size_t>(i)] =
          hessian[static_cast<std::size_t>(i >= j ? lower_index(i, j) : lower_index(j, i))];
    cholesky_solve(factor, dimension, column.data());
    for (const Pack entry : column) sum += entry * entry;
  }
  return select(fold, 0, sum);
}

}  // namespace

template <class Loss>
OutputChannel::Result SampledChannel<Loss>::evaluate(const Overlaps& overlaps, int replicate) const {
  GlobalProximal<Loss> proximal(loss_);
  Pack g_square = 0, g_epsilon = 0, g_eta = 0, train = 0;
  for_each_pack(overlaps, noise_, replicate, [&](const Field& field, Pack weight) {
    proximal.solve(field.label, field.omega.data(), field.fit.data(), overlaps.V);
    train += weight * proximal.loss_value();
    for (std::size_t k = 0; k < field.omega.size(); ++k) {
      const Pack g = (proximal.point()[k] - field.omega[k]) / overlaps.V;
      const Pack weighted = weight * g;
      g_square += weighted * g;
      g_epsilon += weighted * field.epsilon[k];
      g_eta += weighted * field.eta[k];
    }
  });
  // Stein's lemma in the independent parts (ε, η) of (ω, t): free of the cancellation in A q − B m when D is small.
  const double spread = std::sqrt(conditional_variance(overlaps, Q_star_ + noise_));
  const double m_hat = 2 * alpha_ * g_eta.sum() / spread;
  const double V_hat = (overlaps.m * m_hat / overlaps.q) - 2 * alpha_ * g_epsilon.sum() / std::sqrt(overlaps.q);
  return {{2 * alpha_ * g_square.sum(), m_hat, V_hat}, train.sum()};
}

template <class Loss>
OutputChannel::Result SampledChannel<Loss>::evaluate_at_zero(int replicate) const {
  Expansion<Loss::kDimension> at(loss_.dimension());
  Pack g_square = 0, g_eta = 0, trace = 0, train = 0;
  for_each_pack({}, noise_, replicate, [&](const Field& field, Pack weight) {
    loss_.expand(field.label, field.omega.data(), at);
    train += weight * at.value;
    for (int k = 0; k < loss_.dimension(); ++k) {
      const auto i = static_cast<std::size_t>(k);
      g_square += weight * at.gradient[i] * at.gradient[i];
      g_eta -= weight * at.gradient[i] * field.eta[i];
      trace += weight * at.hessian[static_cast<std::size_t>(lower_index(k, k))];
    }
  });
  const double factor = 2 * alpha_;
  return {{factor * g_square.sum(), factor * g_eta.sum() / std::sqrt(Q_star_ + noise_), factor * trace.sum()},
          train.sum()};
}

template <class Loss>
double SampledChannel<Loss>::test(const Overlaps& overlaps, int replicate) const {
  Pack sum = 0;
  for_each_pack(overlaps, 0, replicate,
                [&](const Field& field, Pack weight) { sum += weight * loss_.value(field.label, field.omega.data()); });
  return sum.sum();
}

template <class Loss>
double SampledChannel<Loss>::squared_response(const Overlaps& overlaps) const {
  GlobalProximal<Loss> proximal(loss_);
  proximal.keep_hessian();
  Pack sum = 0;
  // One replicate settles a stability figure that is compared with 1.
  for_each_pack(overlaps, noise_, 0, [&](const Field& field, Pack weight) {
    proximal.solve(field.label, field.omega.data(), field.fit.data(), overlaps.V);
    sum += weight * squared_response_of(proximal.hessian(), loss_.dimension(), overlaps.V);
  });
  return 2 * alpha_ * sum.sum();
}

template class SampledChannel<SoftmaxPair>;
template class SampledChannel<SoftmaxRows<3>>;
template class SampledChannel<SoftmaxRows<4>>;
template class SampledChannel<SoftmaxRows<0>>;

namespace {

template <class Loss>
std::unique_ptr<OutputChannel> make_sampled(Loss loss, const model::Problem& problem, double Q_star, int log2_points) {
  return std::make_unique<SampledChannel<Loss>>(std::move(loss), problem.alpha, problem.target_beta / problem.beta,
                                                problem.noise, Q_star, log2_points);
}

}  // namespace

std::unique_ptr<OutputChannel> make_output_channel(const model::Problem& problem, double Q_star, int log2_points) {
  if (problem.head == model::Head::linear) return std::make_unique<LinearChannel>(problem, Q_star);
  const auto& [T, beta, target_beta] = std::tie(problem.tokens, problem.beta, problem.target_beta);
  switch (T) {
    case 2:
      return make_sampled(SoftmaxPair(beta, target_beta), problem, Q_star, log2_points);
    case 3:
      return make_sampled(SoftmaxRows<3>(T, beta, target_beta), problem, Q_star, log2_points);
    case 4:
      return make_sampled(SoftmaxRows<4>(T, beta, target_beta), problem, Q_star, log2_points);
    default:
      return make_sampled(SoftmaxRows<0>(T, beta, target_beta), problem, Q_star, log2_points);
  }
}

}  // namespace attnlaw::theory
