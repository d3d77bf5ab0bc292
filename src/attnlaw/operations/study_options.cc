#include "attnlaw/operations/study_options.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/cluster/communicator_loader.h"
#include "attnlaw/cluster/remote_workers.h"
#include "attnlaw/operations/interruption.h"
#include "attnlaw/study/file/study_file.h"

namespace attnlaw::operations {
namespace {

/// What whoever sent a signal reads.
constexpr const char* kInterrupted =
    "interrupted: what has ended is kept, what is running here is left; a second signal ends the program at once";

}  // namespace

const base::Description& describe(const StudyOptions*) {
  using O = StudyOptions;
  static const base::Description description{
      "how a study is run",
      {base::field("fast", &O::fast, {.doc = "with the settings of the fast tables"}),
       base::field("max_time", &O::max_time,
                   {.doc = "start no task after this time: 90s, 15m, 2h", .value_name = "TIME"}),
       base::field("retry_failed", &O::retry_failed, {.doc = "compute again what failed in an earlier run"}),
       base::field("yes", &O::yes, {.doc = "run it however many tasks there are"})}};
  return description;
}

double StudyOptions::max_seconds() const {
  static const std::map<char, double> units{{'s', 1}, {'m', 60}, {'h', 3600}};
  if (max_time.empty()) return std::numeric_limits<double>::infinity();
  const auto unit = units.find(max_time.back());
  const auto number = base::number_in<double>(unit == units.end() ? max_time : max_time.substr(0, max_time.size() - 1));
  if (!number || !(*number >= 0))
    throw std::invalid_argument(fmt::format("--max-time takes a time such as 90s, 15m or 2h, got '{}'", max_time));
  return *number * (unit == units.end() ? 1 : unit->second);
}

void require_no_seed(const nlohmann::json& options, const char* what) {
  if (options.contains("seed"))
    throw std::invalid_argument(
        fmt::format("the seed of {} stands in its file (seed = N): --seed is not accepted here", what));
}

study::Study read_study(const std::string& path, const StudyOptions& options) {
  study::StudyFileOptions file_options;
  file_options.fast = options.fast;
  if (options.yes) file_options.most_tasks = std::numeric_limits<std::size_t>::max();
  try {
    return study::read_study(path, file_options);
  } catch (const study::TooManyTasks& error) {
    throw std::invalid_argument(fmt::format("{}; if you mean it, add --yes", error.what()));
  }
}

std::optional<Crew> assemble_crew(const Run& run) {
  const auto launch = cluster::launch();
  Crew crew{cluster::connect(), {}};
  if (launch && launch->rank > 0) {
    cluster::serve(*crew.communicator, cluster::threads_of_rank(run.threads));
    return std::nullopt;
  }
  if (crew.communicator) crew.workers = cluster::remote_workers(*crew.communicator);
  return crew;
}

study::RunProgress run_study(const study::Study& study, study::Store& store, const Crew& crew,
                             const StudyOptions& options, const Run& run) {
  const Interruption interruption;
  study::RunOptions run_options;
  run_options.threads = cluster::threads_of_rank(run.threads);
  run_options.remote_workers = crew.workers;
  run_options.max_seconds = options.max_seconds();
  run_options.retry_failed = options.retry_failed;
  run_options.stop = base::interrupt_flag();
  run_options.progress = [&, noted = false](const study::RunProgress& now) mutable {
    if (interruption.happened() && !std::exchange(noted, true) && run.note) run.note(kInterrupted);
    if (run.study_progress) run.study_progress(study.name, now);
  };
  const study::RunProgress progress = study::run(study, store, run_options);
  store.settle();
  if (!interruption.listens()) base::check_interrupt();
  return progress;
}

}  // namespace attnlaw::operations
