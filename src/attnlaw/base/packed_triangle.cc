#include "attnlaw/base/packed_triangle.h"

#include <lapacke.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "attnlaw/base/apart.h"
#include "attnlaw/base/blas_call.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::base {

void PackedTriangle::solve(std::span<double> b) {
  if (b.size() != n_) reject("the right side of {0} equations must have {0} entries, got {1}", n_, b.size());
  // The factorisation takes minutes where there are many equations, so that it owns what it works on.
  struct Work {
    std::vector<double> entries, right_side;
    lapack_int info = 0;
  };
  const auto work = std::make_shared<Work>(Work{std::move(entries_), {b.begin(), b.end()}});
  const auto n = static_cast<lapack_int>(n_);
  call_apart([work, n] {
    const BlasCall call;
    work->info = LAPACKE_dpftrf(LAPACK_COL_MAJOR, 'N', 'L', n, work->entries.data());
    if (work->info == 0)
      work->info = LAPACKE_dpftrs(LAPACK_COL_MAJOR, 'N', 'L', n, 1, work->entries.data(), work->right_side.data(), n);
  });
  entries_ = std::move(work->entries);
  std::copy(work->right_side.begin(), work->right_side.end(), b.begin());
  const lapack_int info = work->info;
  if (info != 0)
    throw std::runtime_error(
        fmt::format("a matrix of order {} is not positive definite to rounding (LAPACK info {})", n_, info));
}

}  // namespace attnlaw::base
