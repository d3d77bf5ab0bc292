#pragma once
/// Replaces atoms that a semicircle blurs into one another by few atoms that it cannot tell from them.

#include "attnlaw/matrix_laws/spectrum.h"

namespace attnlaw::matrix_laws {

/// Returns a spectrum μ̃ whose law of S + aZ, a² = variance > 0, is that of μ to rounding.
///
/// The law is read from sums over atoms at points w where Σ weight/|w − s|² ≤ 1/a². A group of atoms of weight W within
/// r of its centre c alone has to obey that, so |w − c| ≥ a√W − r: where r ≤ a√W/4, w is never closer than three radii.
/// There 1/(w − s) is a polynomial of degree 23 in s but for (3 + √8)^−24 < 1e-18 of it, and the Gauss rule of twelve
/// nodes integrates that exactly: it takes the place of the group. Its weights are positive, so that μ̃ is a spectrum
/// like any other, of the same mass, mean and second moment.
DiscreteSpectrum merged_atoms(const DiscreteSpectrum& spectrum, double variance);

}  // namespace attnlaw::matrix_laws
