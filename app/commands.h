#pragma once
/// Every command: its arguments in, its exit code out (0 fine, 1 not converged). Failures throw; main turns them into
/// messages and exit codes.

#include "arguments.h"

namespace attnlaw::legacy {

int run(const SolveArguments& arguments);
int run(const SimulateArguments& arguments);
int run(const SpectrumArguments& arguments);
int run(const SpectrumAlongArguments& arguments);
int run(const ThresholdsArguments& arguments);
int run(const ScalingArguments& arguments);
int run(const DemoArguments& arguments);
int run(const ConventionsArguments& arguments);
int run(const VersionArguments& arguments);
int run(const CompletionArguments& arguments);
int run(const PoolingArguments& arguments);
int run(const SoftmaxLawArguments& arguments);
int run(const LoraArguments& arguments);
int run(const LofiArguments& arguments);
int run(const Help& help);

}  // namespace attnlaw::legacy
