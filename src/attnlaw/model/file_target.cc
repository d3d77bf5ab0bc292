#include "attnlaw/model/file_target.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <mutex>
#include <utility>

#include "attnlaw/base/index.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/number_array.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/matrix_laws/optimal_denoiser.h"

namespace attnlaw::model {
namespace {

using base::reject;
using Matrix = base::Matrix<double>;

/// The width of what an eigenvalue solver of single precision leaves of equal eigenvalues, over the largest.
constexpr double kSingleScatter = 10 * kSinglePrecision;

/// Tells whether eigenvalues are those of a computation in single precision that were scaled or written with other
/// digits later: they stand in groups as narrow as its rounding and far from each other, so many of them together that
/// it matters. Small eigenvalues that are meant to differ, as those of a power law, have no gap around them.
bool single_precision_groups(const std::vector<double>& values) {
  constexpr double kGap = 10;  // widths
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const double width = kSingleScatter * std::max(std::abs(sorted.front()), std::abs(sorted.back()));
  for (auto first = sorted.begin(); first != sorted.end();) {
    const auto end = std::find_if(first, sorted.end(), [&](double value) { return value - *first > width; });
    const bool scattered = *std::prev(end) != *first;
    const bool has_near_next = end != sorted.end() && *end - *std::prev(end) < kGap * width;
    const bool has_near_last = first != sorted.begin() && *first - *std::prev(first) < kGap * width;
    if (scattered && (has_near_next || has_near_last)) return false;
    first = end;
  }
  return share_of_merging(matrix_laws::Spectrum::from_eigenvalues(values),
                          matrix_laws::Spectrum::from_eigenvalues(values, kSinglePrecision)) > kTellingShare;
}

/// Symmetrises what differs from its transpose by rounding alone, as of products of floats.
Matrix symmetric(const std::string& path, const Matrix& S) {
  constexpr double kRounding = 1e-5;  // of the largest entry
  const double accepted = kRounding * S.cwiseAbs().maxCoeff();
  for (Eigen::Index i = 0; i < S.rows(); ++i) {
    for (Eigen::Index j = 0; j < i; ++j) {
      if (std::abs(S(i, j) - S(j, i)) > accepted)
        reject(
            "{}: the matrix of a target must be symmetric with attention = self, got S[{},{}] = {} and S[{},{}] = {}; "
            "attention = cross takes any square matrix, by its singular values",
            path, j + 1, i + 1, S(j, i), i + 1, j + 1, S(i, j));
    }
  }
  return 0.5 * S + 0.5 * S.transpose();
}

std::vector<double> decomposed(const std::string& path, Matrix S, MatrixValues of_matrix) {
  const auto size = static_cast<std::size_t>(S.rows());
  if (of_matrix == MatrixValues::eigenvalues) S = symmetric(path, S);
  base::use_one_blas_thread();
  return of_matrix == MatrixValues::eigenvalues ? base::symmetric_eigenvalues(base::entries(S), size)
                                                : base::singular_values(base::entries(S), size, size);
}

/// A matrix that was decomposed.
struct Decomposed {
  Matrix matrix;
  MatrixValues of_matrix;
  std::vector<double> values;
};

/// Returns the values of a matrix; those of the last few are known, as a study asks for its target once for each point.
std::vector<double> values_of(const std::string& path, const Matrix& S, MatrixValues of_matrix) {
  constexpr std::size_t kKept = 2;
  static std::mutex mutex;
  static std::deque<Decomposed> known;
  const auto find = [&]() -> const Decomposed* {
    const auto same = [&](const Decomposed& one) {
      return one.of_matrix == of_matrix && one.matrix.rows() == S.rows() && one.matrix == S;
    };
    const auto found = std::find_if(known.begin(), known.end(), same);
    return found == known.end() ? nullptr : &*found;
  };
  {
    const std::scoped_lock lock(mutex);
    if (const Decomposed* one = find()) return one->values;
  }
  Decomposed one{S, of_matrix, decomposed(path, S, of_matrix)};
  const std::scoped_lock lock(mutex);
  // Another thread may have been as fast with the same matrix.
  if (const Decomposed* other = find()) return other->values;
  if (known.size() == kKept) known.pop_front();
  return known.emplace_back(std::move(one)).values;
}

}  // namespace

bool single_precision(std::span<const double> values) {
  // Of decimals with more digits than a float has, about 3 % are those of a float by chance.
  constexpr int kEnough = 3;
  int telling = 0;
  for (const double value : values) {
    const double rounded = static_cast<float>(value);
    if (value != rounded && value != base::number_in<double>(fmt::format("{:.9g}", rounded))) return false;
    if (telling < kEnough) telling += value != base::number_in<double>(fmt::format("{:.7g}", value));
  }
  return telling >= kEnough;
}

double share_of_merging(const matrix_laws::Spectrum& spectrum, const matrix_laws::Spectrum& merged) {
  const double free = 1 - matrix_laws::atom_collision(spectrum), fewer = 1 - matrix_laws::atom_collision(merged);
  return free > 0 ? (free - fewer) / free : 0;
}

double rounding_of(const FileTarget& target) {
  const auto [least, largest] = std::minmax_element(target.eigenvalues.begin(), target.eigenvalues.end());
  return kSingleScatter * std::max(std::abs(*least), std::abs(*largest));
}

FileTarget target_of_array(const std::string& path, std::span<const double> entries, std::size_t rows,
                           std::size_t columns, MatrixValues of_matrix) {
  FileTarget target{path, {entries.begin(), entries.end()}, std::numeric_limits<double>::epsilon()};
  if (single_precision(target.eigenvalues) || (columns == 1 && single_precision_groups(target.eigenvalues)))
    target.precision = kSinglePrecision;
  if (columns == 1) return target;
  if (columns != rows)
    reject("{}: a target is one column of {} or a square matrix, got {} x {} numbers", path,
           of_matrix == MatrixValues::eigenvalues ? "eigenvalues" : "singular values", rows, columns);
  target.of_matrix = of_matrix;
  target.eigenvalues =
      values_of(path, Eigen::Map<const Matrix>(entries.data(), base::index(rows), base::index(rows)), of_matrix);
  return target;
}

FileTarget read_file_target(const std::string& path, MatrixValues of_matrix) {
  if (path.empty()) reject("target must be file:PATH with a path, got 'file:'");
  base::NumberArray array =
      base::read_number_array(path, "one finite eigenvalue per line, or the rows of a square matrix");
  if (array.inner > 0) reject("{}: a target has one or two axes, got an array of three", path);
  return target_of_array(path, base::entries(array.values), static_cast<std::size_t>(array.values.rows()),
                         static_cast<std::size_t>(array.values.cols()), of_matrix);
}

}  // namespace attnlaw::model
