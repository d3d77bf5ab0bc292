#pragma once
/// Builds laws that have a closed form.

#include "attnlaw/matrix_laws/law.h"

namespace attnlaw::matrix_laws {

/// Returns the semicircle of variance a² around 0, with support [−2a, 2a]. Throws std::invalid_argument unless variance
/// is finite and > 0.
Law semicircle(double variance);

/// Returns the law of a Wishart spectrum itself (docs/theory/erm.md, section 1): a density on scale/√κ·[(1−√κ)²,
/// (1+√κ)²], and an atom of mass 1−κ at 0 if κ < 1. Throws std::invalid_argument unless scale is finite and > 0.
Law marchenko_pastur(const WishartSpectrum& wishart);

/// Returns the law of a product spectrum itself: a density on both sides of 0, and an atom of mass 1−κ at 0 if κ < 1.
/// For κ ≥ 1 the bands of both sides meet at 0. Throws std::invalid_argument unless scale is finite and not 0.
Law product_law(const ProductSpectrum& product);

/// Returns the law of a spectrum: Marchenko-Pastur, a product law, or atoms alone.
Law law_of(const Spectrum& spectrum);

}  // namespace attnlaw::matrix_laws
