#pragma once
/// Families of laws that the tables go through: ordinary and extreme parameters of S + aZ.

#include <string>
#include <vector>

#include "attnlaw/matrix_laws/spectrum.h"
#include "table.h"

namespace attnlaw::accuracy {

/// A law of S + aZ, and how to write it down.
struct LawCase {
  matrix_laws::Spectrum spectrum;
  double variance = 1;
  std::string name;
};

struct Family {
  std::string name;
  std::vector<LawCase> cases;
};

/// Every kind of spectrum, from noise that hides it to noise that hardly touches it, and bands about to merge.
std::vector<Family> families(double effort);

}  // namespace attnlaw::accuracy
