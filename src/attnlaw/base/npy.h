#pragma once
/// Writes arrays as .npy files, the format of NumPy.

#include <cstddef>
#include <span>
#include <string>

namespace attnlaw::base {

/// Returns the bytes of a .npy file (version 1.0) with the rows×columns array of float64 whose columns lie one after
/// the other, as those of an Eigen matrix. Throws std::invalid_argument unless there are rows·columns values.
std::string npy_bytes(std::span<const double> values, std::size_t rows, std::size_t columns);

}  // namespace attnlaw::base
