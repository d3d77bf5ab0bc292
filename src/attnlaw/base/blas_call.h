#pragma once
/// Stands before every call of BLAS and LAPACK where the system may refuse address space; for the files of base that
/// make such calls.

#include <shared_mutex>

namespace attnlaw::base {

/// A call of BLAS or LAPACK: stands before it, in the same scope. Throws std::bad_alloc where the call would wait for
/// memory for ever.
class BlasCall {
 public:
  BlasCall();

 private:
  std::shared_lock<std::shared_mutex> lock_;
};

}  // namespace attnlaw::base
