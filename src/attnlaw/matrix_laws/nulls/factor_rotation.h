#pragma once
/// Nulls that keep both factors as they are and turn one against the other inside the head space (N2: W_Q → O W_Q with
/// a uniform orthogonal O; N2s: a random signed permutation of the rows). They ask whether queries and keys are matched
/// beyond what their spectra imply (docs/theory/query_key_nulls.md, section 4).

#include <Eigen/Core>
#include <complex>
#include <cstdint>

#include "attnlaw/matrix_laws/nulls/bartlett_table.h"

namespace attnlaw::matrix_laws {

/// Mean, variance and third cumulant of a statistic under its null.
struct Cumulants {
  double mean = 0;
  double variance = 0;
  double third = 0;
};

/// Of the energy ‖S‖² = Tr(G_Q Oᵀ G_K O) for the eigenvalues a, b of both m×m Gram matrices, exactly; the third is 0
/// for m < 3, where it is not defined by the formula.
Cumulants rotated_energy(const Eigen::VectorXd& a, const Eigen::VectorXd& b);

/// Of the energy under a uniform signed permutation of the rows of one factor, mean and variance exactly; the third is
/// 0.
Cumulants permuted_energy(const Eigen::MatrixXd& query_gram, const Eigen::MatrixXd& key_gram);

/// Returns P(X ≥ value) of the Pearson III law with these cumulants (a shifted gamma law; normal without skewness).
double pearson_tail(const Cumulants& null, double value);
/// Returns the p-value of a value on either side: twice the smaller tail of that law, at least kLeastPValue.
double two_sided_pearson(const Cumulants& null, double value);
/// Tells whether a value lies on the short side of a skew law, whose end that of Pearson III is not: of two factors
/// with a leading direction each, the energy is below its mean by far more than three moments tell (5 % of rotations
/// lie where Pearson III has 15 %, and 0.1 % beyond its end).
bool short_tail(const Cumulants& null, double value);
/// The limit law of s² under N2 ends at the position x₊, where its transform is w.
struct RotatedEdge {
  double position = 0;
  double transform = 0;
};
RotatedEdge rotated_edge(const Eigen::VectorXd& a, const Eigen::VectorXd& b);

/// Returns w(x) = x G(x) − 1 of that law at a complex x off the real line, by subordination.
std::complex<double> rotated_transform(const Eigen::VectorXd& a, const Eigen::VectorXd& b, std::complex<double> x);

/// What the rotations of one head are compared with.
struct RotatedFigures {
  double largest_square = 0;  ///< s₁²
  double energy = 0;
  bool below = false;  ///< rotations count whose energy is at most, not at least, that of the head
};
/// How many rotations reach the figures; each is counted as far as it asks (see Exceedances), and not at all where it
/// asks for no draws.
struct RotationCounts {
  Exceedances largest, energy;
};
/// Goes on with the counts until none is open: one rotation answers for both. a, b: eigenvalues of both Gram matrices.
/// The draws of different heads (`head` < 2^22) are independent.
RotationCounts count_rotations(const Eigen::VectorXd& a, const Eigen::VectorXd& b, const RotatedFigures& measured,
                               RotationCounts counts, std::uint64_t seed, std::uint64_t head);

/// How many of `draws` signed permutations of the rows have an energy at least, and at most, as given.
struct PermutationCounts {
  std::size_t above = 0, below = 0;
};
PermutationCounts count_permutations(const Eigen::MatrixXd& query_gram, const Eigen::MatrixXd& key_gram, double energy,
                                     std::size_t draws, std::uint64_t seed, std::uint64_t head);

}  // namespace attnlaw::matrix_laws
