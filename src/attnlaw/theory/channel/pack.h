#pragma once
/// Several sample points side by side: arithmetic of one point, carried out on all lanes at once.

#include <Eigen/Core>
#include <cstddef>

namespace attnlaw::theory {

/// As many as a register holds, which the build knows (src/attnlaw/CMakeLists.txt).
#ifdef ATTNLAW_LANES
constexpr int kLanes = ATTNLAW_LANES;
#else
constexpr int kLanes = 4;
#endif

/// Where registers are shorter, compilers align a vector to one of those: packs would lie elsewhere in the memory of a
/// program than in that of a library for another processor.
constexpr std::size_t kPackAlignment = kLanes * sizeof(double);

/// One truth value per lane (all bits set, or none).
struct alignas(kPackAlignment) Mask {
  using Vector = long long __attribute__((vector_size(kLanes * sizeof(long long))));
  Vector lanes;

  friend Mask operator&(Mask a, Mask b) { return {a.lanes & b.lanes}; }
  friend Mask operator|(Mask a, Mask b) { return {a.lanes | b.lanes}; }
  friend Mask operator!(Mask a) { return {~a.lanes}; }
  bool any() const {
    long long all = 0;
    for (int i = 0; i < kLanes; ++i) all |= lanes[i];
    return all != 0;
  }
};

struct alignas(kPackAlignment) Pack {
  using Vector = double __attribute__((vector_size(kLanes * sizeof(double))));
  Vector lanes;

  Pack() : lanes{} {}
  Pack(double value) : lanes(Vector{} + value) {}  // NOLINT(google-explicit-constructor)
  explicit Pack(Vector value) : lanes(value) {}

  friend Pack operator+(Pack a, Pack b) { return Pack(a.lanes + b.lanes); }
  friend Pack operator-(Pack a, Pack b) { return Pack(a.lanes - b.lanes); }
  friend Pack operator*(Pack a, Pack b) { return Pack(a.lanes * b.lanes); }
  friend Pack operator/(Pack a, Pack b) { return Pack(a.lanes / b.lanes); }
  friend Pack operator-(Pack a) { return Pack(-a.lanes); }
  Pack& operator+=(Pack b) { return *this = *this + b; }
  Pack& operator-=(Pack b) { return *this = *this - b; }
  Pack& operator*=(Pack b) { return *this = *this * b; }
  friend Mask operator<(Pack a, Pack b) { return {a.lanes < b.lanes}; }
  friend Mask operator<=(Pack a, Pack b) { return {a.lanes <= b.lanes}; }
  friend Mask operator>(Pack a, Pack b) { return {a.lanes > b.lanes}; }

  double sum() const {
    double total = 0;
    for (int i = 0; i < kLanes; ++i) total += lanes[i];
    return total;
  }
};

static_assert(alignof(Pack) == sizeof(Pack) && alignof(Mask) == sizeof(Pack));

inline Pack select(Mask condition, Pack yes, Pack no) { return Pack(condition.lanes ? yes.lanes : no.lanes); }
inline Pack max(Pack a, Pack b) { return select(a < b, b, a); }
inline Pack min(Pack a, Pack b) { return select(b < a, b, a); }

inline Pack abs(Pack a) { return max(a, -a); }

/// A function of Eigen's arrays, which work in vector registers. Inlined, as all of a point's arithmetic: a call costs
/// as much as half of an exponential.
template <class Function>
[[gnu::always_inline]] inline Pack map_lanes(Pack a, Function function) {
  Eigen::Array<double, kLanes, 1> values;
  for (int i = 0; i < kLanes; ++i) values[i] = a.lanes[i];
  values = function(values);
  Pack result;
  for (int i = 0; i < kLanes; ++i) result.lanes[i] = values[i];
  return result;
}

[[gnu::always_inline]] inline Pack exp(Pack a) {
  return map_lanes(a, [](const auto& values) { return values.exp(); });
}

[[gnu::always_inline]] inline Pack log(Pack a) {
  return map_lanes(a, [](const auto& values) { return values.log(); });
}

/// log(1 + a), a ≥ 0, to full relative accuracy: the rounding of 1 + a divides out.
inline Pack log1p(Pack a) {
  const Pack sum = 1 + a, rounded = sum - 1;
  const Mask vanishes = rounded <= Pack(0);
  return select(vanishes, a, log(sum) * a / select(vanishes, 1, rounded));
}

[[gnu::always_inline]] inline Pack sqrt(Pack a) {
  Pack result;
  for (int i = 0; i < kLanes; ++i) result.lanes[i] = __builtin_sqrt(a.lanes[i]);
  return result;
}

}  // namespace attnlaw::theory
