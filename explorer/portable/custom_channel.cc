/// theory/channel/rows_channel.h where a problem comes as text: no loss can be a function of this process.

#include <stdexcept>

#include "attnlaw/theory/channel/rows_channel.h"

namespace attnlaw::theory {

std::unique_ptr<OutputChannel> make_custom_channel(const ChannelRequest&) {
  throw std::invalid_argument("a page in a browser calls no losses of your own");
}

}  // namespace attnlaw::theory
