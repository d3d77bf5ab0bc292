#pragma once
/// Stands before every call of BLAS and LAPACK where the system may refuse address space, or somebody has pressed
/// Ctrl-C; for the files of base that make such calls.

#include <cstddef>
#include <shared_mutex>

namespace attnlaw::base {

/// The address space of a buffer of OpenBLAS, of which every thread that calls it has one.
inline constexpr std::size_t kBlasBuffer = std::size_t{128} << 20;

/// Tells whether the system may refuse address space: by `ulimit -v` or `-d`, or because it grants no more than there
/// is.
bool address_space_is_limited();

/// A call of BLAS or LAPACK: stands before it, in the same scope. Throws std::bad_alloc where the call would wait for
/// memory for ever, Interrupted where check_interrupt() does.
class BlasCall {
 public:
  BlasCall();

 private:
  std::shared_lock<std::shared_mutex> lock_;
};

}  // namespace attnlaw::base
