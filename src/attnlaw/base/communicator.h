#pragma once
/// Several processes that work together, whatever passes their messages.

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace attnlaw::base {

/// A peer is gone, or the message layer failed; the message names the rank.
struct CommunicationError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The processes of one run, numbered from 0. Every member may be called from several threads at once, except sum.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Replaces `values` by their sums over all ranks: the same bits on every rank. Called by all ranks together, in the
  /// same order and with the same number of values.
  virtual void sum(std::span<double> values) = 0;

  /// Sends bytes to another rank; messages between two ranks with one tag arrive in the order of sending.
  virtual void send(int to, int tag, std::string_view message) = 0;
  /// Waits, without burning a processor, for the next message with this tag.
  virtual std::string receive(int from, int tag) = 0;
};

}  // namespace attnlaw::base
