#include "attnlaw/cluster/request.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "attnlaw/base/fields/json.h"
#include "attnlaw/base/json_text.h"

namespace attnlaw::cluster {

std::string pack_request(const study::Task& task, const study::Outcome* predecessor) {
  std::string message = base::json_text(study::to_json(task));
  message.push_back('\0');
  if (predecessor) message += study::pack(*predecessor);
  return message;
}

Request unpack_request(std::string_view message) {
  const std::size_t end = message.find('\0');
  if (end == std::string_view::npos) throw std::invalid_argument("a request has no end of its task");
  Request request{study::task_from_json(base::parse_json(std::string(message.substr(0, end)))), std::nullopt};
  if (end + 1 < message.size()) request.predecessor = study::unpack(message.substr(end + 1));
  return request;
}

}  // namespace attnlaw::cluster
