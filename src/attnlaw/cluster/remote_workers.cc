#include "attnlaw/cluster/remote_workers.h"

#include <csignal>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/memory.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/cluster/communicator_loader.h"
#include "attnlaw/cluster/request.h"
#include "attnlaw/study/run/memory_gate.h"

namespace attnlaw::cluster {
namespace {

using study::Outcome;
using study::Task;

/// A message without content says that there are no more tasks.
constexpr std::string_view kStop;

/// Returns the number of threads of every rank; all ranks call it together.
std::vector<double> share_thread_counts(base::Communicator& communicator, int threads) {
  std::vector<double> counts(static_cast<std::size_t>(communicator.size()));
  counts[static_cast<std::size_t>(communicator.rank())] = threads;
  communicator.sum(counts);
  return counts;
}

/// Computes what a request asks for. A request that cannot be read is an outcome too: a failed one. What the machine
/// refuses ends this rank.
Outcome answer(const std::string& message, study::MemoryGate& memory) {
  try {
    const Request request = unpack_request(message);
    const study::MemoryGate::Place place = memory.enter(request.task);
    return study::perform(request.task, request.predecessor ? &*request.predecessor : nullptr, 1);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::system_error&) {
    throw;
  } catch (const std::exception& error) {
    Outcome outcome;
    outcome.status = Outcome::Status::failed;
    outcome.error = error.what();
    return outcome;
  }
}

/// A thread of another rank; its tag is its number there.
struct Slot {
  int rank = 0;
  int tag = 0;
};

/// The slots of all other ranks, which are told to stop when this object ends.
class Slots {
 public:
  explicit Slots(base::Communicator& communicator) : communicator_(communicator) {
    const std::vector<double> counts = share_thread_counts(communicator, 0);
    for (int tag = 0, before = -1; before != static_cast<int>(slots_.size()); ++tag) {
      before = static_cast<int>(slots_.size());
      for (int rank = 1; rank < communicator.size(); ++rank)
        if (tag < counts[static_cast<std::size_t>(rank)]) slots_.push_back({rank, tag});
    }
  }
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;
  ~Slots() {
    for (const Slot& slot : slots_) {
      try {
        communicator_.send(slot.rank, slot.tag, kStop);
      } catch (const base::CommunicationError&) {
        // A rank that is gone has stopped anyway.
      }
    }
  }

  const std::vector<Slot>& all() const { return slots_; }

  Outcome compute(const Slot& slot, const Task& task, const Outcome* predecessor) const {
    try {
      communicator_.send(slot.rank, slot.tag, pack_request(task, predecessor));
      return study::unpack(communicator_.receive(slot.rank, slot.tag));
    } catch (const base::CommunicationError& error) {
      throw study::WorkerLost(error.what());
    }
  }

 private:
  base::Communicator& communicator_;
  std::vector<Slot> slots_;
};

}  // namespace

std::vector<study::Worker> remote_workers(base::Communicator& communicator) {
  const auto slots = std::make_shared<const Slots>(communicator);
  std::vector<study::Worker> workers;
  for (const Slot& slot : slots->all()) {
    workers.emplace_back([slots, slot](const Task& task, const Outcome* predecessor) {
      return slots->compute(slot, task, predecessor);
    });
  }
  return workers;
}

void serve(base::Communicator& communicator, int threads) {
  std::signal(SIGTERM, SIG_IGN);
  base::use_one_blas_thread();
  share_thread_counts(communicator, threads);
  const auto here = launch();
  study::MemoryGate memory(base::memory_limit() / static_cast<std::uint64_t>(here ? here->local_size : 1));
  base::parallel_for(static_cast<std::size_t>(threads), threads, [&](std::size_t slot) {
    const int tag = static_cast<int>(slot);
    for (std::string request; !(request = communicator.receive(0, tag)).empty();)
      communicator.send(0, tag, study::pack(answer(request, memory)));
  });
}

}  // namespace attnlaw::cluster
