#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>
#include <stdexcept>
#include <thread>

#include "attnlaw/base/freed_memory.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/memory.h"
#include "attnlaw/base/names.h"
#include "attnlaw/cluster/communicator_loader.h"
#include "command_line.h"
#include "progress.h"
#include "standard_streams.h"
#include "write.h"

namespace {

using namespace attnlaw;

constexpr int kFailed = 1;
constexpr int kBadUsage = 2;
/// As shells say it of a program that Ctrl-C has ended.
constexpr int kInterrupted = 128 + SIGINT;

/// Ends the program without the destructors of static objects: those of base/apart.cc would wait for the decompositions
/// that an interruption has left to themselves.
[[noreturn]] void leave() { std::_Exit(kInterrupted); }

/// One message for one mistake: where all processes of a run find the same fault, rank 0 reports it and mpirun ends the
/// others while they wait. A fault of one of them alone is reported after this time.
constexpr std::chrono::seconds kTurn{2};

int complain(const std::string& what, int code) {
  const auto launch = cluster::launch();
  if (!launch || launch->rank == 0) {
    app::say(what);
    return code;
  }
  std::this_thread::sleep_for(kTurn);
  app::say(fmt::format("rank {}: {}", launch->rank, what));
  return code;
}

/// Throws std::invalid_argument if several processes would all do the same and write the same files.
void require_division_of_work(bool divided) {
  const auto launch = cluster::launch();
  if (!launch || launch->size == 1 || divided) return;
  throw std::invalid_argument(fmt::format(
      "this command was started as {} processes, which would all do the same; under mpirun there are sweep, "
      "figure and simulate --distributed",
      launch->size));
}

/// Says that this process is one of several that do not know each other, and so do the same. Throws
/// std::invalid_argument if the command asks them to share the work of one experiment.
void note_strangers(const app::Command& command) {
  const auto strangers = cluster::strangers();
  if (!strangers) return;
  const std::string fact = fmt::format(
      "this is process {} of {} ({}), which do not know each other and would each do the whole work: start them with "
      "mpirun of Open MPI or srun --mpi=pmix",
      strangers->rank, strangers->size, strangers->variable);
  if (command.options.value("distributed", false)) throw std::invalid_argument(fact);
  if (!command.common.quiet) app::say("warning: " + fact);
}

int run(const app::Command& command, const std::string& line) {
  const operations::Operation& operation = *command.operation;
  require_division_of_work(operation.divides && operation.divides(command.options));
  note_strangers(command);
  // Of processes that share the work the first one has the result.
  const auto launch = cluster::launch();
  const bool writes = !launch || launch->rank == 0;
  if (writes) app::require_outputs(command);
  app::Progress progress(command.common.quiet);
  operations::Run run;
  run.draw = !command.html.empty();
  run.page_path = command.html;
  progress.attach(run, operation.about.name);
  view::Result result = operation.run(command.options, run);
  progress.clear();
  if (!writes) return 0;
  const bool converged = result.converged, interrupted = !result.interrupted.empty();
  app::write(command, std::move(result), line);
  if (interrupted) leave();
  return converged ? 0 : kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  app::secure_standard_streams();
  base::keep_freed_memory();
  try {
    const auto asked = app::parse(argc, argv);
    if (const auto* help = std::get_if<app::Help>(&asked)) return app::write_text("", help->text), 0;
    return run(std::get<app::Command>(asked), app::typed(argc, argv));
  } catch (const base::Interrupted&) {
    app::say("interrupted before anything had ended");
    leave();
  } catch (const base::MissingField& error) {
    return complain(fmt::format("--{} is required: {}", base::dashed(error.field), error.accepted), kBadUsage);
  } catch (const std::invalid_argument& error) {
    return complain(error.what() + app::comma_hint(argc, argv, error.what()), kBadUsage);
  } catch (const std::bad_alloc&) {
    return complain(
        fmt::format("an allocation failed: this process may use {} of memory in all; choose a smaller problem or fewer "
                    "--threads",
                    base::bytes_text(static_cast<double>(base::memory_limit()))),
        kFailed);
  } catch (const std::exception& error) {
    return complain(error.what(), kFailed);
  }
}
