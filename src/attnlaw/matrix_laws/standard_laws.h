#pragma once
/// Closed-form laws.

#include "attnlaw/matrix_laws/law.h"

namespace attnlaw::matrix_laws {

/// Semicircle of variance a² > 0 around 0: support [−2a, 2a].
Law semicircle(double variance);

/// The law of a Wishart spectrum itself (docs/theory/erm.md, section 1): density on scale/√κ·[(1−√κ)², (1+√κ)²], an
/// atom of mass 1−κ at 0 if κ < 1. Throws std::invalid_argument unless scale is finite and > 0.
Law marchenko_pastur(const WishartSpectrum& wishart);

/// The law of a product spectrum itself: the density on both sides of 0, an atom of mass 1−κ at 0 if κ < 1. Where the
/// density reaches 0 (κ ≥ 1), the bands of both sides meet there. Throws std::invalid_argument unless scale is finite
/// and not 0.
Law product_law(const ProductSpectrum& product);

/// A spectrum as a law: Marchenko-Pastur, a product law, or atoms alone.
Law law_of(const Spectrum& spectrum);

}  // namespace attnlaw::matrix_laws
