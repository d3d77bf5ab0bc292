#pragma once
/// Reads targets from files and from matrices in memory.

#include <cstddef>
#include <limits>
#include <span>
#include <string>

#include "attnlaw/matrix_laws/spectrum.h"
#include "attnlaw/model/target.h"

namespace attnlaw::model {

/// Of numbers that are those of floats.
inline constexpr double kSinglePrecision = std::numeric_limits<float>::epsilon();

/// Tells whether all numbers are those of floats, written in full or in the nine digits that tell floats apart.
bool single_precision(std::span<const double> values);

/// The distance within which an eigenvalue solver of single precision leaves equal eigenvalues.
double rounding_of(const FileTarget& target);

/// How many fewer parameters data have to fix, as a share of all, where eigenvalues are merged; and from where on that
/// is worth a word.
double share_of_merging(const matrix_laws::Spectrum& spectrum, const matrix_laws::Spectrum& merged);
inline constexpr double kTellingShare = 1e-3;

/// Takes a row-major rows×columns array for a target S*. One column is a list of eigenvalues, as it is; a square matrix
/// is S* itself, in the normalisation of docs/conventions.md (entries of variance of order 1/D, Q* = ‖S*‖²_F/D), and
/// gives its D eigenvalues, for which it must be symmetric up to 1e-5 of its largest entry, or its D singular values.
/// The values of a matrix are kept: the same one, asked for again, costs no decomposition. `path` is the name in
/// messages and in the result. Throws std::invalid_argument for any other array.
FileTarget target_of_array(const std::string& path, std::span<const double> entries, std::size_t rows,
                           std::size_t columns, MatrixValues of_matrix);

/// Reads a file of NumPy's format or of lines of numbers (base/number_array.h) and takes it for a target as above.
/// Throws std::invalid_argument with path and place for other content, base::FileError if it cannot be read.
FileTarget read_file_target(const std::string& path, MatrixValues of_matrix);

}  // namespace attnlaw::model
