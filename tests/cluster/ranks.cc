/// `ranks SCENARIO`, under mpirun: what a communicator of several processes promises, one scenario at a time. Exits
/// with 1 and a message where it does not hold.

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "attnlaw/cluster/communicator_loader.h"
#include "attnlaw/cluster/remote_workers.h"

namespace attnlaw {
namespace {

using base::Communicator;

/// Far beyond the pauses of a busy machine, and short enough to wait for.
constexpr double kSilence = 4;

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Sums of numbers that do not add up exactly, small and large: the same bits on every rank and in every repetition.
void sums(Communicator& communicator) {
  for (const std::size_t count : {std::size_t(1), std::size_t(1000), std::size_t(300000)}) {
    std::vector<double> values(count), first;
    for (int repetition = 0; repetition < 3; ++repetition) {
      for (std::size_t i = 0; i < count; ++i)
        values[i] = 1.0 / static_cast<double>(3 * i + 1 + static_cast<std::size_t>(communicator.rank()));
      communicator.sum(values);
      if (repetition == 0) first = values;
      require(values == first, "a repeated sum has other bits");
    }
    double wanted = 0;
    for (int rank = 0; rank < communicator.size(); ++rank) wanted += 1.0 / (1 + rank);
    require(std::abs(values[0] - wanted) < 1e-15 * communicator.size(), "a sum is wrong");
    const std::string mine(reinterpret_cast<const char*>(values.data()), count * sizeof(double));
    if (communicator.rank() == 0) {
      for (int rank = 1; rank < communicator.size(); ++rank)
        require(communicator.receive(rank, 5) == mine, "ranks have sums of different bits");
    } else {
      communicator.send(0, 5, mine);
    }
  }
}

/// Messages keep their order within a tag, of any length, and threads with different tags do not disturb each other.
void messages(Communicator& communicator) {
  constexpr int kThreads = 3, kMessages = 20;
  const auto text = [](int rank, int tag, int k) {
    return fmt::format("{} {} {} ", rank, tag, k) + std::string(k == 7 ? 3000000 : static_cast<std::size_t>(k), 'x');
  };
  std::vector<std::jthread> threads;
  std::atomic<int> wrong{0};
  for (int tag = 0; tag < kThreads; ++tag) {
    threads.emplace_back([&, tag] {
      if (communicator.rank() > 0)
        for (int k = 0; k < kMessages; ++k) communicator.send(0, tag, text(communicator.rank(), tag, k));
      else
        for (int rank = 1; rank < communicator.size(); ++rank)
          for (int k = 0; k < kMessages; ++k) wrong += communicator.receive(rank, tag) != text(rank, tag, k);
    });
  }
  threads.clear();
  require(wrong == 0, "messages came out of order or changed");
}

/// Waiting takes next to no processor time.
void patience(Communicator& communicator) {
  constexpr double kWait = 3;
  if (communicator.rank() == 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(kWait));
    for (int rank = 1; rank < communicator.size(); ++rank) communicator.send(rank, 0, "go");
    return;
  }
  const double before = processor_seconds();
  communicator.receive(0, 0);
  const double used = processor_seconds() - before;
  require(used < 0.2 * kWait, fmt::format("waiting {} s took {} s of a processor", kWait, used));
}

study::Task task_at(double alpha) {
  study::Task task;
  task.problem.head = model::Head::linear;
  task.problem.alpha = alpha;
  task.problem.lambda = 0.05;
  return task;
}

/// Under --enable-recovery: the worker on rank 1 kills itself, rank 0 hears of it and goes on with rank 2.
void lost_worker(Communicator& communicator) {
  if (communicator.rank() == 1) {
    std::vector<double> counts(static_cast<std::size_t>(communicator.size()));
    counts[1] = 1;
    communicator.sum(counts);
    communicator.receive(0, 0);
    std::raise(SIGKILL);
  }
  if (communicator.rank() > 1) return cluster::serve(communicator, 1);
  const std::vector<study::Worker> workers = cluster::remote_workers(communicator);
  bool lost = false;
  try {
    workers.at(0)(task_at(0.3), nullptr);
  } catch (const study::WorkerLost&) {
    lost = true;
  }
  require(lost, "a killed worker was not noticed");
  require(workers.at(1)(task_at(0.3), nullptr).status == study::Outcome::Status::converged,
          "the other worker is gone too");
  fmt::print("survived\n");
}

/// Rank 0 kills itself: the others must not stay.
void lost_lead(Communicator& communicator) {
  if (communicator.rank() > 0) return cluster::serve(communicator, 1);
  const std::vector<study::Worker> workers = cluster::remote_workers(communicator);
  std::raise(SIGKILL);
}

/// Under --enable-recovery: rank 1 kills itself while the others sum. None of them waits for ever.
void lost_in_sum(Communicator& communicator) {
  if (communicator.rank() == 1) std::raise(SIGKILL);
  std::vector<double> values(10);
  communicator.sum(values);
}

/// Under --enable-recovery: rank 2 kills itself after the last exchange, unseen by the rank that watches rank 0 alone.
void lost_at_the_end(Communicator& communicator) {
  std::vector<double> values(10);
  communicator.sum(values);
  if (communicator.rank() == 2) std::raise(SIGKILL);
}

/// One rank fails while the others wait for it.
void lone_failure(Communicator& communicator) {
  require(communicator.rank() != 1, "rank 1 cannot go on");
  std::vector<double> values(10);
  communicator.sum(values);
}

const std::map<std::string, std::function<void(Communicator&)>> kScenarios{{"sums", sums},
                                                                           {"messages", messages},
                                                                           {"patience", patience},
                                                                           {"lost_worker", lost_worker},
                                                                           {"lost_lead", lost_lead},
                                                                           {"lost_in_sum", lost_in_sum},
                                                                           {"lost_at_the_end", lost_at_the_end},
                                                                           {"lone_failure", lone_failure}};

}  // namespace
}  // namespace attnlaw

int main(int argc, char** argv) {
  try {
    const std::unique_ptr<attnlaw::base::Communicator> communicator = attnlaw::cluster::connect(attnlaw::kSilence);
    if (!communicator || argc != 2) throw std::runtime_error("usage: mpirun ranks SCENARIO");
    attnlaw::kScenarios.at(argv[1])(*communicator);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "ranks: {}\n", error.what());
    return 1;
  }
}
