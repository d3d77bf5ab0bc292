#pragma once
/// Divides one training set over several processes.

#include <span>

#include "attnlaw/base/communicator.h"
#include "attnlaw/base/matrix.h"

namespace attnlaw::experiment {

/// Consecutive sequences first … first + count − 1.
struct Shard {
  Eigen::Index first = 0;
  Eigen::Index count = 0;
};

/// Returns the share of this process in sequences 0 … sequences − 1; shares differ by one at most. Without a
/// communicator it is all of them.
Shard shard_of(Eigen::Index sequences, const base::Communicator* communicator);

/// Replaces `numbers`, and `matrix` unless it is null, by their sums over all processes; without a communicator it does
/// nothing. `point`, where they were evaluated, must be the same on every process, else base::CommunicationError is
/// thrown on all of them: processors of different kinds may round differently, and what follows would mix different
/// students.
void sum_over_processes(base::Communicator* communicator, const base::Matrix<double>& point, std::span<double> numbers,
                        base::Matrix<double>* matrix);

}  // namespace attnlaw::experiment
