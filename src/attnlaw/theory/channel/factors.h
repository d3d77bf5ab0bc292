#pragma once
/// L D Lᵀ factors of symmetric matrices, kLanes side by side, and what proximal points need of them.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "attnlaw/theory/channel/pack.h"

namespace attnlaw::theory {

/// Index of entry (i, j ≤ i) in a symmetric matrix stored by lower rows.
constexpr int lower_index(int i, int j) { return i * (i + 1) / 2 + j; }

/// Storage for r numbers per lane: on the stack where r is known at compile time (r > 0), so that small problems
/// unroll.
template <int r>
struct PackArray : std::array<Pack, static_cast<std::size_t>(r)> {
  explicit PackArray(int /*size*/) {}
};
template <>
struct PackArray<0> : std::vector<Pack> {
  explicit PackArray(int size) : std::vector<Pack>(static_cast<std::size_t>(size)) {}
};

/// A number that is part of its type.
template <int n>
using Constant = std::integral_constant<int, n>;

/// Loops over sizes up to this are written out; the build may say that code is to be shorter (explorer/CMakeLists.txt).
#ifdef ATTNLAW_MOST_WRITTEN_OUT
constexpr int kMostWrittenOut = ATTNLAW_MOST_WRITTEN_OUT;
#else
constexpr int kMostWrittenOut = 10;
#endif

/// Four tokens have a class of their own if the loops over their ten scores are written out.
constexpr bool kFourTokensApart = lower_index(4, 0) <= kMostWrittenOut;

/// A size as a part of its type where that is known and small enough for loops over it to be written out.
template <int kSize>
constexpr auto size_of(int runtime) {
  if constexpr (kSize > 0 && kSize <= kMostWrittenOut)
    return Constant<kSize>{};
  else
    return runtime;
}

/// Runs body(i) for begin ≤ i < end. Where both are part of their types so is i, and no loop is left.
template <class Begin, class End, class Body>
[[gnu::always_inline]] constexpr void for_range(Begin begin, End end, const Body& body) {
  if constexpr (std::is_same_v<Begin, int> || std::is_same_v<End, int>) {
    for (int i = begin; i < end; ++i) body(i);
  } else if constexpr (Begin::value < End::value) {
    body(begin);
    for_range(Constant<Begin::value + 1>{}, end, body);
  }
}

/// i + 1, as a part of its type where i is.
template <class Index>
constexpr auto after(Index i) {
  if constexpr (std::is_same_v<Index, int>)
    return i + 1;
  else
    return Constant<Index::value + 1>{};
}

/// Says which coordinates of a symmetric matrix are coupled: the first `apart()` not among themselves, neither in M nor
/// in L; coordinate `first` of these with `other` of the rest where coupled(first, other) says so; the rest all.
template <class Coupling>
concept CoordinateCoupling = requires(const Coupling& coupling, int first, int other) {
  coupling.apart();
  { coupling.coupled(first, other) } -> std::same_as<bool>;
};

/// No coordinates stand apart.
struct AllCoupled {
  static constexpr Constant<0> apart() { return {}; }
  static constexpr bool coupled(int /*first*/, int /*other*/) { return false; }
};

/// Σ a_k b_k over begin ≤ k < end. A sum of many terms is made in parts, which need not wait for each other.
template <class Begin, class End>
[[gnu::always_inline]] inline Pack product_sum(const Pack* a, const Pack* b, Begin begin, End end) {
  if constexpr (std::is_same_v<End, int>) {
    constexpr int kParts = 4;
    std::array<Pack, kParts> parts;
    int k = begin;
    for (; k + kParts <= end; k += kParts)
      for (int part = 0; part < kParts; ++part) parts[static_cast<std::size_t>(part)] += a[k + part] * b[k + part];
    for (; k < end; ++k) parts[0] += a[k] * b[k];
    return (parts[0] + parts[1]) + (parts[2] + parts[3]);
  } else {
    Pack sum = 0;
    for_range(
        begin, end, [&](auto k) __attribute__((always_inline)) { sum += a[k] * b[k]; });
    return sum;
  }
}

/// The factors of a symmetric matrix M = L D Lᵀ per lane, in place: L of unit diagonal below, 1/D on the diagonal.
/// Returns the lanes whose matrix is not safely positive definite; their factors are to be ignored.
///
/// Entries of coordinates that are not coupled must be 0 in M; they cost nothing.
template <class Matrix, class Size, CoordinateCoupling Coupling = AllCoupled>
[[gnu::always_inline]] inline Mask factorise(Matrix& matrix, Size dimension, const Coupling& coupling = {}) {
  constexpr double kSafePivot = 1e-12;
  const auto row = [&matrix](int i) __attribute__((always_inline)) { return matrix.data() + lower_index(i, 0); };
  const auto apart = coupling.apart();
  Mask bad = Pack(0) < Pack(0);
  const auto invert = [&bad](Pack & diagonal, Pack pivot) __attribute__((always_inline)) {
    const Pack floor = kSafePivot * max(diagonal, Pack(kSafePivot));
    bad = bad | (pivot <= floor);
    diagonal = 1 / max(pivot, floor);
  };
  for_range(
      Constant<0>{}, apart, [&](auto j) __attribute__((always_inline)) { invert(row(j)[j], row(j)[j]); });
  // Row j holds L D until column j has its turn.
  for_range(
      apart, dimension, [&](auto j) __attribute__((always_inline)) {
        Pack* const mine = row(j);
        Pack pivot = mine[j];
        const auto finish = [&](int k) __attribute__((always_inline)) {
          const Pack scaled = mine[k];
          mine[k] = scaled * row(k)[k];
          pivot -= scaled * mine[k];
        };
        for_range(
            Constant<0>{}, apart, [&](auto k) __attribute__((always_inline)) {
              if (!coupling.coupled(k, j)) return;
              finish(k);
              for_range(
                  after(j), dimension, [&](auto i) __attribute__((always_inline)) {
                    if (coupling.coupled(k, i)) row(i)[j] -= row(i)[k] * mine[k];
                  });
            });
        for_range(apart, j, finish);
        invert(mine[j], pivot);
        for_range(
            after(j), dimension, [&](auto i) __attribute__((always_inline)) {
              row(i)[j] -= product_sum(row(i), mine, apart, j);
            });
      });
  return bad;
}

/// Solves M x = b in place, M from factorise().
template <class Matrix, class Size, CoordinateCoupling Coupling = AllCoupled>
[[gnu::always_inline]] inline void solve_factorised(const Matrix& factors, Size dimension, Pack* x,
                                                    const Coupling& coupling = {}) {
  const auto row = [&factors](int i) __attribute__((always_inline)) { return factors.data() + lower_index(i, 0); };
  const auto apart = coupling.apart();
  for_range(
      apart, dimension, [&](auto i) __attribute__((always_inline)) {
        for_range(
            Constant<0>{}, apart, [&](auto k) __attribute__((always_inline)) {
              if (coupling.coupled(k, i)) x[i] -= row(i)[k] * x[k];
            });
        x[i] -= product_sum(row(i), x, apart, i);
      });
  for_range(
      Constant<0>{}, dimension, [&](auto i) __attribute__((always_inline)) { x[i] *= row(i)[i]; });
  for_range(
      apart, dimension, [&](auto place) __attribute__((always_inline)) {
        const int i = dimension - 1 - (place - apart);
        for_range(
            Constant<0>{}, apart, [&](auto k) __attribute__((always_inline)) {
              if (coupling.coupled(k, i)) x[k] -= row(i)[k] * x[i];
            });
        for_range(
            apart, dimension, [&](auto k) __attribute__((always_inline)) {
              if (k < i) x[k] -= row(i)[k] * x[i];
            });
      });
}

/// The factors of H + 1/V, H the Hessian of a loss, which is positive definite at a proximal point; and the lanes where
/// rounding hides that: folds, of measure zero.
template <class Matrix>
struct Stiffened {
  const Matrix& factors;
  Mask fold;
};

/// Makes `matrix`, the Hessian on entry, these factors. Most are at hand when they are asked for, so that one copy of
/// this code is enough.
template <class Matrix, class Size, CoordinateCoupling Coupling = AllCoupled>
[[gnu::noinline]] Stiffened<Matrix> stiffen(Matrix& matrix, Size dimension, double V, const Coupling& coupling = {}) {
  const double stiffness = 1 / V;
  for (int k = 0; k < dimension; ++k) matrix[static_cast<std::size_t>(lower_index(k, k))] += stiffness;
  const Mask fold = factorise(matrix, dimension, coupling);
  return {matrix, fold};
}

/// Squares of the entries of (1 + VH)⁻¹H = (1 − (H + 1/V)⁻¹/V)/V per lane, summed over blocks: the first `symmetric`
/// coordinates and the rest. A fold counts as 0.
template <class Matrix, CoordinateCoupling Coupling = AllCoupled>
std::array<std::array<Pack, 2>, 2> squared_responses(const Stiffened<Matrix>& at, int dimension, int symmetric,
                                                     double V, const Coupling& coupling = {}) {
  const double stiffness = 1 / V;
  std::vector<Pack> column(static_cast<std::size_t>(dimension));
  std::array<std::array<Pack, 2>, 2> sums{};
  for (int j = 0; j < dimension; ++j) {
    std::fill(column.begin(), column.end(), Pack(0));
    column[static_cast<std::size_t>(j)] = 1;
    solve_factorised(at.factors, dimension, column.data(), coupling);
    for (int i = 0; i < dimension; ++i) {
      const Pack entry = stiffness * ((i == j ? 1 : 0) - stiffness * column[static_cast<std::size_t>(i)]);
      sums[i < symmetric ? 0 : 1][j < symmetric ? 0 : 1] += select(at.fold, 0, entry * entry);
    }
  }
  return sums;
}

/// The diagonal of (1 + VH)⁻¹H per lane, summed over the first `symmetric` coordinates and over the rest: the response
/// −tr ∂g/∂ω of a proximal point. `column` is room for one. A fold counts as 0.
template <class Matrix, class Vector, class Size, CoordinateCoupling Coupling = AllCoupled>
[[gnu::always_inline]] inline std::array<Pack, 2> responses(const Stiffened<Matrix>& at_point, Vector& column,
                                                            Size dimension, int symmetric, double V,
                                                            const Coupling& coupling = {}) {
  const auto row = [&at_point](int i) __attribute__((always_inline)) {
    return at_point.factors.data() + lower_index(i, 0);
  };
  const auto apart = coupling.apart();
  // With M = H + 1/V = L D Lᵀ, (M⁻¹)_ii = Σ_k (L⁻¹)_ki²/D_k.
  const double stiffness = 1 / V;
  std::array<Pack, 2> sums{};
  const auto add = [&](int i, Pack inverse) __attribute__((always_inline)) {
    sums[i < symmetric ? 0 : 1] += select(at_point.fold, 0, stiffness * (1 - stiffness * inverse));
  };
  Pack* const at = column.data();
  for_range(
      Constant<0>{}, apart, [&](auto i) __attribute__((always_inline)) {
        Pack inverse = row(i)[i];
        for_range(
            apart, dimension, [&](auto k) __attribute__((always_inline)) {
              at[k] = -product_sum(row(k), at, apart, k);
              if (coupling.coupled(i, k)) at[k] -= row(k)[i];
              inverse += at[k] * at[k] * row(k)[k];
            });
        add(i, inverse);
      });
  for_range(
      apart, dimension, [&](auto i) __attribute__((always_inline)) {
        Pack inverse = row(i)[i];
        at[i] = 1;
        for_range(
            after(i), dimension, [&](auto k) __attribute__((always_inline)) {
              at[k] = -product_sum(row(k), at, i, k);
              inverse += at[k] * at[k] * row(k)[k];
            });
        add(i, inverse);
      });
  return sums;
}

}  // namespace attnlaw::theory
