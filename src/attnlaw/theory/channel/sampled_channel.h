#pragma once
/// Output channel of a loss in whitened coordinates, by any rule for its points and the proximal operator at each of
/// them (docs/theory/erm.md, section 2; derivative-free conjugates; docs/theory/losses.md; docs/theory/quadrature.md).

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "attnlaw/base/interrupt.h"
#include "attnlaw/theory/channel/block_search.h"
#include "attnlaw/theory/channel/output_channel.h"
#include "attnlaw/theory/channel/point_set.h"
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

  /// The same for labels of another noise.
  ChannelScale of_noise(double other) const {
    ChannelScale scale = *this;
    scale.noise = other;
    return scale;
  }

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
  loss.label(sampled, label);                               // the outputs of a field
  { loss.outcomes() } -> std::same_as<int>;                 // labels that a field may have
  { loss.outcome(k, label, label) } -> std::same_as<Pack>;  // the k-th by the outputs, and its probability
  { loss.value(label, sampled) } -> std::same_as<Pack>;
  requires !Loss::kGeneral || requires {
    { loss.scaled(1.0) } -> std::same_as<Loss>;
  };
  requires !Loss::kConvex || requires { loss.template with<SquareLoss>(); };
};

/// A loss that is a sum over rows, each with a law of fewer coordinates: means over fresh sequences are those of a row.
template <class Loss>
concept RowwiseLoss = requires(const Loss& loss) {
  { loss.row().dimension() } -> std::same_as<int>;
  { loss.rows() } -> std::same_as<int>;
};

/// Rows of two scores, each a function of one difference: means over fresh sequences are integrals over a plane.
template <class Loss>
concept TwoScoreLoss = RowwiseLoss<Loss> && requires(const Loss& loss) {
  { loss.strip() } -> std::same_as<double>;
};

/// The channel of one row of a loss; itself where the loss is one row.
template <class Loss>
struct RowOf {
  using Type = Loss;
};
template <RowwiseLoss Loss>
struct RowOf<Loss> {
  using Type = std::remove_cvref_t<decltype(std::declval<const Loss&>().row())>;
};

/// Means over proximal points: of ‖g‖², g·τ and g·ρ of the symmetric coordinates, of the responses −tr ∂g/∂ω and of the
/// loss, and the same of the antisymmetric coordinates; of the envelope, alone and times ‖ρ‖² less its mean.
struct ChannelMeans {
  double g_square = 0, g_tau = 0, g_rho = 0, response = 0, train = 0, g_square_a = 0, g_rho_a = 0, response_a = 0;
  double envelope = 0, envelope_rho = 0;
  double several = 0;  ///< OutputChannel::Result::several

  ChannelMeans& add(double share, const ChannelMeans& other) {
    for (auto member :
         {&ChannelMeans::g_square, &ChannelMeans::g_tau, &ChannelMeans::g_rho, &ChannelMeans::response,
          &ChannelMeans::train, &ChannelMeans::g_square_a, &ChannelMeans::g_rho_a, &ChannelMeans::response_a,
          &ChannelMeans::envelope, &ChannelMeans::envelope_rho, &ChannelMeans::several})
      this->*member += share * other.*member;
    return *this;
  }
};

/// Fields are sampled as Mixture has it.
template <ChannelLoss Loss>
class SampledChannel final : public OutputChannel {
 public:
  SampledChannel(Loss loss, const ChannelScale& scale, const PointRule& rule);

  Result evaluate(const Overlaps& overlaps, int replicate, ChannelWorkspace* workspace) const override;
  Result evaluate_at_zero(int replicate) const override;
  double fresh_loss(const Overlaps& overlaps, double noise, int replicate) const override;
  SectorMatrix squared_response(const Overlaps& overlaps, ChannelWorkspace* workspace) const override;
  double least_loss(double noise, int replicate) const override;
  std::optional<LossFigures> loss_figures(const Overlaps& overlaps) const override;
  int replicates() const override { return static_cast<int>(points_->replicates()); }
  std::size_t points() const override { return points_->points; }

 private:
  using Field = FieldPack<Loss>;
  using Label = typename Loss::Label;
  using Search = BlockSearch<Loss>;
  using Plan = typename Search::Plan;
  using Effort = typename Search::Effort;
  template <ChannelLoss Other>
  friend class SampledChannel;

  /// The fields of labels of a given noise and students of given overlaps.
  struct Fields : Mixture {
    double antisymmetric;
  };
  Fields fields(const Overlaps& overlaps, double noise) const;
  void draw(std::size_t pack, const Fields& fields, Field& field) const;
  /// The outputs of the field of a label: kept for small losses, whose labels cost as much as an expansion.
  void draw_outputs(std::size_t pack, double noise, const Field& field, Label& outputs) const;

  struct Range {
    std::size_t first, last;
    double share;  ///< of each replicate in the mean
  };
  Range packs_of(int replicate) const;
  /// The replicate alone, or the first and the last of all.
  std::pair<int, int> first_and_last(int replicate) const {
    return replicate == kAll ? std::pair(0, replicates() - 1) : std::pair(replicate, replicate);
  }
  /// Runs body(pack, field, weight) over a range of packs; the weights of a replicate (or all) add up to 1.
  template <class Body>
  void for_each_pack(const Overlaps& overlaps, double noise, const Range& range, Body&& body) const;
  /// Runs body(index, field, weight) with each label that the fields of a pack may have, weighted by its probability.
  template <class Body>
  void for_each_label(const Overlaps& overlaps, const Range& range, Body&& body) const;
  /// How to find the proximal points of a pass.
  Plan plan_pass(const Loss& loss, const Overlaps& overlaps, int replicate, ChannelWorkspace* workspace) const;
  /// Means over one replicate.
  ChannelMeans means_over(Search& search, const Loss& loss, const Overlaps& overlaps, int replicate,
                          ChannelWorkspace* workspace) const;
  Result result_of(const ChannelMeans& means, const Overlaps& overlaps, const ChannelWorkspace* workspace) const;
  /// Runs body(field, weight, minimum, stiffened) as BlockSearch has it; returns Result::several.
  template <class Body>
  double for_each_minimum(const Loss& loss, const Overlaps& overlaps, int replicate, ChannelWorkspace* workspace,
                          const Body& body) const;
  /// c of SoftmaxRows: √(V_a/V) for a general student.
  static double antisymmetric_scale(const Overlaps& overlaps);
  Loss scaled_loss(const Overlaps& overlaps) const;
  /// Mean of body(loss, label, student's field, field that fits the label) over labels of a noise, per sequence.
  template <class Body>
  double mean_over_points(const Overlaps& overlaps, double noise, int replicate, const Body& body) const;
  /// The same with points of its own where few of a sequence's scores tell all.
  template <class Body>
  double fresh_mean(const Overlaps& overlaps, double noise, int replicate, const Body& body) const;

  /// How to find the proximal points of a replicate, given what a workspace holds; makes room for them there.
  Plan plan(const Overlaps& overlaps, int replicate, ChannelWorkspace& workspace) const;
  /// Makes room in a workspace for the proximal points of this channel, and moves those of fewer Sobol points to their
  /// places; returns whether it held any.
  bool prepare(ChannelWorkspace& workspace) const;
  /// So many numbers are the proximal points of a pack.
  std::size_t numbers_per_pack() const { return static_cast<std::size_t>(loss_.outcomes() * loss_.dimension()); }
  /// Finds those of a range of packs.
  template <class Body>
  void run(Search& search, const Overlaps& overlaps, const Range& range, ChannelWorkspace* workspace,
           const Body& body) const;
  /// Whether a sample, the first points of a replicate (or of all), has points with several minima.
  bool has_several(const Loss& loss, const Overlaps& overlaps, int replicate, const Plan& plan,
                   ChannelWorkspace* workspace) const;

  /// Every point of such a loss needs a search, which takes as long as all the rest: where a sample of so many has none
  /// with several minima, others are too few to matter.
  static constexpr bool kNeverCertain = !Loss::kConvex && !TwoScoreLoss<Loss>;
  static constexpr std::size_t kSampleSize = 8192;

  /// Whether V̂ may be a mean of responses. Grids resolve integrands of rows of two scores either way.
  static constexpr bool kTakesResponses = !TwoScoreLoss<Loss>;
  static constexpr bool kKeepsOutputs = Loss::kDimension > 0 && Loss::kDimension <= 6;

  Loss loss_;
  ChannelScale scale_;
  std::shared_ptr<const PointSet> points_;
  std::vector<Label> outputs_;  ///< per pack
  /// One row and fresh labels, where no plane serves.
  std::unique_ptr<SampledChannel<typename RowOf<Loss>::Type>> row_;
};

template <ChannelLoss Loss>
SampledChannel<Loss>::SampledChannel(Loss loss, const ChannelScale& scale, const PointRule& rule)
    : loss_(std::move(loss)),
      scale_(scale),
      points_(point_set(static_cast<std::size_t>(loss_.sampled_dimension()), rule)) {
  if constexpr (kKeepsOutputs) {
    std::vector<Label> outputs;
    for_each_pack({}, scale_.noise, packs_of(kAll), [&](std::size_t, const Field& field, Pack) {
      outputs.push_back(loss_.make_label());
      loss_.label(field.target.data(), outputs.back());
    });
    outputs_ = std::move(outputs);
  }
  if constexpr (RowwiseLoss<Loss> && !TwoScoreLoss<Loss>) {
    // One row tells less than all of a sequence, and costs less.
    const SobolRule twice{std::get<SobolRule>(rule).log2_points + 1};
    row_ = std::make_unique<SampledChannel<typename RowOf<Loss>::Type>>(loss_.row(), scale_.of_noise(0), twice);
  }
}

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
typename SampledChannel<Loss>::Fields SampledChannel<Loss>::fields(const Overlaps& overlaps, double noise) const {
  return {Mixture(overlaps, scale_.Q_star, noise), std::sqrt(overlaps.q_a) / antisymmetric_scale(overlaps)};
}

template <ChannelLoss Loss>
void SampledChannel<Loss>::draw(std::size_t pack, const Fields& fields, Field& field) const {
  const auto sampled = static_cast<std::size_t>(loss_.sampled_dimension());
  const Pack* normals = &points_->normals[pack * 2 * sampled];
  loss_.embed(normals, field.tau.data());
  loss_.embed(normals + sampled, field.rho.data());
  const auto symmetric = static_cast<std::size_t>(loss_.symmetric_dimension());
  for (std::size_t k = 0; k < symmetric; ++k) {
    field.target[k] = fields.sigma * field.tau[k];
    field.omega[k] = fields.along * field.tau[k] + fields.across * field.rho[k];
    field.fit[k] = scale_.beta_ratio * field.target[k];
  }
  // Labels are made from a symmetric target.
  for (std::size_t k = symmetric; k < field.omega.size(); ++k) {
    field.omega[k] = fields.antisymmetric * field.rho[k];
    field.target[k] = field.fit[k] = 0;
  }
}

template <ChannelLoss Loss>
void SampledChannel<Loss>::draw_outputs(std::size_t pack, double noise, const Field& field, Label& outputs) const {
  if (kKeepsOutputs && noise == scale_.noise)
    outputs = outputs_[pack];
  else
    loss_.label(field.target.data(), outputs);
}

template <ChannelLoss Loss>
typename SampledChannel<Loss>::Range SampledChannel<Loss>::packs_of(int replicate) const {
  if (replicate == kAll) return {0, points_->weights.size(), 1.0 / replicates()};
  const auto chosen = static_cast<std::size_t>(replicate);
  return {points_->first_pack[chosen], points_->first_pack[chosen + 1], 1};
}

template <ChannelLoss Loss>
template <class Body>
void SampledChannel<Loss>::for_each_pack(const Overlaps& overlaps, double noise, const Range& range,
                                         Body&& body) const {
  const auto [first, last, share] = range;
  const Fields mixed = fields(overlaps, noise);
  Field field(loss_);
  for (std::size_t pack = first; pack < last; ++pack) {
    base::check_interrupt();
    draw(pack, mixed, field);
    body(pack, field, share * points_->weights[pack]);
  }
}

template <ChannelLoss Loss>
template <class Body>
void SampledChannel<Loss>::for_each_label(const Overlaps& overlaps, const Range& range, Body&& body) const {
  const auto outcomes = static_cast<std::size_t>(loss_.outcomes());
  Label outputs = loss_.make_label();
  for_each_pack(overlaps, scale_.noise, range, [&](std::size_t pack, Field& field, Pack weight) {
    draw_outputs(pack, scale_.noise, field, outputs);
    for (std::size_t k = 0; k < outcomes; ++k) {
      const Pack probability = loss_.outcome(static_cast<int>(k), outputs, field.label);
      body(outcomes * pack + k, field, weight * probability);
    }
  });
}

template <ChannelLoss Loss>
bool SampledChannel<Loss>::prepare(ChannelWorkspace& workspace) const {
  std::vector<Pack>& minima = workspace.minima;
  const std::size_t size = points_->weights.size() * numbers_per_pack();
  const bool finer = std::exchange(workspace.finer, false) && minima.size() < size;
  workspace.known = ChannelWorkspace::kAllKnown;
  if (minima.size() == size) return true;
  if (!finer) {
    minima.assign(size, 0), workspace.jumps = false, workspace.parts_at.reset();
    return false;
  }
  const std::size_t replicates = points_->replicates(), stride = size / replicates, count = minima.size() / replicates;
  workspace.known = count / numbers_per_pack();
  // The points that are new were not searched. Where the others are a sample without a second minimum they need not be.
  const bool sampled = workspace.several == 0 && minima.size() / numbers_per_pack() * kLanes >= kSampleSize;
  if (!sampled) workspace.searched_at.reset();
  minima.resize(size);
  for (std::size_t replicate = replicates; --replicate > 0;) {  // that of the first stand where they are
    const auto first = minima.begin() + static_cast<std::ptrdiff_t>(replicate * count);
    std::copy_backward(first, first + static_cast<std::ptrdiff_t>(count),
                       minima.begin() + static_cast<std::ptrdiff_t>(replicate * stride + count));
  }
  return true;
}

template <ChannelLoss Loss>
auto SampledChannel<Loss>::plan(const Overlaps& overlaps, int replicate, ChannelWorkspace& workspace) const -> Plan {
  // Fields then move by less than the loss changes over. Where some point had several minima others may have, so close
  // by: then every pass searches.
  constexpr double kCloseBy = 0.1;
  // Of the points with several minima few change from one to another over this distance: there a short search serves.
  constexpr double kNextTo = 0.01;
  // From farther off Newton's method may need longer than from the field itself, or lose its way on flat ground.
  constexpr double kNearby = 0.5;
  const auto within = [&](const std::optional<Overlaps>& at, double share) {
    return at && close(overlaps, *at, share);
  };
  const bool filled = prepare(workspace);
  const bool followed = filled && kNeverCertain && workspace.several == 0 && within(workspace.searched_at, kCloseBy);
  const bool lowest = filled && within(workspace.searched_at, kNextTo);
  workspace.searched = !followed && !lowest;
  const bool nearby = filled && within(workspace.found_at, kNearby);
  // Minima of a single replicate are not those of all.
  const auto here = replicate == kAll ? std::optional(overlaps) : std::nullopt;
  if (replicate == kAll || !nearby) workspace.found_at = here;
  if (followed) return {true, Effort::none};
  if (lowest) return {true, Effort::brief};
  workspace.searched_at = here;
  return {nearby, Effort::full};
}

template <ChannelLoss Loss>
template <class Body>
void SampledChannel<Loss>::run(Search& search, const Overlaps& overlaps, const Range& range,
                               ChannelWorkspace* workspace, const Body& body) const {
  const auto dimension = static_cast<std::size_t>(loss_.dimension()),
             outcomes = static_cast<std::size_t>(loss_.outcomes());
  // Where only some are known replicates have the same number of packs.
  const std::size_t packs = points_->first_pack[1];
  for_each_label(overlaps, range, [&](std::size_t index, const Field& field, Pack weight) {
    const bool known = workspace && index / outcomes % packs < workspace->known;
    search.take(field, weight, workspace ? &workspace->minima[index * dimension] : nullptr, known, body);
  });
  search.finish(body);
}

template <ChannelLoss Loss>
bool SampledChannel<Loss>::has_several(const Loss& loss, const Overlaps& overlaps, int replicate, const Plan& plan,
                                       ChannelWorkspace* workspace) const {
  Search search(loss, overlaps.V, plan);
  const auto [first, last] = first_and_last(replicate);
  for (int r = first; r <= last; ++r) {
    Range range = packs_of(r);
    range.last = range.first + kSampleSize / kLanes / static_cast<std::size_t>(last - first + 1);
    run(search, overlaps, range, workspace, [](const Field&, Pack, const auto&, const auto&) {});
  }
  return search.several() > 0;
}

template <ChannelLoss Loss>
auto SampledChannel<Loss>::plan_pass(const Loss& loss, const Overlaps& overlaps, int replicate,
                                     ChannelWorkspace* workspace) const -> Plan {
  Plan how = workspace ? plan(overlaps, replicate, *workspace) : Plan{};
  const Range range = packs_of(replicate);
  const bool sampled =
      kNeverCertain && how.effort == Effort::full && (range.last - range.first) * kLanes > 2 * kSampleSize;
  if (sampled && !has_several(loss, overlaps, replicate, how, workspace)) how.effort = Effort::none;
  return how;
}

template <ChannelLoss Loss>
template <class Body>
double SampledChannel<Loss>::for_each_minimum(const Loss& loss, const Overlaps& overlaps, int replicate,
                                              ChannelWorkspace* workspace, const Body& body) const {
  Search search(loss, overlaps.V, plan_pass(loss, overlaps, replicate, workspace));
  run(search, overlaps, packs_of(replicate), workspace, body);
  return search.several();
}

template <ChannelLoss Loss>
ChannelMeans SampledChannel<Loss>::means_over(Search& search, const Loss& loss, const Overlaps& overlaps, int replicate,
                                              ChannelWorkspace* workspace) const {
  const auto coupled = coupling(loss);
  const auto size = size_of<Loss::kDimension>(loss.dimension());
  const auto symmetric = static_cast<std::size_t>(loss.symmetric_dimension());
  const double stiffness = 1 / overlaps.V;
  typename Expansion<Loss::kDimension>::Vector column(loss.dimension());
  Pack g_square = 0, g_tau = 0, g_rho = 0, train = 0, g_square_a = 0, g_rho_a = 0, response = 0, response_a = 0;
  Pack envelope = 0, envelope_rho = 0;
  const double seen = std::min(loss.sampled_dimension(), loss.symmetric_dimension());
  const double several_before = search.several();
  run(search, overlaps, packs_of(replicate), workspace,
      [&](const Field& field, Pack weight, const auto& minimum, const auto& stiffened) {
        train += weight * minimum.loss;
        Pack beyond = -seen;  // ‖ρ‖² less its mean
        for (std::size_t k = 0; k < field.omega.size(); ++k) {
          const Pack g = stiffness * (minimum.point[k] - field.omega[k]);
          const Pack weighted = weight * g;
          (k < symmetric ? g_square : g_square_a) += weighted * g;
          (k < symmetric ? g_rho : g_rho_a) += weighted * field.rho[k];
          if (k < symmetric) g_tau += weighted * field.tau[k], beyond += field.rho[k] * field.rho[k];
        }
        const Pack weighted = weight * minimum.value;
        envelope += weighted;
        envelope_rho += weighted * beyond;
        if constexpr (kTakesResponses) {
          const auto [of_symmetric, rest] =
              responses(stiffened(), column, size, loss.symmetric_dimension(), overlaps.V, coupled);
          response += weight * of_symmetric;
          response_a += weight * rest;
        }
      });
  return {g_square.sum(),
          g_tau.sum(),
          g_rho.sum(),
          response.sum(),
          train.sum(),
          g_square_a.sum(),
          g_rho_a.sum(),
          response_a.sum(),
          envelope.sum(),
          envelope_rho.sum(),
          search.several() - several_before};
}

/// Stein's lemma in the independent parts (τ, ρ) of (t, ω) gives E tr ∂g/∂ω and E tr ∂g/∂t. Where no proximal point
/// jumps the former is the mean of the derivative itself, which Sobol points give more accurately.
template <ChannelLoss Loss>
OutputChannel::Result SampledChannel<Loss>::result_of(const ChannelMeans& means, const Overlaps& overlaps,
                                                      const ChannelWorkspace* workspace) const {
  const bool smooth = kTakesResponses && (workspace ? !workspace->jumps : means.several == 0);
  const Mixture mixed(overlaps, scale_.Q_star, scale_.noise);
  const double by_omega = smooth ? -means.response : means.g_rho / mixed.across;
  const double by_target = (means.g_tau - mixed.along * by_omega) / mixed.sigma;
  Conjugates conjugates{scale_.gain * means.g_square, scale_.gain * by_target, -scale_.gain * by_omega};
  if (Loss::kGeneral && overlaps.q_a > 0) {
    const double c = antisymmetric_scale(overlaps);  // g of a scaled coordinate is c times that of the coordinate
    conjugates.q_hat_a = scale_.gain * means.g_square_a / (c * c);
    const double by_omega_a = smooth ? -means.response_a / (c * c) : means.g_rho_a / (c * std::sqrt(overlaps.q_a));
    conjugates.V_hat_a = -scale_.gain * by_omega_a;
  }
  // The envelope M has the gradient −g in ω: where it is continuous, E M (‖ρ‖² − K) = E ρ·∂M/∂ρ.
  const double imbalance = means.envelope > 0 ? (means.envelope_rho + mixed.across * means.g_rho) / means.envelope : 0;
  return {conjugates, scale_.rows * means.train, means.several, imbalance};
}

template <ChannelLoss Loss>
OutputChannel::Result SampledChannel<Loss>::evaluate(const Overlaps& overlaps, int replicate,
                                                     ChannelWorkspace* workspace) const {
  // A pass over all replicates knows each of them; overlaps that coordinates have rounded are still the same.
  constexpr double kSame = 1e-12;
  if (replicate != kAll && workspace && workspace->parts_at && close(overlaps, *workspace->parts_at, kSame))
    return workspace->parts[static_cast<std::size_t>(replicate)];
  const Loss loss = scaled_loss(overlaps);
  Search search(loss, overlaps.V, plan_pass(loss, overlaps, replicate, workspace));
  std::vector<ChannelMeans> parts;
  const auto [first, last] = first_and_last(replicate);
  for (int r = first; r <= last; ++r) parts.push_back(means_over(search, loss, overlaps, r, workspace));
  ChannelMeans all;
  for (const ChannelMeans& part : parts) all.add(1.0 / static_cast<double>(parts.size()), part);
  if (!workspace) return result_of(all, overlaps, nullptr);
  all.several = workspace->several = workspace->searched ? all.several : std::max(all.several, workspace->several);
  if (all.several > 0) workspace->jumps = true;
  workspace->parts.clear();
  workspace->parts_at.reset();
  if (replicate == kAll) {
    workspace->known = ChannelWorkspace::kAllKnown;
    workspace->parts_at = overlaps;
    for (const ChannelMeans& part : parts) workspace->parts.push_back(result_of(part, overlaps, workspace));
  }
  return result_of(all, overlaps, workspace);
}

template <ChannelLoss Loss>
OutputChannel::Result SampledChannel<Loss>::evaluate_at_zero(int replicate) const {
  Expansion<Loss::kDimension> at(loss_.dimension());
  Pack g_square = 0, g_tau = 0, trace = 0, train = 0, g_square_a = 0, trace_a = 0;
  for_each_label({}, packs_of(replicate), [&](std::size_t, const Field& field, Pack weight) {
    loss_.expand(field.label, field.omega.data(), at);
    train += weight * at.value;
    for (int k = 0; k < loss_.dimension(); ++k) {
      const auto i = static_cast<std::size_t>(k);
      const bool symmetric = k < loss_.symmetric_dimension();
      (symmetric ? g_square : g_square_a) += weight * at.gradient[i] * at.gradient[i];
      (symmetric ? trace : trace_a) += weight * at.hessian[static_cast<std::size_t>(lower_index(k, k))];
      if (symmetric) g_tau -= weight * at.gradient[i] * field.tau[i];
    }
  });
  const double factor = scale_.gain;
  return {{factor * g_square.sum(), factor * g_tau.sum() / std::sqrt(scale_.Q_star + scale_.noise),
           factor * trace.sum(), factor * g_square_a.sum(), factor * trace_a.sum()},
          scale_.rows * train.sum()};
}

template <ChannelLoss Loss>
template <class Body>
double SampledChannel<Loss>::mean_over_points(const Overlaps& overlaps, double noise, int replicate,
                                              const Body& body) const {
  const Loss loss = scaled_loss(overlaps);
  Label label = loss.make_label();
  Pack sum = 0;
  for_each_pack(overlaps, noise, packs_of(replicate), [&](std::size_t pack, const Field& field, Pack weight) {
    draw_outputs(pack, noise, field, label);
    sum += weight * body(loss, label, field.omega.data(), field.fit.data());
  });
  return scale_.rows * sum.sum();
}

/// Rows of two scores take a trapezoidal rule in the plane of τ and ρ, the same for all replicates; unless outputs are
/// steps that it would take too many points to resolve.
template <ChannelLoss Loss>
template <class Body>
double SampledChannel<Loss>::fresh_mean(const Overlaps& overlaps, double noise, int replicate, const Body& body) const {
  if constexpr (TwoScoreLoss<Loss>) {
    // Outputs enter squared, so that their poles are double ones, and errors may be small beside them.
    constexpr double kDigits = 26;
    constexpr double kLeastStep = 0.02;
    const double steepest =
        std::max(loss_.target_beta() * std::sqrt(scale_.Q_star + noise), loss_.beta() * std::sqrt(overlaps.q));
    const double step = trapezoidal_step(loss_.strip() / steepest, kDigits);
    if (step > kLeastStep) {
      const GridRule plane{.label_step = step,
                           .radius = trapezoidal_radius(kDigits),
                           .hermite = 0,
                           .noise_step = step,
                           .interleaved = false};
      const SampledChannel<typename RowOf<Loss>::Type> row(loss_.row(), scale_.of_noise(noise), plane);
      return loss_.rows() * row.mean_over_points(overlaps, noise, kAll, body);
    }
  } else if constexpr (RowwiseLoss<Loss>) {
    return loss_.rows() * row_->mean_over_points(overlaps, noise, replicate, body);
  }
  return mean_over_points(overlaps, noise, replicate, body);
}

template <ChannelLoss Loss>
double SampledChannel<Loss>::fresh_loss(const Overlaps& overlaps, double noise, int replicate) const {
  return fresh_mean(
      overlaps, noise, replicate,
      [](const auto& loss, const auto& label, const Pack* omega, const Pack*) { return loss.value(label, omega); });
}

template <ChannelLoss Loss>
double SampledChannel<Loss>::least_loss(double noise, int replicate) const {
  if constexpr (!Loss::kConvex) return 0;
  return mean_over_points({}, noise, replicate, [](const Loss& loss, const Label& label, const Pack*, const Pack* fit) {
    return loss.value(label, fit);
  });
}

template <ChannelLoss Loss>
SectorMatrix SampledChannel<Loss>::squared_response(const Overlaps& overlaps, ChannelWorkspace* workspace) const {
  const Loss loss = scaled_loss(overlaps);
  std::array<std::array<Pack, 2>, 2> sums{};
  // One replicate settles a stability figure that is compared with 1.
  for_each_minimum(loss, overlaps, 0, workspace, [&](const Field&, Pack weight, const auto&, const auto& stiffened) {
    const auto squares =
        squared_responses(stiffened(), loss.dimension(), loss.symmetric_dimension(), overlaps.V, coupling(loss));
    for (std::size_t p = 0; p < 2; ++p)
      for (std::size_t q = 0; q < 2; ++q) sums[p][q] += weight * squares[p][q];
  });
  // A scaled coordinate of the antisymmetric part moves by 1/c, its force by c.
  const double c2 = std::pow(antisymmetric_scale(overlaps), 2);
  const double factor = scale_.gain;
  return {{factor * sums[0][0].sum(), factor * sums[0][1].sum() / c2},
          {factor * sums[1][0].sum() / c2, factor * sums[1][1].sum() / (c2 * c2)}};
}

/// Differences of the losses of two fields at the same label are taken point by point.
template <ChannelLoss Loss>
std::optional<LossFigures> SampledChannel<Loss>::loss_figures(const Overlaps& overlaps) const {
  if constexpr (!Loss::kConvex) {
    return std::nullopt;
  } else {
    const auto excess = [](const auto& loss, const auto& label, const Pack* student, const Pack* fit) {
      return loss.value(label, student) - loss.value(label, fit);
    };
    const auto squared = [](const auto& loss, const auto& label, const Pack* student, const Pack*) {
      return loss.template with<SquareLoss>().value(label, student);
    };
    LossFigures figures;
    figures.excess_test = fresh_mean(overlaps, 0, kAll, excess);
    figures.squared_test = fresh_mean(overlaps, 0, kAll, squared);
    if (loss_.outcomes() > 1) return figures;
    if (!(overlaps.V > 0)) {
      figures.excess_train = mean_over_points(overlaps, scale_.noise, kAll, excess);
      figures.squared_train = mean_over_points(overlaps, scale_.noise, kAll, squared);
      return figures;
    }
    Pack excess_sum = 0, squared_sum = 0;
    for_each_minimum(loss_, overlaps, kAll, nullptr,
                     [&](const Field& field, Pack weight, const auto& minimum, const auto&) {
                       excess_sum += weight * excess(loss_, field.label, minimum.point.data(), field.fit.data());
                       squared_sum += weight * squared(loss_, field.label, minimum.point.data(), field.fit.data());
                     });
    figures.excess_train = scale_.rows * excess_sum.sum();
    figures.squared_train = scale_.rows * squared_sum.sum();
    return figures;
  }
}

}  // namespace attnlaw::theory
