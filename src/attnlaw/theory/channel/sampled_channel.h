#pragma once
/// Output channel of a loss in whitened coordinates, by quasi-Monte Carlo over (ω, t) and the proximal operator at each
/// point (docs/theory/erm.md, section 2; derivative-free conjugates; docs/theory/losses.md).

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <limits>
#include <memory>
#include <vector>

#include "attnlaw/theory/channel/output_channel.h"
#include "attnlaw/theory/channel/point_set.h"
#include "attnlaw/theory/channel/proximal.h"
#include "attnlaw/theory/channel/row_losses.h"

namespace attnlaw::theory {

/// What a channel knows of its problem beside the loss of one part of a label.
struct ChannelScale {
  ChannelScale(const model::Problem& problem, double target_second_moment)
      : rows(problem.independent_rows()),
        gain(problem.symmetry() * problem.alpha * rows),
        beta_ratio(problem.beta_ratio()),
        noise(problem.noise),
        Q_star(target_second_moment) {}

  double rows;        ///< independent parts of a label: errors per sequence are so many times those of one
  double gain;        ///< parts in all, per parameter of S: 2α, or αT1 with cross-attention
  double beta_ratio;  ///< target β over student β: the field at which the student's output equals the label
  double noise;
  double Q_star;
};

/// The loss of one part of a label in whitened coordinates, with the law of the label given a field. Coordinates of the
/// symmetric part of S come first.
template <class Loss>
concept ChannelLoss = SearchableLoss<Loss> &&
    requires(const Loss& loss, const Pack* sampled, Pack* zeta, typename Loss::Label& label, int k) {
  { Loss::kConvex } -> std::convertible_to<bool>;
  { Loss::kGeneral } -> std::convertible_to<bool>;  // there are coordinates of an antisymmetric part
  { loss.symmetric_dimension() } -> std::same_as<int>;
  { loss.sampled_dimension() } -> std::same_as<int>;  // coordinates that the loss can see
  loss.embed(sampled, zeta);                          // of these into all
  { loss.make_label() } -> std::same_as<typename Loss::Label>;
  loss.label(sampled, label);                                 // the outputs of a field
  { loss.outcomes() } -> std::same_as<int>;                   // labels that a field may have
  { loss.outcome(k, sampled, label) } -> std::same_as<Pack>;  // the k-th, and its probability
  { loss.value(label, sampled) } -> std::same_as<Pack>;
  requires !Loss::kGeneral || requires {
    { loss.scaled(1.0) } -> std::same_as<Loss>;
  };
  requires !Loss::kConvex || requires { loss.template with<SquareLoss>(); };
};

template <ChannelLoss Loss>
class SampledChannel final : public OutputChannel {
 public:
  /// Replicates of 2^log2_points points each.
  SampledChannel(Loss loss, const ChannelScale& scale, int log2_points);

  Result evaluate(const Overlaps& overlaps, int replicate) const override;
  Result evaluate_at_zero(int replicate) const override;
  double test(const Overlaps& overlaps, int replicate) const override;
  SectorMatrix squared_response(const Overlaps& overlaps) const override;
  double least_loss(double noise, int replicate) const override;
  std::optional<LossFigures> loss_figures(const Overlaps& overlaps) const override;
  int replicates() const override { return static_cast<int>(points_->first_pack.size()) - 1; }
  std::size_t points() const override { return points_->weights.size() * kLanes; }

 private:
  struct Field;
  /// Fields ω and t (that of the label, noise included) of one pack of points at the given overlaps.
  void draw(std::size_t pack, const Overlaps& overlaps, double noise, Field& field) const;
  /// Runs body(field, weight) over the packs of a replicate (or all); the weights add up to 1.
  template <class Body>
  void for_each_pack(const Overlaps& overlaps, double noise, int replicate, Body&& body) const;
  /// The same with each label that the fields of a pack may have, weighted by its probability.
  template <class Body>
  void for_each_label(const Overlaps& overlaps, int replicate, Body&& body) const;
  /// c of SoftmaxRows: √(V_a/V) for a general student.
  static double antisymmetric_scale(const Overlaps& overlaps);
  Loss scaled_loss(const Overlaps& overlaps) const;

  Loss loss_;
  ChannelScale scale_;
  std::shared_ptr<const PointSet> points_;
};

template <ChannelLoss Loss>
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

template <ChannelLoss Loss>
SampledChannel<Loss>::SampledChannel(Loss loss, const ChannelScale& scale, int log2_points)
    : loss_(std::move(loss)),
      scale_(scale),
      points_(point_set(2 * static_cast<std::size_t>(loss_.sampled_dimension()), log2_points)) {}

template <ChannelLoss Loss>
double SampledChannel<Loss>::antisymmetric_scale(const Overlaps& overlaps) {
  return Loss::kGeneral && overlaps.V_a > 0 ? std::sqrt(overlaps.V_a / overlaps.V) : 1;
}

template <ChannelLoss Loss>
Loss SampledChannel<Loss>::scaled_loss(const Overlaps& overlaps) const {
  if constexpr (Loss::kGeneral) return loss_.scaled(antisymmetric_scale(overlaps));
  return loss_;
}

template <ChannelLoss Loss>
void SampledChannel<Loss>::draw(std::size_t pack, const Overlaps& overlaps, double noise, Field& field) const {
  const auto sampled = static_cast<std::size_t>(loss_.sampled_dimension());
  const Pack* normals = &points_->normals[pack * 2 * sampled];
  loss_.embed(normals, field.epsilon.data());
  loss_.embed(normals + sampled, field.eta.data());
  const double scale = std::sqrt(overlaps.q);
  const double along = overlaps.q > 0 ? overlaps.m / scale : 0;
  const double across = std::sqrt(overlaps.q > 0 ? overlaps.unexplained(scale_.Q_star + noise) : scale_.Q_star + noise);
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
}

template <ChannelLoss Loss>
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

template <ChannelLoss Loss>
template <class Body>
void SampledChannel<Loss>::for_each_label(const Overlaps& overlaps, int replicate, Body&& body) const {
  const int outcomes = loss_.outcomes();
  for_each_pack(overlaps, scale_.noise, replicate, [&](Field& field, Pack weight) {
    for (int k = 0; k < outcomes; ++k) {
      const Pack probability = loss_.outcome(k, field.target.data(), field.label);
      body(field, weight * probability);
    }
  });
}

template <ChannelLoss Loss>
OutputChannel::Result SampledChannel<Loss>::evaluate(const Overlaps& overlaps, int replicate) const {
  const Loss loss = scaled_loss(overlaps);
  const auto symmetric = static_cast<std::size_t>(loss.symmetric_dimension());
  GlobalProximal<Loss> proximal(loss);
  Pack g_square = 0, g_epsilon = 0, g_eta = 0, train = 0, g_square_a = 0, g_epsilon_a = 0;
  for_each_label(overlaps, replicate, [&](const Field& field, Pack weight) {
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
  const double spread = std::sqrt(overlaps.unexplained(scale_.Q_star + scale_.noise));
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

template <ChannelLoss Loss>
OutputChannel::Result SampledChannel<Loss>::evaluate_at_zero(int replicate) const {
  Expansion<Loss::kDimension> at(loss_.dimension());
  Pack g_square = 0, g_eta = 0, trace = 0, train = 0, g_square_a = 0, trace_a = 0;
  for_each_label({}, replicate, [&](const Field& field, Pack weight) {
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

template <ChannelLoss Loss>
double SampledChannel<Loss>::test(const Overlaps& overlaps, int replicate) const {
  const Loss loss = scaled_loss(overlaps);
  Pack sum = 0;
  for_each_pack(overlaps, 0, replicate, [&](Field& field, Pack weight) {
    loss.label(field.target.data(), field.label);
    sum += weight * loss.value(field.label, field.omega.data());
  });
  return scale_.rows * sum.sum();
}

template <ChannelLoss Loss>
SectorMatrix SampledChannel<Loss>::squared_response(const Overlaps& overlaps) const {
  const Loss loss = scaled_loss(overlaps);
  GlobalProximal<Loss> proximal(loss);
  proximal.keep_hessian();
  std::array<std::array<Pack, 2>, 2> sums{};
  // One replicate settles a stability figure that is compared with 1.
  for_each_label(overlaps, 0, [&](const Field& field, Pack weight) {
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

template <ChannelLoss Loss>
double SampledChannel<Loss>::least_loss(double noise, int replicate) const {
  if constexpr (!Loss::kConvex) return 0;
  Pack sum = 0;
  for_each_pack({}, noise, replicate, [&](Field& field, Pack weight) {
    loss_.label(field.target.data(), field.label);
    sum += weight * loss_.value(field.label, field.fit.data());
  });
  return scale_.rows * sum.sum();
}

/// Differences of the losses of two fields at the same label are taken point by point.
template <ChannelLoss Loss>
std::optional<LossFigures> SampledChannel<Loss>::loss_figures(const Overlaps& overlaps) const {
  if constexpr (!Loss::kConvex) {
    return std::nullopt;
  } else {
    const auto squared_loss = loss_.template with<SquareLoss>();
    LossFigures figures;
    const auto average = [&](double noise, bool trained, double& excess, double& squared) {
      GlobalProximal<Loss> proximal(loss_);
      Pack excess_sum = 0, squared_sum = 0;
      for_each_pack(overlaps, noise, kAll, [&](Field& field, Pack weight) {
        loss_.label(field.target.data(), field.label);
        if (trained) proximal.solve(field.label, field.omega.data(), field.fit.data(), overlaps.V);
        const Pack* student = trained ? proximal.point().data() : field.omega.data();
        excess_sum += weight * (loss_.value(field.label, student) - loss_.value(field.label, field.fit.data()));
        squared_sum += weight * squared_loss.value(field.label, student);
      });
      excess = scale_.rows * excess_sum.sum();
      squared = scale_.rows * squared_sum.sum();
    };
    average(0, false, figures.excess_test, figures.squared_test);
    const bool trains = overlaps.V > 0;
    if (loss_.outcomes() == 1) average(scale_.noise, trains, figures.excess_train, figures.squared_train);
    return figures;
  }
}

}  // namespace attnlaw::theory
