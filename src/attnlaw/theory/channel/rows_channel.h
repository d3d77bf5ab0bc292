#pragma once
/// Sampled channels of problems whose labels are whole softmax rows, by the loss of one row (docs/theory/losses.md).

#include <memory>
#include <type_traits>
#include <utility>

#include "attnlaw/theory/channel/logistic_features.h"
#include "attnlaw/theory/channel/sampled_channel.h"
#include "attnlaw/theory/channel/single_row.h"
#include "attnlaw/theory/channel/softmax_rows.h"

namespace attnlaw::theory {

/// What the channel of a row loss is made from.
struct ChannelRequest {
  const model::Problem& problem;
  double Q_star;
  const PointRule& rule;

  template <ChannelLoss Loss>
  std::unique_ptr<OutputChannel> make(Loss loss) const {
    return std::make_unique<SampledChannel<Loss>>(std::move(loss), ChannelScale(problem, Q_star), rule);
  }
};

/// Whether three tokens have classes of their own: everywhere but where code is to be short, there for the squared
/// loss.
template <RowLoss Loss>
constexpr bool kThreeTokensApart = kFourTokensApart || std::is_same_v<Loss, SquareLoss>;

/// Rows of two scores are logistic functions; a row of cross-attention stands alone; those of self-attention share
/// scores.
template <RowLoss Loss>
std::unique_ptr<OutputChannel> make_rows_channel(const ChannelRequest& request) {
  const model::Problem& problem = request.problem;
  const double beta = problem.beta, target_beta = problem.target_beta;
  const LabelLaw law = problem.labels == model::Labels::sampled ? LabelLaw::sampled : LabelLaw::outputs;
  const int T = problem.keys();
  if (problem.cross()) {
    constexpr double kFirstVariance = 1;
    if (T == 2) return request.make(LogisticFeatures<1, Loss>(single_metric(2), beta, target_beta, law));
    if constexpr (kThreeTokensApart<Loss>)
      if (T == 3) return request.make(SingleRow<3, Loss>(T, kFirstVariance, beta, target_beta, law));
    if constexpr (kFourTokensApart)
      if (T == 4) return request.make(SingleRow<4, Loss>(T, kFirstVariance, beta, target_beta, law));
    return request.make(SingleRow<0, Loss>(T, kFirstVariance, beta, target_beta, law));
  }
  if (T == 2) return request.make(LogisticFeatures<2, Loss>(kPairMetric, beta, target_beta, law));
  if constexpr (kThreeTokensApart<Loss>)
    if (T == 3) return request.make(SoftmaxRows<3, false, Loss>(T, beta, target_beta, law));
  if constexpr (kFourTokensApart)
    if (T == 4) return request.make(SoftmaxRows<4, false, Loss>(T, beta, target_beta, law));
  return request.make(SoftmaxRows<0, false, Loss>(T, beta, target_beta, law));
}

/// One file each: square_channel.cc, cross_entropy_channel.cc, entry_channel.cc; and custom_channel.cc for a loss that
/// is a function, which a page in a browser is built without.
std::unique_ptr<OutputChannel> make_square_channel(const ChannelRequest& request);
std::unique_ptr<OutputChannel> make_cross_entropy_channel(const ChannelRequest& request);
std::unique_ptr<OutputChannel> make_entry_channel(const ChannelRequest& request);
std::unique_ptr<OutputChannel> make_custom_channel(const ChannelRequest& request);

}  // namespace attnlaw::theory
