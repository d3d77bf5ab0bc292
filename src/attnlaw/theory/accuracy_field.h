#pragma once
/// The option `accuracy` of whoever computes the theory: described here for all of them.

#include "attnlaw/base/fields/fields.h"

namespace attnlaw::theory {

/// The field of the member that becomes SolveOptions::accuracy, or means the same.
template <class S>
base::FieldOf<S> accuracy_field(double S::*member) {
  return base::field("accuracy", member,
                     {.range = {1e-6, 0.1}, .doc = "largest relative sampling error of the theory"});
}

}  // namespace attnlaw::theory
