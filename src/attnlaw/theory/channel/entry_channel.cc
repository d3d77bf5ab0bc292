#include "attnlaw/theory/channel/rows_channel.h"

namespace attnlaw::theory {

std::unique_ptr<OutputChannel> make_entry_channel(const ChannelRequest& request) {
  const model::Problem& problem = request.problem;
  const double beta = problem.beta, target_beta = problem.target_beta;
  // h_11 of symmetric scores has twice the variance of the others.
  const double first_variance = problem.symmetry();
  const int T = problem.keys();
  if (T == 2) return request.make(LogisticFeatures<1, EntryLoss>(single_metric(1 + first_variance), beta, target_beta));
  if (T == 3) return request.make(SingleRow<3, EntryLoss>(T, first_variance, beta, target_beta));
  return request.make(SingleRow<0, EntryLoss>(T, first_variance, beta, target_beta));
}

}  // namespace attnlaw::theory
