#pragma once
/// What rank 0 asks of a worker: a message.

#include <optional>
#include <string>
#include <string_view>

#include "attnlaw/study/outcome.h"
#include "attnlaw/study/task.h"

namespace attnlaw::cluster {

/// A task with the outcome of its predecessor, if it follows one.
struct Request {
  study::Task task;
  std::optional<study::Outcome> predecessor;
};

/// Packs the task as JSON, a zero byte, and the outcome of its predecessor if there is one.
std::string pack_request(const study::Task& task, const study::Outcome* predecessor);

/// Reads what pack_request writes. Throws std::invalid_argument for any other message.
Request unpack_request(std::string_view message);

}  // namespace attnlaw::cluster
