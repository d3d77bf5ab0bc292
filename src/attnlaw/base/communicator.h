#pragma once
/// Lets several processes work together, whatever passes their messages.

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace attnlaw::base {

/// Is thrown when a peer is gone or the message layer failed; what() names the rank.
struct CommunicationError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The processes of one run, numbered from 0. Every member may be called from several threads at once, except sum.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Replaces `values` by their sums over all ranks, the same bits on every rank. All ranks must call it together, in
  /// the same order and with the same number of values.
  virtual void sum(std::span<double> values) = 0;

  /// Sends bytes to another rank. Messages with the same tag between the same two ranks arrive in the order of sending.
  virtual void send(int to, int tag, std::string_view message) = 0;
  /// Waits, without using processor time, for the next message with this tag and returns it.
  virtual std::string receive(int from, int tag) = 0;
};

}  // namespace attnlaw::base
