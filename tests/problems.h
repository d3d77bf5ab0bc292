#pragma once
/// Problems that tests of several rooms pose.

#include "attnlaw/model/problem.h"

namespace attnlaw::samples {

/// The same with queries and keys of two sequences, the student untied and the target product:0.5.
inline model::Problem crossed(model::Problem problem, int queries, int keys) {
  problem.attention = model::Attention::cross;
  problem.tokens = queries;
  problem.key_tokens = keys;
  problem.student = model::Student::untied;
  problem.target = model::Target::parse("product:0.5");
  return problem;
}

}  // namespace attnlaw::samples
