#include "attnlaw/operations/demo.h"
#include "attnlaw/operations/figure.h"
#include "attnlaw/operations/lofi.h"
#include "attnlaw/operations/lora.h"
#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/pooling.h"
#include "attnlaw/operations/results.h"
#include "attnlaw/operations/scaling.h"
#include "attnlaw/operations/simulate.h"
#include "attnlaw/operations/softmax_law.h"
#include "attnlaw/operations/solve.h"
#include "attnlaw/operations/spectrum.h"
#include "attnlaw/operations/sweep.h"
#include "attnlaw/operations/text.h"
#include "attnlaw/operations/thresholds.h"
#include "attnlaw/operations/version.h"

namespace attnlaw::operations {

const std::vector<Operation>& all() {
  static const std::vector<Operation> operations{
      make_operation<Solve>(),      make_operation<Simulate>(),    make_operation<Spectrum>(),
      make_operation<Thresholds>(), make_operation<Scaling>(),     make_operation<Sweep>(),
      make_operation<Results>(),    make_operation<Figure>(),      make_operation<SoftmaxLaw>(),
      make_operation<Pooling>(),    make_operation<Lora>(),        make_operation<Lofi>(),
      make_operation<Demo>(),       make_operation<Conventions>(), make_operation<Version>(),
      make_operation<Completion>(), make_operation<Schema>(),      make_operation<Manual>(),
  };
  return operations;
}

}  // namespace attnlaw::operations
