#pragma once
/// Computes the law of S + aZ, the additive free convolution of a spectrum with a semicircle (Z a GOE matrix with
/// off-diagonal variance 1/d, spectrum [−2, 2]; docs/theory/erm.md, section 3).
///
/// ```cpp
/// #include <algorithm>
/// #include <cstdio>
/// #include <vector>
///
/// #include "attnlaw/matrix_laws/semicircle_sum.h"
///
/// // 95 % of the eigenvalues of S at 0, the others at 2, seen through noise of variance 0.2.
/// std::vector<double> eigenvalues(100, 0.0);
/// std::fill_n(eigenvalues.begin(), 5, 2.0);
/// const auto S = attnlaw::matrix_laws::Spectrum::from_eigenvalues(eigenvalues);
/// const attnlaw::matrix_laws::Law law = attnlaw::matrix_laws::semicircle_sum(S, 0.2);
/// std::printf("%zu bands, E x² = %.3f, density at 0 %.3f\n", law.bands().size(), law.second_moment(), law.density(0));
/// for (const auto& outlier : attnlaw::matrix_laws::outliers(law, S, 0.2))
///   std::printf("%.1f is seen at %.3f, overlap %.3f\n", outlier.target, outlier.eigenvalue, outlier.overlap);
/// ```

#include <limits>
#include <vector>

#include "attnlaw/matrix_laws/law.h"
#include "attnlaw/matrix_laws/spectrum.h"

namespace attnlaw::matrix_laws {

/// Returns the law of S + aZ for a² = variance > 0. Discrete spectra take Biane's parametrisation with sums over atoms,
/// Wishart and product spectra the cubic and the quartic of their Stieltjes transforms. Throws std::invalid_argument
/// unless variance is finite and > 0.
///
/// For a discrete spectrum, only the bands up to the first gap above `resolve_up_to` are resolved; the mass of the
/// others is Law::unresolved_mass(). Thousands of isolated eigenvalues above a threshold then cost nothing.
Law semicircle_sum(const Spectrum& spectrum, double variance,
                   double resolve_up_to = std::numeric_limits<double>::infinity());

/// Returns the same law by Biane's parametrisation for every spectrum: the reference for the closed forms.
Law semicircle_sum_biane(const Spectrum& spectrum, double variance,
                         double resolve_up_to = std::numeric_limits<double>::infinity());

/// An isolated eigenvalue of S that stays visible outside the bulk of S + aZ.
struct Outlier {
  double target = 0;      ///< eigenvalue of S
  double eigenvalue = 0;  ///< the eigenvalue of S + aZ that it shows at
  double overlap = 0;     ///< squared overlap of its eigenvector with that of S, in (0, 1]
};

/// Says what a law describes: eigenvalues, or singular values and their negatives.
enum class Values { eigenvalues, singular_values };

/// Returns, ascending, the atoms s of a discrete spectrum that are visible beside the law of all the others,
/// variance·∫μ(dt)/(s−t)² < 1, and stand in a band of `law`, the law of S + aZ, that holds no more than 5 % of all
/// eigenvalues; nothing for a spectrum that is not discrete. Of singular values it returns positive atoms, each seen
/// beside the law of all others and their negatives; their overlap is that of the left singular vectors, and also of
/// the right ones.
std::vector<Outlier> outliers(const Law& law, const Spectrum& spectrum, double variance,
                              Values values = Values::eigenvalues);

}  // namespace attnlaw::matrix_laws
