#include "attnlaw/theory/channel/rows_channel.h"

namespace attnlaw::theory {

std::unique_ptr<OutputChannel> make_cross_entropy_channel(const ChannelRequest& request) {
  return make_rows_channel<CrossEntropyLoss>(request);
}

}  // namespace attnlaw::theory
