/// Names the levels of evidence.

#include "attnlaw/base/evidence.h"

namespace attnlaw::base {
namespace {

constexpr Named<Evidence> kEvidence[] = {{Evidence::theorem, "theorem"},
                                         {Evidence::derived, "derived"},
                                         {Evidence::heuristic, "heuristic"},
                                         {Evidence::simulated, "simulated"}};

}  // namespace

std::span<const Named<Evidence>> names_table(Evidence) { return kEvidence; }

}  // namespace attnlaw::base
