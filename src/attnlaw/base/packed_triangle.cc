#include "attnlaw/base/packed_triangle.h"

#include <lapacke.h>

#include <stdexcept>

#include "attnlaw/base/blas_call.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::base {

void PackedTriangle::solve(std::span<double> b) {
  if (b.size() != n_) reject("the right side of {0} equations must have {0} entries, got {1}", n_, b.size());
  const BlasCall call;
  const auto n = static_cast<lapack_int>(n_);
  lapack_int info = LAPACKE_dpftrf(LAPACK_COL_MAJOR, 'N', 'L', n, entries_.data());
  if (info == 0) info = LAPACKE_dpftrs(LAPACK_COL_MAJOR, 'N', 'L', n, 1, entries_.data(), b.data(), n);
  if (info != 0)
    throw std::runtime_error(
        fmt::format("a matrix of order {} is not positive definite to rounding (LAPACK info {})", n_, info));
}

}  // namespace attnlaw::base
