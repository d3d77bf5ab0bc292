#pragma once
/// Running a study, as `sweep` and `figure` do: its options, the processes that share it, progress and interruption.

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "attnlaw/base/communicator.h"
#include "attnlaw/operations/operation.h"
#include "attnlaw/study/run/runner.h"
#include "attnlaw/study/study.h"

namespace attnlaw::operations {

/// How a study is run.
struct StudyOptions {
  bool fast = false;
  std::string max_time;  ///< "90s", "15m", "2h"; empty: no limit
  bool retry_failed = false;
  bool yes = false;  ///< any number of tasks

  /// Throws std::invalid_argument for a time that is none.
  double max_seconds() const;
};
const base::Description& describe(const StudyOptions*);

/// Throws std::invalid_argument if the options have a seed. `what`: "a study".
void require_no_seed(const nlohmann::json& options, const char* what);

/// Throws what study::read_study throws, with a hint at --yes if there are too many tasks.
study::Study read_study(const std::string& path, const StudyOptions& options);

/// The processes that run a study together. Made before anything that can fail: whatever ends rank 0, the others are
/// told to stop at the end of its life.
struct Crew {
  std::unique_ptr<base::Communicator> communicator;  ///< null for a process alone
  std::vector<study::Worker> workers;                ///< on other ranks; gone before the communicator
};

/// On rank 0, or alone. Under mpirun, on any other rank: computes for rank 0, which runs the study, until it is done;
/// then there is no crew.
std::optional<Crew> assemble_crew(const Run& run);

/// Runs the study into the store. Under mpirun the other ranks compute as well. SIGINT and SIGTERM end the tasks of
/// this process within a second, without a trace in the store, and it returns with what is there by then; tasks of
/// other ranks are waited for; a second signal kills. A caller who has an interrupt flag of his own (Python) keeps his
/// signals: base::Interrupted is thrown once his flag is set.
study::RunProgress run_study(const study::Study& study, study::Store& store, const Crew& crew,
                             const StudyOptions& options, const Run& run);

}  // namespace attnlaw::operations
