#include "attnlaw/theory/channel/output_channel.h"

#include "attnlaw/base/reject.h"
#include "attnlaw/theory/channel/linear_channel.h"
#include "attnlaw/theory/channel/rows_channel.h"
#include "attnlaw/theory/channel/sign_channel.h"

namespace attnlaw::theory {

std::unique_ptr<OutputChannel> make_output_channel(const model::Problem& problem, double Q_star,
                                                   const PointRule& rule) {
  if (problem.head == model::Head::hardmax) base::reject("the head hardmax has no loss to train on");
  const ChannelRequest request{problem, Q_star, rule};
  if (problem.custom_loss) return make_custom_channel(request);
  if (problem.labels == model::Labels::sign) return std::make_unique<SignChannel>(problem, Q_star);
  if (problem.head == model::Head::linear) return std::make_unique<LinearChannel>(problem, Q_star);
  if (problem.readout == model::Readout::entry) return make_entry_channel(request);
  if (problem.loss == model::Loss::cross_entropy) return make_cross_entropy_channel(request);
  return make_square_channel(request);
}

std::unique_ptr<OutputChannel> make_interpolating_channel(const model::Problem& problem, double Q_star,
                                                          const PointRule& rule) {
  return std::make_unique<InterpolatingChannel>(problem, Q_star, make_output_channel(problem, Q_star, rule));
}

}  // namespace attnlaw::theory
