#include "attnlaw/theory/channel/custom_channel.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "attnlaw/base/interrupt.h"
#include "attnlaw/theory/channel/block_packs.h"
#include "attnlaw/theory/channel/rows_channel.h"

namespace attnlaw::theory {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using model::Derivatives;
using model::LossExpansion;

/// Points that are worked on together: their arrays stay in cache.
constexpr Index kBlock = 8192;
/// Fields then move by less than the loss changes over: where no point had several minima they are followed; and from
/// no farther off minima are good starts.
constexpr double kCloseBy = 0.1, kNearby = 0.5;

/// Σ w f(H) over the points of a block, by packs of Hessians.
template <class Function>
Pack sum_over_hessians(const SampleBlock& hessians, const ArrayXd& weights, const Function& function) {
  PackArray<0> hessian(static_cast<int>(hessians.cols()));
  Pack sum = 0;
  for (Index first = 0; first < hessians.rows(); first += kLanes) {
    for (Index k = 0; k < hessians.cols(); ++k) hessian[static_cast<std::size_t>(k)] = pack_of(hessians.col(k), first);
    Pack weight = 0;
    for (int lane = 0; lane < kLanes && first + lane < weights.size(); ++lane)
      weight.lanes[lane] = weights[first + lane];
    sum += weight * function(hessian);
  }
  return sum;
}

/// What a workspace holds of a range of points, as a block, and back.
SampleBlock load(const std::vector<Pack>& minima, Index first, Index count, Index dimension) {
  SampleBlock block(count, dimension);
  for (Index i = 0; i < count; ++i)
    for (Index k = 0; k < dimension; ++k) {
      const auto place = static_cast<std::size_t>((first + i) * dimension + k);
      block(i, k) = minima[place / kLanes].lanes[place % kLanes];
    }
  return block;
}

void store(const SampleBlock& block, Index first, std::vector<Pack>& minima) {
  for (Index i = 0; i < block.rows(); ++i)
    for (Index k = 0; k < block.cols(); ++k) {
      const auto place = static_cast<std::size_t>((first + i) * block.cols() + k);
      minima[place / kLanes].lanes[place % kLanes] = block(i, k);
    }
}

}  // namespace

CustomChannel::CustomChannel(const model::Problem& problem, double Q_star, const PointRule& rule)
    : loss_(problem, model::visible_scores(problem)),
      proximal_(loss_),
      gain_(problem.symmetry() * problem.alpha),
      beta_ratio_(problem.beta_ratio()),
      noise_(problem.noise),
      Q_star_(Q_star),
      grid_(std::holds_alternative<GridRule>(rule)),
      points_(point_set(static_cast<std::size_t>(loss_.dimension()), rule)),
      training_(draw(noise_)),
      fresh_(noise_ > 0 ? draw(0) : training_) {}

CustomChannel::Samples CustomChannel::Samples::of(Index from, Index count) const {
  return {tau.middleRows(from, count),
          rho.middleRows(from, count),
          labels.middleRows(from, count),
          weights.segment(from, count),
          {}};
}

CustomChannel::Samples CustomChannel::draw(double noise) const {
  const Index r = loss_.dimension(), points = static_cast<Index>(points_->weights.size()) * kLanes;
  const int outcomes = loss_.outcomes();
  SampleBlock tau(points, r), rho(points, r);
  ArrayXd weights(points);
  for (Index i = 0; i < points; ++i) {
    const auto pack = static_cast<std::size_t>(i / kLanes);
    const int lane = static_cast<int>(i % kLanes);
    weights[i] = points_->weights[pack].lanes[lane];
    for (Index k = 0; k < r; ++k) {
      tau(i, k) = points_->normals[(pack * 2 * r) + k].lanes[lane];
      rho(i, k) = points_->normals[(pack * 2 * r) + r + k].lanes[lane];
    }
  }
  const SampleBlock made = loss_.labels(loss_.scores(std::sqrt(Q_star_ + noise) * tau));
  Samples samples;
  samples.tau.resize(points * outcomes, r);
  samples.rho.resize(points * outcomes, r);
  samples.labels.resize(points * outcomes, made.cols());
  samples.weights.resize(points * outcomes);
  Index next = 0;
  for (std::size_t replicate = 0; replicate < points_->replicates(); ++replicate) {
    samples.first.push_back(next);
    const Index first = static_cast<Index>(points_->first_pack[replicate]) * kLanes;
    const Index count = static_cast<Index>(points_->first_pack[replicate + 1]) * kLanes - first;
    for (int k = 0; k < outcomes; ++k, next += count) {
      SampleBlock labels = made.middleRows(first, count);
      samples.weights.segment(next, count) = weights.segment(first, count) * loss_.outcome(k, labels);
      samples.labels.middleRows(next, count) = labels;
      samples.tau.middleRows(next, count) = tau.middleRows(first, count);
      samples.rho.middleRows(next, count) = rho.middleRows(first, count);
    }
  }
  samples.first.push_back(next);
  return samples;
}

CustomChannel::Range CustomChannel::range_of(const Samples& samples, int replicate) const {
  if (replicate == kAll) return {0, samples.weights.size(), 1.0 / replicates()};
  const auto chosen = static_cast<std::size_t>(replicate);
  return {samples.first[chosen], samples.first[chosen + 1], 1};
}

template <class Body>
double CustomChannel::for_each_block(const Overlaps& overlaps, const Range& range, ChannelWorkspace* workspace,
                                     const Body& body) const {
  const Index r = loss_.dimension();
  const auto size = static_cast<std::size_t>(training_.weights.size() * r / kLanes);
  const bool filled = workspace && workspace->minima.size() == size;
  const bool whole = range.first == 0 && range.last == training_.weights.size();
  const bool nearby = filled && workspace->found_at && close(overlaps, *workspace->found_at, kNearby);
  const bool followed =
      filled && workspace->several == 0 && workspace->searched_at && close(overlaps, *workspace->searched_at, kCloseBy);
  bool searches = !loss_.loss().convex && !followed;
  if (workspace) {
    if (!filled) workspace->minima.assign(size, 0), workspace->jumps = false, workspace->several = 0;
    workspace->searched = searches;
    if (whole || !nearby) workspace->found_at = whole ? std::optional(overlaps) : std::nullopt;
    if (searches) workspace->searched_at = whole ? std::optional(overlaps) : std::nullopt;
  }
  const Mixture mixed(overlaps, Q_star_, noise_);
  double several = 0;
  for (Index first = range.first; first < range.last; first += kBlock) {
    base::check_interrupt();
    const Index count = std::min(kBlock, range.last - first);
    const Samples samples = training_.of(first, count);
    const SampleBlock omega = mixed.along * samples.tau + mixed.across * samples.rho;
    BlockMinima minima;
    minima.point = nearby ? load(workspace->minima, first, count, r) : omega;
    proximal_.descend(samples.labels, omega, overlaps.V, minima);
    if (searches) {
      const auto other =
          proximal_.search(samples.labels, omega, beta_ratio_ * mixed.sigma * samples.tau, overlaps.V, nearby, minima);
      several += range.share * other.select(samples.weights, 0.0).sum();
      // Where a Sobol sample of so many points has none with several minima, others are too few to matter. The first
      // points of a grid, or of one label, are no sample.
      searches = grid_ || loss_.outcomes() > 1 || several > 0;
    }
    // A kink leaves no derivative either.
    several += range.share * minima.kinked.select(samples.weights, 0.0).sum();
    if (workspace) store(minima.point, first, workspace->minima);
    body(samples, omega, minima);
  }
  return several;
}

OutputChannel::Result CustomChannel::evaluate(const Overlaps& overlaps, int replicate,
                                              ChannelWorkspace* workspace) const {
  const Range range = range_of(training_, replicate);
  const double stiffness = 1 / overlaps.V;
  const auto r = static_cast<int>(loss_.dimension());
  double g_square = 0, g_tau = 0, g_rho = 0, response = 0, train = 0;
  PackArray<0> column(r);
  double several = for_each_block(
      overlaps, range, workspace, [&](const Samples& samples, const SampleBlock& omega, const BlockMinima& minima) {
        const ArrayXd weights = range.share * samples.weights;
        const SampleBlock g = stiffness * (minima.point - omega), weighted = g.colwise() * weights;
        g_square += (weighted * g).sum();
        g_tau += (weighted * samples.tau).sum();
        g_rho += (weighted * samples.rho).sum();
        train += (weights * minima.loss.value).sum();
        if (grid_) return;
        response += sum_over_hessians(minima.loss.hessian, weights, [&](PackArray<0>& hessian) {
                      return responses(stiffen(hessian, r, overlaps.V), column, r, r, overlaps.V)[0];
                    }).sum();
      });
  if (workspace) {
    several = workspace->several = workspace->searched ? several : std::max(several, workspace->several);
    if (several > 0) workspace->jumps = true;
  }
  // As in SampledChannel::evaluate: Stein's lemma, or the mean of derivatives where no proximal point jumps. Those of a
  // loss of any kind may have steps, which a grid does not resolve.
  const bool smooth = !grid_ && (workspace ? !workspace->jumps : several == 0);
  const Mixture mixed(overlaps, Q_star_, noise_);
  const double by_omega = smooth ? -response : g_rho / mixed.across;
  const double by_target = (g_tau - mixed.along * by_omega) / mixed.sigma;
  return {{gain_ * g_square, gain_ * by_target, -gain_ * by_omega}, train, several};
}

OutputChannel::Result CustomChannel::evaluate_at_zero(int replicate) const {
  const auto [first, last, share] = range_of(training_, replicate);
  const Samples samples = training_.of(first, last - first);
  LossExpansion at;
  loss_.expand(samples.labels, SampleBlock::Zero(last - first, loss_.dimension()), Derivatives::hessian, at);
  const ArrayXd weights = share * samples.weights;
  const SampleBlock weighted = at.gradient.colwise() * weights;
  double trace = 0;
  for (int k = 0; k < loss_.dimension(); ++k) trace += (weights * at.hessian.col(lower_index(k, k))).sum();
  const double by_target = -(weighted * samples.tau).sum() / std::sqrt(Q_star_ + noise_);
  return {{gain_ * (weighted * at.gradient).sum(), gain_ * by_target, gain_ * trace}, (weights * at.value).sum()};
}

double CustomChannel::mean_loss(const Samples& samples, const Overlaps& overlaps, double noise, int replicate) const {
  const auto [first, last, share] = range_of(samples, replicate);
  const Mixture mixed(overlaps, Q_star_, noise);
  double sum = 0;
  LossExpansion at;
  for (Index from = first; from < last; from += kBlock) {
    const Samples block = samples.of(from, std::min(kBlock, last - from));
    loss_.expand(block.labels, mixed.along * block.tau + mixed.across * block.rho, Derivatives::none, at);
    sum += share * (block.weights * at.value).sum();
  }
  return sum;
}

double CustomChannel::fresh_loss(const Overlaps& overlaps, double noise, int replicate) const {
  return mean_loss(noise > 0 ? training_ : fresh_, overlaps, noise, replicate);
}

bool CustomChannel::identifies_scale() const { return loss_.loss().labels != model::CustomLabels::sign; }

SectorMatrix CustomChannel::squared_response(const Overlaps& overlaps, ChannelWorkspace* workspace) const {
  // One replicate settles a stability figure that is compared with 1.
  const Range range = range_of(training_, 0);
  const auto r = static_cast<int>(loss_.dimension());
  Pack sum = 0;
  for_each_block(overlaps, range, workspace,
                 [&](const Samples& samples, const SampleBlock&, const BlockMinima& minima) {
                   sum += sum_over_hessians(minima.loss.hessian, samples.weights, [&](PackArray<0>& hessian) {
                     return squared_responses(stiffen(hessian, r, overlaps.V), r, r, overlaps.V)[0][0];
                   });
                 });
  return {{gain_ * sum.sum(), 0}, {}};
}

std::unique_ptr<OutputChannel> make_custom_channel(const ChannelRequest& request) {
  return std::make_unique<CustomChannel>(request.problem, request.Q_star, request.rule);
}

}  // namespace attnlaw::theory
