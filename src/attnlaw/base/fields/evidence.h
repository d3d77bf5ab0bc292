#pragma once
/// The field of a result that says what it rests on.

#include <utility>

#include "attnlaw/base/evidence.h"
#include "attnlaw/base/fields/fields.h"

namespace attnlaw::base {

/// `function` gives the evidence of an S.
template <class S, class Function>
FieldOf<S> evidence_field(Function function) {
  return figure_of<S>(
      "evidence", std::move(function),
      {.doc = "what the figures rest on, by their weakest step: theorem, derived, heuristic, simulated"});
}

}  // namespace attnlaw::base
