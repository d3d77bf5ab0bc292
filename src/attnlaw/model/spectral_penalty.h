#pragma once
/// Penalties of eigenvalues that have a name (docs/theory/custom.md, section 3).

#include <memory>
#include <string>

#include "attnlaw/model/custom_penalty.h"

namespace attnlaw::model {

/// Specifications that are accepted, for messages and help.
inline constexpr const char* kSpectralPenalties = "trace, elastic:MU, frobenius, schatten:P or logdet:EPS";

/// A penalty of eigenvalues s of S, or of singular values: in λ d Σ p(s) + μ d Σ s²,
///
/// | specification | p(s) | convex |
/// |---|---|---|
/// | trace | |s| | yes |
/// | elastic:MU | |s|, and μ = MU whatever λ is | yes |
/// | frobenius | s² | yes |
/// | schatten:P | |s|^P, P > 0 | P ≥ 1 |
/// | logdet:EPS | log(1 + |s|/EPS), EPS > 0 | no |
///
/// Throws std::invalid_argument for anything else.
std::shared_ptr<const CustomPenalty> spectral_penalty(const std::string& specification);

/// Tells whether that penalty is convex; false of names that are no specification.
bool is_convex_penalty(const std::string& specification);

}  // namespace attnlaw::model
