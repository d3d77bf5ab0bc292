#pragma once
/// Noise that a student fits while its penalty vanishes (docs/theory/scaling.md, penalties beside the edge).

namespace attnlaw::theory {

/// What is fitted of the noise of labels where nothing else is: E_bulk/(Δ + E₀) = e/(A − e), at the threshold τ of the
/// semicircle at which A(τ) = ∫ (x − τ)₊ x ρ has the value that the data ask for; e(τ) = ∫ (x − τ)₊² ρ. `data` is α
/// over that of the peak of interpolation, α K_eff = 1/4 of a tied student, where it is 1 and A = 1/2.
struct FittedNoise {
  double share = 0;
  double exponent = 0;  ///< d log share/d log α; 2/5 for little data
};

/// Throws std::invalid_argument unless 0 < data < 1.
FittedNoise fitted_noise(double data);

}  // namespace attnlaw::theory
