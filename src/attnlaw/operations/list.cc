#include "attnlaw/operations/figure.h"
#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/results.h"
#include "attnlaw/operations/solve.h"
#include "attnlaw/operations/sweep.h"

namespace attnlaw::operations {

const std::vector<Operation>& all() {
  static const std::vector<Operation> operations{make_operation<Solve>(), make_operation<Sweep>(),
                                                 make_operation<Results>(), make_operation<Figure>()};
  return operations;
}

}  // namespace attnlaw::operations
