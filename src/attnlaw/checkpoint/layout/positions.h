#pragma once
/// How models tell positions apart.

#include <span>
#include <string>

#include "attnlaw/base/names.h"

namespace attnlaw::checkpoint {

/// How a model tells positions apart. The scheme sets the spectrum that a trained head has by default.
enum class Positions { unknown, none, learned, sinusoidal, rotary, relative, alibi };
std::span<const base::Named<Positions>> names_table(Positions);

/// Rotary positions: plane j turns by offset · base^(−2j/dimensions).
struct Rotary {
  double base = 10000;
  /// How many leading coordinates of a head turn; the others do not. Zero without rotary positions.
  int dimensions = 0;
  /// Plane j has the coordinates 2j and 2j + 1; otherwise j and j + dimensions/2.
  bool interleaved = false;
  /// Why the planes turn by other angles than these, as where frequencies are scaled; empty: they do not.
  std::string other_angles = {};
};

}  // namespace attnlaw::checkpoint
