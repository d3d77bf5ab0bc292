#include "attnlaw/operations/lofi.h"
#include "attnlaw/operations/lora.h"
#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/pooling.h"
#include "attnlaw/operations/softmax_law.h"
#include "attnlaw/operations/solve.h"

namespace attnlaw::operations {

const std::vector<Operation>& all() {
  static const std::vector<Operation> operations{make_operation<Solve>(), make_operation<SoftmaxLaw>(),
                                                 make_operation<Pooling>(), make_operation<Lora>(),
                                                 make_operation<Lofi>()};
  return operations;
}

}  // namespace attnlaw::operations
