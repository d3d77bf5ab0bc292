#include "attnlaw/operations/demo.h"
#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/solve.h"
#include "attnlaw/operations/text.h"
#include "attnlaw/operations/version.h"

namespace attnlaw::operations {

const std::vector<Operation>& all() {
  static const std::vector<Operation> operations{
      make_operation<Solve>(),  make_operation<Demo>(),   make_operation<Conventions>(), make_operation<Version>(),
      make_operation<Schema>(), make_operation<Manual>(), make_operation<Completion>(),
  };
  return operations;
}

}  // namespace attnlaw::operations
