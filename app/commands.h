#pragma once
/// Every command: its arguments in, its exit code out (0 fine, 1 not converged). Failures throw; main turns them into
/// messages and exit codes.

#include "arguments.h"

namespace attnlaw::legacy {

int run(const SolveArguments& arguments);
int run(const SweepArguments& arguments);
int run(const ResultsArguments& arguments);
int run(const FigureArguments& arguments);
int run(const Help& help);

}  // namespace attnlaw::legacy
