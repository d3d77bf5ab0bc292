#include "run_study.h"

#include <fmt/format.h>

#include <atomic>
#include <csignal>

#include "attnlaw/cluster/communicator_loader.h"
#include "attnlaw/cluster/remote_workers.h"
#include "legacy_progress.h"

namespace attnlaw::legacy {
namespace {

std::atomic<bool> interrupted{false};

/// Lets a signal set `interrupted`, once, for as long as this lives.
class Interruption {
 public:
  Interruption() {
    interrupted = false;
    struct sigaction action = {};
    action.sa_handler = [](int) { interrupted = true; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (std::size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &action, &before_[i]);
  }
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  ~Interruption() {
    for (std::size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  }

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM};
  struct sigaction before_[std::size(kSignals)];
};

}  // namespace

study::Study read_study(const StudyArguments& arguments) {
  study::StudyFileOptions options;
  options.fast = arguments.fast;
  if (arguments.yes) options.most_tasks = std::numeric_limits<std::size_t>::max();
  try {
    return study::read_study(arguments.file, options);
  } catch (const study::TooManyTasks& error) {
    throw std::invalid_argument(fmt::format("{}; if you mean it, add --yes", error.what()));
  }
}

bool served_rank_zero(const Common& common) {
  const auto launch = cluster::launch();
  if (!launch || launch->rank == 0) return false;
  const std::unique_ptr<base::Communicator> team = cluster::connect();
  cluster::serve(*team, cluster::threads_of_rank(common.threads));
  return true;
}

Crew assemble_crew() {
  Crew crew{cluster::connect(), {}};
  if (crew.communicator) crew.workers = cluster::remote_workers(*crew.communicator);
  return crew;
}

study::RunProgress run_study(const study::Study& study, study::Store& store, const Crew& crew,
                             const StudyArguments& arguments, const Common& common) {
  const Interruption interruption;
  StudyProgress progress(study.name, common.quiet);
  study::RunOptions options;
  options.threads = cluster::threads_of_rank(common.threads);
  options.remote_workers = crew.workers;
  options.max_seconds = arguments.max_seconds;
  options.retry_failed = arguments.retry_failed;
  options.stop = &interrupted;
  options.progress = [&](const study::RunProgress& now) { progress.update(now); };
  return study::run(study, store, options);
}

}  // namespace attnlaw::legacy
