#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <thread>

#include "attnlaw/cluster/communicator_loader.h"
#include "commands.h"
#include "output.h"

namespace {

constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

/// One message for one mistake: where all processes of a run find the same fault, rank 0 reports it and mpirun ends the
/// others while they wait. A fault of one of them alone is reported after this time.
constexpr std::chrono::seconds kTurn{2};

int complain(const std::exception& error, int code) {
  const auto launch = attnlaw::cluster::launch();
  if (!launch || launch->rank == 0) {
    fmt::print(stderr, "attnlaw: {}\n", error.what());
    return code;
  }
  std::this_thread::sleep_for(kTurn);
  fmt::print(stderr, "attnlaw: rank {}: {}\n", launch->rank, error.what());
  return code;
}

/// Throws std::invalid_argument if several processes would all do the same and write the same files.
void require_division_of_work(const attnlaw::app::Arguments& arguments) {
  using namespace attnlaw::app;
  const auto launch = attnlaw::cluster::launch();
  if (!launch || launch->size == 1) return;
  if (const auto* simulate = std::get_if<SimulateArguments>(&arguments); simulate && simulate->distributed) return;
  if (const auto* sweep = std::get_if<SweepArguments>(&arguments); sweep && !sweep->check) return;
  if (const auto* figure = std::get_if<FigureArguments>(&arguments); figure && !figure->list && !figure->print) return;
  throw std::invalid_argument(fmt::format(
      "this command was started as {} processes, which would all do the same; under mpirun there are sweep, "
      "figure and simulate --distributed",
      launch->size));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace attnlaw::app;
  try {
    remember_command_line(command_line(argc, argv));
    const Arguments arguments = parse_arguments(argc, argv);
    require_division_of_work(arguments);
    return std::visit([](const auto& given) { return run(given); }, arguments);
  } catch (const std::invalid_argument& error) {
    return complain(error, kBadUsage);
  } catch (const std::exception& error) {
    return complain(error, kFailed);
  }
}
