#include "attnlaw/base/blas_call.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <cstddef>
#include <fstream>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "attnlaw/base/interrupt.h"

// OpenBLAS exports its own allocation of buffers; another BLAS has none.
extern "C" {
[[gnu::weak]] void* blas_memory_alloc(int);
[[gnu::weak]] void blas_memory_free(void*);
}

namespace attnlaw::base {

bool address_space_is_limited() {
  static const bool limited = [] {
    const auto finite = [](auto resource) {
      rlimit limit{};
      return getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    };
    int overcommit = 0;
    std::ifstream("/proc/sys/vm/overcommit_memory") >> overcommit;
    return finite(RLIMIT_AS) || finite(RLIMIT_DATA) || overcommit == 2;
  }();
  return limited;
}

namespace {

/// The buffers of OpenBLAS 0.3: one for each call at work, 128 MiB of address space on x86-64, kept when it is done.
/// Where it is refused one it asks again for ever, so that there must be one for each thread before it calls.
class BlasBuffers {
 public:
  static BlasBuffers& instance() {
    static BlasBuffers buffers;
    return buffers;
  }

  /// No call is at work while a thread that holds it alone adds a buffer.
  std::shared_mutex mutex;

  /// Makes sure of a buffer for one more thread; throws std::bad_alloc if the system has no room for it.
  void add_thread() {
    const std::unique_lock lock(mutex);
    if (mapped_ == threads_) map_one_more();
    ++threads_;
  }
  void remove_thread() {
    const std::unique_lock lock(mutex);
    --threads_;
  }

 private:
  /// Takes all buffers at once and a further one, so that this is a new one.
  void map_one_more() {
    std::vector<void*> taken;
    const auto release = [&] {
      for (void* buffer : taken) blas_memory_free(buffer);
    };
    for (std::size_t i = 0; i <= mapped_; ++i) {
      if (!there_is_room()) {
        release();
        throw std::bad_alloc();
      }
      if (blas_memory_alloc) taken.push_back(blas_memory_alloc(0));
    }
    release();
    ++mapped_;
  }

  static bool there_is_room() {
    void* room = mmap(nullptr, kBlasBuffer, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return room != MAP_FAILED && munmap(room, kBlasBuffer) == 0;
  }

  std::size_t threads_ = 0, mapped_ = 0;
};

/// A thread that has a buffer.
struct BlasThread {
  BlasThread() { BlasBuffers::instance().add_thread(); }
  ~BlasThread() { BlasBuffers::instance().remove_thread(); }
  BlasThread(const BlasThread&) = delete;
  BlasThread& operator=(const BlasThread&) = delete;
};

}  // namespace

BlasCall::BlasCall() {
  check_interrupt();
  if (!address_space_is_limited()) return;
  thread_local const BlasThread thread;
  lock_ = std::shared_lock(BlasBuffers::instance().mutex);
}

}  // namespace attnlaw::base
