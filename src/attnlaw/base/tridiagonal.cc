#include "attnlaw/base/tridiagonal.h"

#include <fmt/format.h>
#include <lapacke.h>

#include <stdexcept>

namespace attnlaw::base {

std::vector<double> tridiagonal_eigenvalues(std::span<const double> diagonal, std::span<const double> off) {
  if (diagonal.empty() || off.size() + 1 != diagonal.size())
    throw std::invalid_argument(fmt::format("a tridiagonal matrix has {} entries on its diagonal and {} beside it",
                                            diagonal.size(), off.size()));
  std::vector<double> values(diagonal.begin(), diagonal.end()), beside(off.begin(), off.end());
  const auto order = static_cast<lapack_int>(values.size());
  const lapack_int info = LAPACKE_dsterf(order, values.data(), beside.data());
  if (info != 0)
    throw std::runtime_error(fmt::format("LAPACK dsterf failed on a matrix of order {} (info {})", order, info));
  return values;
}

}  // namespace attnlaw::base
