/// Implements base::Communicator over MPI. The program loads this module at run time (communicator_loader.h).

#include "attnlaw/cluster/mpi_module.h"

#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace attnlaw::cluster {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

/// So many signs of life are sent per silence limit that losing some to a busy machine does no harm.
constexpr int kBeatsPerLimit = 10;
constexpr int kBeatTag = 0;
/// Farewells are exchanged at the end, on the communicator of the signs of life.
constexpr int kFarewellTag = 1;
constexpr std::string_view kAllWell = "well", kOneLost = "without Finalize";
/// The most numbers that are summed at a time, 1 GiB, are well within the counts of MPI.
constexpr std::size_t kMostNumbers = std::size_t(1) << 27;
/// Sums are short and many, and MPI advances them only when asked: for this long a waiting thread just yields.
constexpr Seconds kEager{0.02};

/// Paces a thread that waits: it only yields for `eager`, then pauses 50 µs, growing to 1 ms.
class Patience {
 public:
  explicit Patience(Seconds eager) : eager_end_(Clock::now() + std::chrono::duration_cast<Clock::duration>(eager)) {}

  void pause() {
    if (Clock::now() < eager_end_) {
      sched_yield();
      return;
    }
    std::this_thread::sleep_for(pause_);
    pause_ = std::min<std::chrono::microseconds>(2 * pause_, kLongest);
  }

 private:
  static constexpr std::chrono::microseconds kShortest{50}, kLongest{1000};

  Clock::time_point eager_end_;
  std::chrono::microseconds pause_ = kShortest;
};

std::string described(int error) {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(error, text, &length);
  return {text, static_cast<std::size_t>(length)};
}

/// Everything that waits polls, and leaves MPI to other threads in between (MPI_THREAD_SERIALIZED). Rank 0 and every
/// other rank exchange signs of life, because MPI does not tell of a peer that is gone: a kill -9 under `mpirun
/// --enable-recovery` leaves the others without any error (Open MPI 4.1.4).
class MpiCommunicator : public base::Communicator {
 public:
  explicit MpiCommunicator(double silence_limit) : silence_limit_(silence_limit) {
    int provided = MPI_THREAD_SINGLE;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "starting MPI");
    if (provided < MPI_THREAD_SERIALIZED)
      throw base::CommunicationError("this MPI serves one thread alone; one with MPI_THREAD_SERIALIZED is needed");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    // Messages and signs of life have communicators of their own, so that no tag and no sum meets a sign of life. Both
    // inherit the error handler.
    check(MPI_Comm_dup(MPI_COMM_WORLD, &messages_), "starting MPI");
    check(MPI_Comm_dup(MPI_COMM_WORLD, &beats_), "starting MPI");
    for (int peer = 0; peer < size_; ++peer)
      if (peer != rank_ && (peer == 0 || rank_ == 0)) watched_.push_back({peer});
    heart_ = std::jthread([this](const std::stop_token& stop) { beat(stop); });
  }

  ~MpiCommunicator() override {
    // MPI_Finalize waits for all, so it is not called when a peer is gone or an error ends this process. mpirun sees a
    // process that ends without it, and ends the others.
    const bool well = std::uncaught_exceptions() == 0 && all_end_well();
    heart_.request_stop();
    heart_.join();
    if (well) MPI_Finalize();
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void sum(std::span<double> values) override {
    for (; values.size() > kMostNumbers; values = values.subspan(kMostNumbers)) sum_some(values.first(kMostNumbers));
    sum_some(values);
  }

  void send(int to, int tag, std::string_view message) override { send(to, tag, message, messages_); }
  std::string receive(int from, int tag) override { return receive(from, tag, messages_); }

 private:
  /// A peer with which signs of life are exchanged.
  struct Watched {
    int rank = 0;
    Clock::time_point heard = Clock::now();
    MPI_Request beat = MPI_REQUEST_NULL;
    bool lost = false;
  };

  static void check(int error, const std::string& what) {
    if (error != MPI_SUCCESS) throw base::CommunicationError(what + " failed: " + described(error));
  }

  static int length_of(std::string_view message) {
    if (message.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()))
      return static_cast<int>(message.size());
    throw base::CommunicationError("a message of " + std::to_string(message.size()) +
                                   " bytes is too long: at most 2^31 - 1 can be sent");
  }

  void send(int to, int tag, std::string_view message, MPI_Comm among) {
    const int length = length_of(message);
    MPI_Request request =
        start(to, [&](MPI_Request& r) { return MPI_Isend(message.data(), length, MPI_BYTE, to, tag, among, &r); });
    await(request, to, Seconds(0));
  }

  std::string receive(int from, int tag, MPI_Comm among) {
    std::string message(static_cast<std::size_t>(await_length(from, tag, among)), '\0');
    MPI_Request request = start(from, [&](MPI_Request& r) {
      return MPI_Irecv(message.data(), static_cast<int>(message.size()), MPI_BYTE, from, tag, among, &r);
    });
    await(request, from, Seconds(0));
    return message;
  }

  /// Begins an operation with a peer, or with all (peer −1).
  template <class Operation>
  MPI_Request start(int peer, Operation operation) {
    const std::lock_guard lock(mutex_);
    require_alive(peer);
    MPI_Request request = MPI_REQUEST_NULL;
    check(operation(request), "a message");
    return request;
  }

  void await(MPI_Request& request, int peer, Seconds eager) {
    for (Patience patience(eager);; patience.pause()) {
      const std::lock_guard lock(mutex_);
      int done = 0;
      check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "a message");
      if (done) return;
      require_alive(peer);
    }
  }

  int await_length(int from, int tag, MPI_Comm among) {
    for (Patience patience(Seconds(0));; patience.pause()) {
      const std::lock_guard lock(mutex_);
      int there = 0, length = 0;
      MPI_Status status;
      check(MPI_Iprobe(from, tag, among, &there, &status), "waiting for rank " + std::to_string(from));
      if (there) {
        MPI_Get_count(&status, MPI_BYTE, &length);
        return length;
      }
      require_alive(from);
    }
  }

  /// Sums on rank 0, in an order that is always the same, and sends the sums from there to all: the same bits
  /// everywhere.
  void sum_some(std::span<double> values) {
    const int count = static_cast<int>(values.size());
    double* data = values.data();
    MPI_Request reduce = start(-1, [&](MPI_Request& r) {
      return MPI_Ireduce(rank_ == 0 ? MPI_IN_PLACE : data, rank_ == 0 ? data : nullptr, count, MPI_DOUBLE, MPI_SUM, 0,
                         messages_, &r);
    });
    await(reduce, -1, kEager);
    MPI_Request broadcast =
        start(-1, [&](MPI_Request& r) { return MPI_Ibcast(data, count, MPI_DOUBLE, 0, messages_, &r); });
    await(broadcast, -1, kEager);
  }

  /// Throws if this peer, or any watched one for −1, has been silent for too long; it then stays lost. The caller holds
  /// the mutex.
  void require_alive(int peer) {
    for (Watched& watched : watched_) {
      if (peer >= 0 && watched.rank != peer) continue;
      watched.lost = watched.lost || Clock::now() - watched.heard > silence_limit_;
      if (watched.lost)
        throw base::CommunicationError("rank " + std::to_string(watched.rank) + " is gone: no sign of life for " +
                                       std::to_string(static_cast<int>(silence_limit_.count())) + " seconds");
    }
  }

  /// Tells whether nobody is lost: every other rank tells rank 0 that it has come to its end, and hears from it whether
  /// all have. Otherwise a rank that watches rank 0 alone would wait in MPI_Finalize for one that is gone. The heart
  /// must still beat, so that nobody is lost by waiting here.
  bool all_end_well() {
    bool well = true;
    if (rank_ == 0)
      for (const Watched& watched : watched_) well = heard_from(watched.rank).has_value() && well;
    const std::string_view word = well ? kAllWell : kOneLost;
    for (const Watched& watched : watched_) well = tell(watched.rank, word) && well;
    if (rank_ != 0 && well) well = heard_from(0) == kAllWell;
    return well;
  }

  /// Returns the farewell of a peer; nothing if it is gone.
  std::optional<std::string> heard_from(int peer) try {
    return receive(peer, kFarewellTag, beats_);
  } catch (const base::CommunicationError&) {
    return std::nullopt;
  }

  bool tell(int peer, std::string_view farewell) try {
    send(peer, kFarewellTag, farewell, beats_);
    return true;
  } catch (const base::CommunicationError&) {
    return false;
  }

  void beat(const std::stop_token& stop) {
    std::condition_variable_any asleep;
    std::mutex sleep_mutex;
    std::unique_lock sleep_lock(sleep_mutex);
    while (!stop.stop_requested()) {
      exchange_beats();
      asleep.wait_for(sleep_lock, stop, silence_limit_ / kBeatsPerLimit, [] { return false; });
    }
  }

  void exchange_beats() {
    for (Watched& watched : watched_) {
      const std::lock_guard lock(mutex_);
      int sent = 1, there = 0;
      // A peer that does not listen has one unread sign of life at most.
      if (watched.beat != MPI_REQUEST_NULL) MPI_Test(&watched.beat, &sent, MPI_STATUS_IGNORE);
      if (sent) MPI_Isend(nullptr, 0, MPI_BYTE, watched.rank, kBeatTag, beats_, &watched.beat);
      MPI_Iprobe(watched.rank, kBeatTag, beats_, &there, MPI_STATUS_IGNORE);
      for (; there; MPI_Iprobe(watched.rank, kBeatTag, beats_, &there, MPI_STATUS_IGNORE)) {
        MPI_Recv(nullptr, 0, MPI_BYTE, watched.rank, kBeatTag, beats_, MPI_STATUS_IGNORE);
        watched.heard = Clock::now();
      }
    }
  }

  Seconds silence_limit_;
  int rank_ = 0, size_ = 1;
  MPI_Comm messages_ = MPI_COMM_NULL, beats_ = MPI_COMM_NULL;
  /// Guards MPI and watched_.
  std::mutex mutex_;
  std::vector<Watched> watched_;
  std::jthread heart_;
};

}  // namespace
}  // namespace attnlaw::cluster

extern "C" __attribute__((visibility("default"))) attnlaw::base::Communicator* attnlaw_mpi_communicator_1(
    double silence_limit) {
  return new attnlaw::cluster::MpiCommunicator(silence_limit);
}
