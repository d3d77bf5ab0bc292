#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/scaling.h"
#include "attnlaw/operations/simulate.h"
#include "attnlaw/operations/solve.h"
#include "attnlaw/operations/spectrum.h"
#include "attnlaw/operations/thresholds.h"

namespace attnlaw::operations {

const std::vector<Operation>& all() {
  static const std::vector<Operation> operations{make_operation<Solve>(), make_operation<Simulate>(),
                                                 make_operation<Spectrum>(), make_operation<Thresholds>(),
                                                 make_operation<Scaling>()};
  return operations;
}

}  // namespace attnlaw::operations
