#pragma once
/// Leaves OpenBLAS to the process as it was: where NumPy or torch share it (those of Debian do), the number of its
/// threads is theirs too.

namespace attnlaw::python {

/// While one of these lives, attnlaw may limit OpenBLAS to one thread (base::use_one_blas_thread). The last one to go
/// sets the number back that the first one found.
class BlasThreads {
 public:
  BlasThreads();
  ~BlasThreads();
  BlasThreads(const BlasThreads&) = delete;
  BlasThreads& operator=(const BlasThreads&) = delete;
};

}  // namespace attnlaw::python
