#include "blas_threads.h"

#include <cblas.h>

#include <mutex>

namespace attnlaw::python {
namespace {

std::mutex mutex;
int alive = 0, before = 1;

}  // namespace

BlasThreads::BlasThreads() {
  const std::lock_guard lock(mutex);
  if (alive++ == 0) before = openblas_get_num_threads();
}

BlasThreads::~BlasThreads() {
  const std::lock_guard lock(mutex);
  if (--alive == 0 && openblas_get_num_threads() != before) openblas_set_num_threads(before);
}

}  // namespace attnlaw::python
