#pragma once
/// The null law of a single random factor W: the spectrum of W Wᵀ, which is also that of S = Wᵀ W where queries and
/// keys are tied.

#include "attnlaw/matrix_laws/spectrum.h"

namespace attnlaw::matrix_laws {

/// Returns [(1 − √β)², (1 + √β)²], the support of the m nonzero eigenvalues of Wᵀ W/(σ² d), β = m/d.
Interval tied_support(double beta);
/// Returns in closed form the mass of the m nonzero eigenvalues above x, in that unit.
double tied_mass_above(double beta, double x);
/// Returns the density of these eigenvalues, of mass 1.
double tied_density(double beta, double x);
/// Returns c² of W_K = c W_Q + √(1 − c²) W′ (equal variances) that gives τ = Tr S²/‖S‖². It is meant for τ in [0, 1].
double tie_coefficient(double beta, double tau);

}  // namespace attnlaw::matrix_laws
