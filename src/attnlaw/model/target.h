#pragma once
/// Specifies targets: the matrix S* whose attention map labels the sequences. It is symmetric except for products.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "attnlaw/matrix_laws/spectrum.h"

namespace attnlaw::model {

/// S* = W* W*ᵀ / √(r d), W* ∈ R^{d×r} with iid N(0,1) entries, κ* = r/d.
struct WishartTarget {
  double kappa = 0.5;
};

/// S* = W_Q* W_K*ᵀ / √(r d), W_Q*, W_K* ∈ R^{d×r} with iid N(0,1) entries, κ* = r/d; for cross-attention, Q* = 1.
struct ProductTarget {
  double kappa = 0.5;
};

/// D eigenvalues √D i^{−γ} / (Σ_{j≤cutoff} j^{−2γ})^{1/2} for i = 1..cutoff, zero for cutoff < i ≤ D; Q* = 1.
struct PowerLawTarget {
  double gamma = 1;
  std::size_t dimension = 0;
  std::size_t cutoff = 0;  ///< the dimension unless given
};

/// D eigenvalues: the listed ones, all others zero.
struct SpikesTarget {
  std::size_t dimension = 0;
  std::vector<double> spikes;
};

/// Which of its values stand for a matrix S*: those of self-attention, or those of cross-attention.
enum class MatrixValues { eigenvalues, singular_values };

/// The eigenvalues in a file (file_target.h): a column of them, or those of a matrix.
struct FileTarget {
  std::string path;
  std::vector<double> eigenvalues;
  /// Of the arithmetic that the numbers come from, as their digits tell: that of float or of double.
  double precision = 0;
  std::optional<MatrixValues> of_matrix = {};
};

/// A target S*, given by its eigenvalues alone, as data and students are rotation invariant in law. With
/// cross-attention singular values take the place of eigenvalues in all that follows.
class Target {
 public:
  /// Is wishart:0.5 by default.
  Target();

  /// Parses `wishart:KAPPA`, `product:KAPPA`, `powerlaw:GAMMA,D[,CUTOFF]`, `spikes:D,s1,s2,…` or `file:PATH` (the file
  /// is read here; of a matrix in it these values are taken). Throws std::invalid_argument that names the value and
  /// what is accepted, and base::FileError if a file cannot be read.
  static Target parse(const std::string& spec, MatrixValues of_matrix = MatrixValues::eigenvalues);

  /// Returns the specification, such that parse(spec()) gives the same target.
  std::string spec() const;

  /// Returns the limiting law of S*, or the D atoms of a discrete target. The law of a product is that of its singular
  /// values and their negatives.
  const matrix_laws::Spectrum& spectrum() const { return spectrum_; }

  /// Returns the parameters of a power law; null for other targets.
  const PowerLawTarget* power_law() const { return std::get_if<PowerLawTarget>(&kind_); }

  /// Tell S* = W Wᵀ, which only self-attention takes, from S* = W_Q W_Kᵀ, which only cross-attention takes.
  bool is_wishart() const { return std::holds_alternative<WishartTarget>(kind_); }
  bool is_product() const { return std::holds_alternative<ProductTarget>(kind_); }

  /// Returns which values of the matrix in a file these are; nothing for every other target.
  std::optional<MatrixValues> of_matrix() const;

  /// Returns Q* = lim Tr(S*²)/d.
  double Q_star() const { return spectrum_.second_moment(); }

  /// Returns a sentence on how eigenvalues of a file were counted, empty where nothing needs to be said: numbers of
  /// single precision that are equal up to its rounding are one eigenvalue.
  std::string note() const;
  /// Returns a sentence where eigenvalues of a file, counted as different, would be equal in single precision, and the
  /// data that fix the target would then be fewer; else nothing.
  std::string doubt() const;

  /// Returns the d eigenvalues, descending, of the S* of one instance: those of a Wishart matrix (or the singular
  /// values of a product) drawn from (seed, instance), or those of a discrete target, each d/D times. Throws
  /// std::invalid_argument if round(κ* d) < 1 or if d is not a multiple of D.
  std::vector<double> eigenvalues(std::size_t d, std::uint64_t seed, std::uint64_t instance) const;

  /// Returns the memory in bytes that eigenvalues() takes for this d, as a double, which cannot overflow.
  double bytes_needed(std::size_t d) const;

  /// Throws what eigenvalues() would throw for this d.
  void require_dimension(std::size_t d) const;

 private:
  using Kind = std::variant<WishartTarget, ProductTarget, PowerLawTarget, SpikesTarget, FileTarget>;
  explicit Target(Kind kind);

  Kind kind_;
  matrix_laws::Spectrum spectrum_;
};

}  // namespace attnlaw::model
