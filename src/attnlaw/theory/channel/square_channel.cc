#include "attnlaw/theory/channel/rows_channel.h"

namespace attnlaw::theory {

std::unique_ptr<OutputChannel> make_square_channel(const ChannelRequest& request) {
  const model::Problem& problem = request.problem;
  if (!problem.two_sectors()) return make_rows_channel<SquareLoss>(request);
  const int T = problem.tokens;
  if (T == 2) return request.make(SoftmaxRows<2, true>(T, problem.beta, problem.target_beta));
  if (T == 3) return request.make(SoftmaxRows<3, true>(T, problem.beta, problem.target_beta));
  return request.make(SoftmaxRows<0, true>(T, problem.beta, problem.target_beta));
}

}  // namespace attnlaw::theory
