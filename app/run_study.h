#pragma once
/// What the commands that run a study have in common: reading it, interrupting it, showing how it gets on.

#include <memory>
#include <vector>

#include "arguments.h"
#include "attnlaw/base/communicator.h"
#include "attnlaw/study/file/study_file.h"
#include "attnlaw/study/run/runner.h"

namespace attnlaw::legacy {

/// Throws what study::read_study throws, with a hint at --yes if there are too many tasks.
study::Study read_study(const StudyArguments& arguments);

/// Under mpirun, on any rank but 0: computes for rank 0, which runs the study, until it is done. False elsewhere.
bool served_rank_zero(const Common& common);

/// The processes that run a study together. Made before anything that can fail: whatever ends rank 0, the others are
/// told to stop at the end of its life.
struct Crew {
  std::unique_ptr<base::Communicator> communicator;  ///< null for a process alone
  std::vector<study::Worker> workers;                ///< on other ranks; gone before the communicator
};

/// On rank 0, or alone.
Crew assemble_crew();

/// Runs the study into the store with progress on standard error: a bar on a terminal, a line every half minute
/// otherwise, nothing if --quiet. Under mpirun the other ranks compute as well. SIGINT and SIGTERM let the running
/// tasks end and start no more; a second one kills.
study::RunProgress run_study(const study::Study& study, study::Store& store, const Crew& crew,
                             const StudyArguments& arguments, const Common& common);

}  // namespace attnlaw::legacy
