#include "attnlaw/theory/sampled_channel.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <tuple>

#include "attnlaw/base/reject.h"
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

void append_replicate(const NormalRule& rule, PointSet& set) {
  const std::size_t count = rule.weights.size();
  for (std::size_t first = 0; first < count; first += kLanes) {
    Pack weight;
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      weight.lanes[lane] = first + lane < count ? rule.weights[first + lane] : 0;
    set.weights.push_back(weight);
    for (std::size_t k = 0; k < rule.dimension; ++k) {
      Pack pack;
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        pack.lanes[lane] = rule.points[std::min(first + lane, count - 1) * rule.dimension + k];
      set.normals.push_back(pack);
    }
  }
  set.first_pack.push_back(set.weights.size());
}

}  // namespace

std::shared_ptr<const PointSet> point_set(std::size_t dimension, int log2_points) {
  // Neighbouring problems of a sweep use the same points: whoever still holds them shares them.
  static std::mutex mutex;
  static std::map<std::pair<std::size_t, int>, std::weak_ptr<const PointSet>> held;
  const std::pair key(dimension, log2_points);
  {
    const std::lock_guard lock(mutex);
    if (auto set = held[key].lock()) return set;
  }
  auto set = std::make_shared<PointSet>();
  set->first_pack.push_back(0);
  for (int replicate = 0; replicate < kReplicates; ++replicate)
    append_replicate(scrambled_sobol_rule(dimension, log2_points, kRuleSeed + static_cast<std::uint64_t>(replicate)),
                     *set);
  const std::lock_guard lock(mutex);
  held[key] = set;
  return set;
}

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
SampledChannel<Loss>::SampledChannel(Loss loss, const ChannelScale& scale, int log2_points)
    : loss_(std::move(loss)),
      scale_(scale),
      points_(point_set(2 * static_cast<std::size_t>(loss_.sampled_dimension()), log2_points)) {}

template <class Loss>
double SampledChannel<Loss>::antisymmetric_scale(const Overlaps& overlaps) {
  return Loss::kGeneral && overlaps.V_a > 0 ? std::sqrt(overlaps.V_a / overlaps.V) : 1;
}

template <class Loss>
Loss SampledChannel<Loss>::scaled_loss(const Overlaps& overlaps) const {
  if constexpr (Loss::kGeneral) return loss_.scaled(antisymmetric_scale(overlaps));
  return loss_;
}

template <class Loss>
void SampledChannel<Loss>::draw(std::size_t pack, const Overlaps& overlaps, double noise, Field& field) const {
  const auto sampled = static_cast<std::size_t>(loss_.sampled_dimension());
  const Pack* normals = &points_->normals[pack * 2 * sampled];
  loss_.embed(normals, field.epsilon.data());
  loss_.embed(normals + sampled, field.eta.data());
  const double scale = std::sqrt(overlaps.q);
  const double along = overlaps.q > 0 ? overlaps.m / scale : 0;
  const double across =
      std::sqrt(overlaps.q > 0 ? conditional_variance(overlaps, scale_.Q_star + noise) : scale_.Q_star + noise);
  const auto symmetric = static_cast<std::size_t>(loss_.symmetric_dimension());
  for (std::size_t k = 0; k < symmetric; ++k) {
    field.omega[k] = scale * field.epsilon[k];
    field.target[k] = along * field.epsilon[k] + across * field.eta[k];
    field.fit[k] = scale_.beta_ratio * field.target[k];
  }
  // Labels are made from a symmetric target.
  const double antisymmetric = std::sqrt(overlaps.q_a) / antisymmetric_scale(overlaps);
  for (std::size_t k = symmetric; k < field.omega.size(); ++k) {
    field.omega[k] = antisymmetric * field.epsilon[k];
    field.target[k] = field.fit[k] = 0;
  }
  loss_.label(field.target.data(), field.label);
}

template <class Loss>
template <class Body>
void SampledChannel<Loss>::for_each_pack(const Overlaps& overlaps, double noise, int replicate, Body&& body) const {
  const auto chosen = static_cast<std::size_t>(replicate);
  const std::size_t first = replicate == kAll ? 0 : points_->first_pack[chosen];
  const std::size_t last = replicate == kAll ? points_->weights.size() : points_->first_pack[chosen + 1];
  const double share = replicate == kAll ? 1.0 / replicates() : 1.0;
  Field field(loss_);
  for (std::size_t pack = first; pack < last; ++pack) {
    draw(pack, overlaps, noise, field);
    body(field, share * points_->weights[pack]);
  }
}

namespace {

/// Squares of the entries of (1 + VH)⁻¹H per lane, summed over blocks: the first `symmetric` coordinates and the rest.
/// 1 + VH is positive definite at a proximal point; a lane where rounding hides that (a fold, of measure zero) counts
/// as 0.
template <class Matrix>
std::array<std::array<Pack, 2>, 2> squared_responses(const Matrix& hessian, int dimension, int symmetric, double V) {
  Matrix factor = hessian;
  std::vector<Pack> column(static_cast<std::size_t>(dimension));
  for (Pack& entry : factor) entry *= V;
  for (int k = 0; k < dimension; ++k) factor[static_cast<std::size_t>(lower_index(k, k))] += 1;
  const Mask fold = cholesky(factor, dimension);
  std::array<std::array<Pack, 2>, 2> sums{};
  for (int j = 0; j < dimension; ++j) {
    for (int i = 0; i < dimension; ++i)
      column[static_cast<std::size_t>(i)] =
          hessian[static_cast<std::size_t>(i >= j ? lower_index(i, j) : lower_index(j, i))];
    cholesky_solve(factor, dimension, column.data());
    for (int i = 0; i < dimension; ++i) {
      const Pack entry = column[static_cast<std::size_t>(i)];
      sums[i < symmetric ? 0 : 1][j < symmetric ? 0 : 1] += select(fold, 0, entry * entry);
    }
  }
  return sums;
}

}  // namespace

template <class Loss>
OutputChannel::Result SampledChannel<Loss>::evaluate(const Overlaps& overlaps, int replicate) const {
  const Loss loss = scaled_loss(overlaps);
  const auto symmetric = static_cast<std::size_t>(loss.symmetric_dimension());
  GlobalProximal<Loss> proximal(loss);
  Pack g_square = 0, g_epsilon = 0, g_eta = 0, train = 0, g_square_a = 0, g_epsilon_a = 0;
  for_each_pack(overlaps, scale_.noise, replicate, [&](const Field& field, Pack weight) {
    proximal.solve(field.label, field.omega.data(), field.fit.data(), overlaps.V);
    train += weight * proximal.loss_value();
    for (std::size_t k = 0; k < field.omega.size(); ++k) {
      const Pack g = (proximal.point()[k] - field.omega[k]) / overlaps.V;
      const Pack weighted = weight * g;
      (k < symmetric ? g_square : g_square_a) += weighted * g;
      (k < symmetric ? g_epsilon : g_epsilon_a) += weighted * field.epsilon[k];
      if (k < symmetric) g_eta += weighted * field.eta[k];
    }
  });
  // Stein's lemma in the independent parts (ε, η) of (ω, t): free of the cancellation in A q − B m when D is small.
  const double spread = std::sqrt(conditional_variance(overlaps, scale_.Q_star + scale_.noise));
  const double m_hat = scale_.gain * g_eta.sum() / spread;
  const double V_hat = (overlaps.m * m_hat / overlaps.q) - scale_.gain * g_epsilon.sum() / std::sqrt(overlaps.q);
  Conjugates conjugates{scale_.gain * g_square.sum(), m_hat, V_hat};
  if (Loss::kGeneral && overlaps.q_a > 0) {
    const double c = antisymmetric_scale(overlaps);  // g of a scaled coordinate is c times that of the coordinate
    conjugates.q_hat_a = scale_.gain * g_square_a.sum() / (c * c);
    conjugates.V_hat_a = -scale_.gain * g_epsilon_a.sum() / (c * std::sqrt(overlaps.q_a));
  }
  return {conjugates, scale_.rows * train.sum()};
}

template <class Loss>
OutputChannel::Result SampledChannel<Loss>::evaluate_at_zero(int replicate) const {
  Expansion<Loss::kDimension> at(loss_.dimension());
  Pack g_square = 0, g_eta = 0, trace = 0, train = 0, g_square_a = 0, trace_a = 0;
  for_each_pack({}, scale_.noise, replicate, [&](const Field& field, Pack weight) {
    loss_.expand(field.label, field.omega.data(), at);
    train += weight * at.value;
    for (int k = 0; k < loss_.dimension(); ++k) {
      const auto i = static_cast<std::size_t>(k);
      const bool symmetric = k < loss_.symmetric_dimension();
      (symmetric ? g_square : g_square_a) += weight * at.gradient[i] * at.gradient[i];
      (symmetric ? trace : trace_a) += weight * at.hessian[static_cast<std::size_t>(lower_index(k, k))];
      if (symmetric) g_eta -= weight * at.gradient[i] * field.eta[i];
    }
  });
  const double factor = scale_.gain;
  return {{factor * g_square.sum(), factor * g_eta.sum() / std::sqrt(scale_.Q_star + scale_.noise),
           factor * trace.sum(), factor * g_square_a.sum(), factor * trace_a.sum()},
          scale_.rows * train.sum()};
}

template <class Loss>
double SampledChannel<Loss>::test(const Overlaps& overlaps, int replicate) const {
  const Loss loss = scaled_loss(overlaps);
  Pack sum = 0;
  for_each_pack(overlaps, 0, replicate,
                [&](const Field& field, Pack weight) { sum += weight * loss.value(field.label, field.omega.data()); });
  return scale_.rows * sum.sum();
}

template <class Loss>
SectorMatrix SampledChannel<Loss>::squared_response(const Overlaps& overlaps) const {
  const Loss loss = scaled_loss(overlaps);
  GlobalProximal<Loss> proximal(loss);
  proximal.keep_hessian();
  std::array<std::array<Pack, 2>, 2> sums{};
  // One replicate settles a stability figure that is compared with 1.
  for_each_pack(overlaps, scale_.noise, 0, [&](const Field& field, Pack weight) {
    proximal.solve(field.label, field.omega.data(), field.fit.data(), overlaps.V);
    const auto squares =
        squared_responses(proximal.hessian(), loss.dimension(), loss.symmetric_dimension(), overlaps.V);
    for (std::size_t p = 0; p < 2; ++p)
      for (std::size_t q = 0; q < 2; ++q) sums[p][q] += weight * squares[p][q];
  });
  // A scaled coordinate of the antisymmetric part moves by 1/c, its force by c.
  const double c2 = std::pow(antisymmetric_scale(overlaps), 2);
  const double factor = scale_.gain;
  return {{factor * sums[0][0].sum(), factor * sums[0][1].sum() / c2},
          {factor * sums[1][0].sum() / c2, factor * sums[1][1].sum() / (c2 * c2)}};
}

template class SampledChannel<SoftmaxPair>;
template class SampledChannel<SoftmaxRows<3>>;
template class SampledChannel<SoftmaxRows<4>>;
template class SampledChannel<SoftmaxRows<0>>;
template class SampledChannel<SoftmaxRows<2, true>>;
template class SampledChannel<SoftmaxRows<3, true>>;
template class SampledChannel<SoftmaxRows<0, true>>;

namespace {

template <class Loss>
std::unique_ptr<OutputChannel> make_sampled(Loss loss, const model::Problem& problem, double Q_star, int log2_points) {
  return std::make_unique<SampledChannel<Loss>>(std::move(loss), ChannelScale(problem, Q_star), log2_points);
}

}  // namespace

std::unique_ptr<OutputChannel> make_output_channel(const model::Problem& problem, double Q_star, int log2_points) {
  if (problem.head == model::Head::hardmax) base::reject("the head hardmax has no loss to train on");
  if (problem.head == model::Head::linear) return std::make_unique<LinearChannel>(problem, Q_star);
  const auto make = [&](auto loss) { return make_sampled(std::move(loss), problem, Q_star, log2_points); };
  const auto& [T, beta, target_beta] = std::tie(problem.tokens, problem.beta, problem.target_beta);
  if (problem.two_sectors()) {
    if (T == 2) return make(SoftmaxRows<2, true>(T, beta, target_beta));
    if (T == 3) return make(SoftmaxRows<3, true>(T, beta, target_beta));
    return make(SoftmaxRows<0, true>(T, beta, target_beta));
  }
  if (T == 2) return make(SoftmaxPair(beta, target_beta));
  if (T == 3) return make(SoftmaxRows<3>(T, beta, target_beta));
  if (T == 4) return make(SoftmaxRows<4>(T, beta, target_beta));
  return make(SoftmaxRows<0>(T, beta, target_beta));
}

std::unique_ptr<OutputChannel> make_interpolating_channel(const model::Problem& problem, double Q_star,
                                                          int log2_points) {
  return std::make_unique<InterpolatingChannel>(problem, Q_star, make_output_channel(problem, Q_star, log2_points));
}

}  // namespace attnlaw::theory
