#pragma once
/// What the page in the browser asks of the library: one JSON document in, one out.

#include <string>

namespace attnlaw::explorer {

/// Answers a question (docs in `describe` of it, answer.cc): {"ask": "solve", "problem": {…}, …}. Never throws: what is
/// refused, or fails, is {"error": message}.
std::string answer(const std::string& question);

}  // namespace attnlaw::explorer
