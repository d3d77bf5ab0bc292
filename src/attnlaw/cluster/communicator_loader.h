#pragma once
/// Finds out whether a process is one of several, and connects it with the others.

#include <memory>
#include <optional>
#include <string>

#include "attnlaw/base/communicator.h"

namespace attnlaw::cluster {

/// What mpirun, or srun --mpi=pmix, tells a process about itself before it has started MPI.
struct Launch {
  int rank = 0;
  int size = 1;        ///< the number of processes in all
  int local_size = 1;  ///< the number of these on this machine
};

/// Reads the launch from the environment (OMPI_COMM_WORLD_*, or PMIX_RANK and SLURM_*); nothing if this process was
/// started alone.
std::optional<Launch> launch();

/// One of several processes that were started together by something that does not let them find each other.
struct Strangers {
  int rank = 0;
  int size = 1;
  std::string variable;  ///< the environment variable that says so
};

/// Reads from the environment whether this process is one of several that launch() does not know: tasks of a Slurm step
/// without PMIx, or ranks of another MPI (MPICH, Intel MPI, MVAPICH), of Flux, PALS or jsrun. Nothing for a process
/// that was started alone: a batch script, or a shell that inherited the variables of a job.
std::optional<Strangers> strangers();

/// After so many seconds without a sign of life a peer counts as gone. Signs are exchanged by a thread of its own,
/// however busy a process is.
inline constexpr double kSilenceLimit = 30;

/// Connects the processes of this launch, waiting for all of them; returns null if this process was started alone. It
/// alone loads MPI: attnlaw_mpi.so from the folder of this program, from lib/attnlaw of its installation, or the file
/// that the environment variable ATTNLAW_MPI_MODULE names. Throws std::runtime_error if that file is not there or does
/// not load, or if MPI knows of one process where several were launched. A process may connect once. A communicator
/// that is destroyed by an exception does not wait for the others, which mpirun then ends.
std::unique_ptr<base::Communicator> connect(double silence_limit = kSilenceLimit);

/// Returns the number of threads of a rank: `wanted`, or for 0 that of the processors it is bound to; where ranks of
/// one machine are not bound, each takes an equal share, at least 1.
int threads_of_rank(int wanted);

}  // namespace attnlaw::cluster
