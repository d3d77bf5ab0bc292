#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/solve.h"

namespace attnlaw::operations {

const std::vector<Operation>& all() {
  static const std::vector<Operation> operations{make_operation<Solve>()};
  return operations;
}

}  // namespace attnlaw::operations
