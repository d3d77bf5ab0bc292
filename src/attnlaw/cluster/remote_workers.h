#pragma once
/// Lets other processes compute the tasks of a study.

#include <vector>

#include "attnlaw/base/communicator.h"
#include "attnlaw/study/run/runner.h"

namespace attnlaw::cluster {

/// Returns on rank 0, while all other ranks call serve, one worker for each of their threads; the list goes round the
/// ranks. A worker whose rank is gone throws study::WorkerLost. The other ranks are told to stop when the last of these
/// workers (copies included) is destroyed. Throws base::CommunicationError if the others cannot be reached.
std::vector<study::Worker> remote_workers(base::Communicator& communicator);

/// Computes, on any other rank, the tasks that rank 0 sends, on this many threads, until rank 0 has no more. SIGTERM is
/// ignored meanwhile, because rank 0 ends a run. Throws base::CommunicationError if rank 0 is gone.
void serve(base::Communicator& communicator, int threads);

}  // namespace attnlaw::cluster
