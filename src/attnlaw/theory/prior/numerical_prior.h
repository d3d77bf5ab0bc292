#pragma once
/// Prior channel of untied self-attention, by sampled matrices (docs/theory/students.md).

#include <Eigen/Core>
#include <vector>

#include "attnlaw/base/matrix.h"
#include "attnlaw/theory/prior/denoiser.h"

namespace attnlaw::theory {

/// The students that a numerical prior has found, one per replicate: its next search starts there. It belongs to the
/// caller, who hands it on along a path of conjugates; empty at first, when searches start from S = 0.
struct PriorWorkspace {
  using Matrix = base::Matrix<double>;
  struct Student {
    Matrix matrix;
    Eigen::VectorXd singular_values;
  };
  std::vector<Student> students;

  /// Those of all students together, ascending.
  std::vector<double> singular_values() const;
};

/// The student argmin_S (V̂_s/4)‖S_s − M_s/V̂_s‖² + (V̂_a/4)‖S_a − M_a/V̂_a‖² + λ‖S‖_*, with S_s and S_a the symmetric and
/// antisymmetric part of S, M_s = m̂ S* + √q̂_s GOE and M_a = √q̂_a A. For V̂_s ≠ V̂_a it is no spectral function of any
/// matrix, and no law of it is known: the problem is solved on matrices of finite size, drawn once, with noise made
/// orthogonal to S* and normalised.
class NumericalPrior final : public Denoiser {
 public:
  enum class Approximation {
    none,      ///< the minimiser itself
    isotropic  ///< V̂_s in place of V̂_a: one singular-value threshold (its error: docs/theory/students.md)
  };

  /// S* has the eigenvalues of `target` at equally spaced quantiles, and its second moment; λ > 0; matrices of the
  /// given dimension ≥ 2.
  NumericalPrior(const matrix_laws::Spectrum& target, double lambda, int dimension,
                 Approximation approximation = Approximation::none);

  /// Sampled matrices; as many as a sampled output channel has point sets.
  static constexpr int kReplicates = 8;
  int replicates() const override { return kReplicates; }

  /// For the target it was made for. Without a workspace every search starts from S = 0.
  Result evaluate(const matrix_laws::Spectrum& target, const Conjugates& conjugates, int replicate = kAll,
                  PriorWorkspace* workspace = nullptr) const override;

  int dimension() const { return static_cast<int>(target_.size()); }

 private:
  using Matrix = PriorWorkspace::Matrix;
  using Student = PriorWorkspace::Student;
  /// Of one replicate, ‖·‖²_F = dimension; the symmetric one orthogonal to S*.
  struct Noise {
    Matrix symmetric, antisymmetric;
  };

  /// Replaces S by its singular-value threshold.
  static void threshold(double level, Student& student);
  void minimise(const Matrix& pull, const Conjugates& conjugates, Student& student) const;
  Result evaluate_one(const Conjugates& conjugates, const Noise& noise, Student& student) const;

  double lambda_;
  Approximation approximation_;
  Eigen::VectorXd target_;  ///< eigenvalues of S*
  std::vector<Noise> noise_;
};

}  // namespace attnlaw::theory
