#include "attnlaw/study/run/memory_gate.h"

#include "attnlaw/study/resolve.h"

namespace attnlaw::study {

MemoryGate::Place::Place(MemoryGate& gate, std::uint64_t bytes) : gate_(gate), bytes_(bytes) {
  std::unique_lock lock(gate.mutex_);
  gate.left_.wait(lock, [&] { return gate.inside_ == 0 || gate.used_ + bytes <= gate.limit_; });
  ++gate.inside_;
  gate.used_ += bytes;
}

MemoryGate::Place::~Place() {
  const std::lock_guard lock(gate_.mutex_);
  --gate_.inside_;
  gate_.used_ -= bytes_;
  gate_.left_.notify_all();
}

std::uint64_t MemoryGate::bytes_needed(const Task& task) {
  if (task.kind != TaskKind::experiment) return 0;
  experiment::Options options = task.experiment;
  options.instances = options.threads = 1;
  try {
    return experiment::bytes_needed(with_some_lambda(task.problem), options);
  } catch (const std::invalid_argument&) {
    return 0;
  }
}

}  // namespace attnlaw::study
