/// Describes the fields of an estimate.

#include "attnlaw/base/estimate.h"
#include "attnlaw/base/fields/fields.h"

namespace attnlaw::base {

const Description& describe(const Estimate*) {
  static const Description description{
      "a figure with its standard error",
      {field("value", &Estimate::value, {.doc = "mean over the samples"}),
       field("standard_error", &Estimate::standard_error, {.doc = "its standard error; null for one sample"})}};
  return description;
}

}  // namespace attnlaw::base
