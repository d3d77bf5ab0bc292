#pragma once
/// Declares the border between the program and its MPI module: one function, found by its name.

#include "attnlaw/base/communicator.h"

namespace attnlaw::cluster {

/// Starts MPI and returns the communicator of all processes; the caller owns it, and MPI ends with it. A peer counts as
/// gone once nothing has been heard of it for `silence_limit` seconds.
using MpiFactory = base::Communicator* (*)(double silence_limit);

/// The number changes with the interface, so that a module of another build is not taken for this one.
inline constexpr const char* kMpiFactoryName = "attnlaw_mpi_communicator_1";

}  // namespace attnlaw::cluster
