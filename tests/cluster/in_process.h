#pragma once
/// Ranks as threads of one process: a Communicator without MPI.

#include <barrier>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "attnlaw/base/communicator.h"

namespace attnlaw::test {

/// The memory that the ranks have in common.
class Machine {
 public:
  explicit Machine(int ranks) : contributions_(static_cast<std::size_t>(ranks)), barrier_(ranks) {}

  int size() const { return static_cast<int>(contributions_.size()); }

  void sum(int rank, std::span<double> values) {
    contributions_[static_cast<std::size_t>(rank)] = {values.begin(), values.end()};
    barrier_.arrive_and_wait();
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = 0;
      for (const auto& contribution : contributions_) values[i] += contribution.at(i);
    }
    barrier_.arrive_and_wait();
  }

  void send(int from, int to, int tag, std::string_view message) {
    const std::lock_guard lock(mutex_);
    mail_[{from, to, tag}].emplace_back(message);
    arrived_.notify_all();
  }

  /// Throws once nothing can come any more because the sender is gone.
  std::string receive(int from, int to, int tag) {
    std::unique_lock lock(mutex_);
    auto& box = mail_[{from, to, tag}];
    arrived_.wait(lock, [&] { return !box.empty() || gone_ == from; });
    if (box.empty()) throw base::CommunicationError("rank " + std::to_string(from) + " is gone");
    std::string message = std::move(box.front());
    box.pop_front();
    return message;
  }

  /// Nothing more will come from this rank.
  void lose(int rank) {
    const std::lock_guard lock(mutex_);
    gone_ = rank;
    arrived_.notify_all();
  }

 private:
  std::vector<std::vector<double>> contributions_;
  std::barrier<> barrier_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::tuple<int, int, int>, std::deque<std::string>> mail_;
  int gone_ = -1;
};

class InProcess : public base::Communicator {
 public:
  InProcess(Machine& machine, int rank) : machine_(machine), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return machine_.size(); }
  void sum(std::span<double> values) override { machine_.sum(rank_, values); }
  void send(int to, int tag, std::string_view message) override { machine_.send(rank_, to, tag, message); }
  std::string receive(int from, int tag) override { return machine_.receive(from, rank_, tag); }

 private:
  Machine& machine_;
  int rank_;
};

/// body(communicator) on every rank at the same time; the first exception of any rank is rethrown. A rank that throws
/// while others wait for it hangs, as it would without mpirun.
inline void on_ranks(int ranks, const std::function<void(base::Communicator&)>& body) {
  Machine machine(ranks);
  std::exception_ptr failure;
  std::mutex failure_mutex;
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] {
        InProcess communicator(machine, rank);
        try {
          body(communicator);
        } catch (...) {
          const std::lock_guard lock(failure_mutex);
          if (!failure) failure = std::current_exception();
        }
      });
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace attnlaw::test
