#include "attnlaw/operations/demo.h"
#include "attnlaw/operations/explore.h"
#include "attnlaw/operations/figure.h"
#include "attnlaw/operations/icl.h"
#include "attnlaw/operations/inspect.h"
#include "attnlaw/operations/limits.h"
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
namespace {

template <class... Ops>
struct List {
  static std::vector<Operation> operations() { return {make_operation<Ops>()...}; }
  static std::vector<std::string> names() { return {Ops::about.name...}; }
};

using All = List<Solve, Simulate, Spectrum, Thresholds, Limits, Scaling, Sweep, Results, Figure, SoftmaxLaw, Pooling,
                 Icl, Lora, Lofi, Inspect, Explore, Demo, Conventions, Version, Completion, Schema, Manual>;

}  // namespace

const std::vector<Operation>& all() {
  static const std::vector<Operation> operations = All::operations();
  return operations;
}

// Not of all(), whose descriptions ask for them.
std::vector<std::string> names() { return All::names(); }

}  // namespace attnlaw::operations
