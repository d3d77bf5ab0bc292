#pragma once
/// One softmax row of T independent scores, of which the first may have another variance: a row of cross-attention, or
/// the first row of symmetric scores (docs/theory/losses.md).

#include <algorithm>
#include <cmath>
#include <vector>

#include "attnlaw/theory/channel/row_losses.h"
#include "attnlaw/theory/channel/row_starts.h"

namespace attnlaw::theory {

/// The row sees its scores up to a shift: T − 1 coordinates with h_b − h_1 = (Lζ)_b, LLᵀ = I + v 11ᵀ, where v = Var h_1
/// / Var h_b: 1 with cross-attention, 2 of symmetric scores. kTokens = 0: T known at run time.
template <int kTokens, RowLoss Loss>
class SingleRow {
 public:
  static constexpr bool kGeneral = false;
  static constexpr bool kConvex = Loss::kConvex;
  static constexpr int kDimension = kTokens > 0 ? kTokens - 1 : 0;
  using Label = PackArray<kTokens>;

  SingleRow(int tokens, double first_variance, double beta, double target_beta, LabelLaw law = LabelLaw::outputs)
      : runtime_tokens_(tokens), first_variance_(first_variance), beta_(beta), target_beta_(target_beta), law_(law) {
    // Cholesky's factor of I + v 11ᵀ: below the diagonal of column k all entries are equal.
    double rest = first_variance;
    for (int k = 0; k < dimension(); ++k) {
      diagonal_.push_back(std::sqrt(1 + rest));
      below_.push_back(rest / diagonal_.back());
      rest /= 1 + rest;
    }
  }

  /// The same rows with another loss.
  template <RowLoss Other>
  SingleRow<kTokens, Other> with() const {
    return {tokens(), first_variance_, beta_, target_beta_, law_};
  }

  int dimension() const { return tokens() - 1; }
  int symmetric_dimension() const { return dimension(); }
  int sampled_dimension() const { return dimension(); }
  void embed(const Pack* sampled, Pack* zeta) const { std::copy(sampled, sampled + dimension(), zeta); }

  Label make_label() const { return Label(tokens()); }
  /// The probabilities of the row.
  void label(const Pack* zeta, Label& y) const {
    SoftmaxRow<kTokens> row(tokens());
    set_scores(zeta, target_beta_, row.scores());
    row.exponentiate();
    row.normalise();
    std::copy(row.scores(), row.scores() + tokens(), y.begin());
  }
  /// How many labels a field may have.
  int outcomes() const { return law_ == LabelLaw::sampled ? tokens() : 1; }
  /// Makes y the k-th label of a field with these outputs, and returns its probability.
  Pack outcome(int k, const Label& outputs, Label& y) const {
    y = outputs;
    return law_ == LabelLaw::sampled ? draw(k, tokens(), y.data()) : Pack(1);
  }

  Pack value(const Label& y, const Pack* zeta) const {
    Row row(tokens());
    set_scores(zeta, beta_, row.scores());
    row.evaluate(y.data());
    return row.value();
  }

  /// A softmax saturates within a few 1/β.
  double reach() const { return Loss::kReach / beta_; }
  /// Of losses that are not convex no bound is known: never certain.
  static Mask certain(const Label&, Pack, double) { return kConvex ? Pack(0) < Pack(1) : Pack(1) < Pack(0); }
  int further_starts(const Label& y) const { return starts_of_rows(*this, y, 0); }
  static constexpr int kAlwaysTried = kStartsAlongFit;
  void further_start(int i, const SearchFrom<Label>& from, Pack* zeta) const { start_of_rows(*this, i, from, zeta); }
  static constexpr int rows() { return 1; }
  int keys() const { return tokens(); }
  static const Pack* label_of(const Label& y, int) { return y.data(); }
  RowScores<kTokens> scores(int, const Pack* zeta) const {
    RowScores<kTokens> row(tokens());
    set_scores(zeta, beta_, row.x.data());
    for (int b = 0; b < tokens(); ++b) row.variance[index(b)] = b == 0 ? first_variance_ : 1;
    return row;
  }
  /// Solves Lζ = (x_b − x_1)/β.
  void set_scores(int, const RowScores<kTokens>& row, Pack* zeta) const {
    Pack earlier = 0;
    for (int k = 0; k < dimension(); ++k) {
      zeta[k] = ((1 / beta_) * (row.x[index(k + 1)] - row.x[0]) - earlier) * (1 / diagonal_[index(k)]);
      earlier += below_[index(k)] * zeta[k];
    }
  }

  /// Column k of L takes the derivatives with respect to score k + 1 and, all at one weight, to the later ones.
  template <Curvature which = Curvature::hessian>
  void expand(const Label& y, const Pack* zeta, Expansion<kDimension>& at) const {
    Row row(tokens());
    set_scores(zeta, beta_, row.scores());
    row.evaluate(y.data());
    at.value = row.value();
    Pack later = 0;
    for (int k = dimension() - 1; k >= 0; --k) {
      at.gradient[index(k)] = beta_ * (diagonal_[index(k)] * row.gradient(k + 1) + below_[index(k)] * later);
      later += row.gradient(k + 1);
    }
    pull_back([&](int c, int e) { return curvature<which>(row, c, e); }, at.hessian);
  }

 private:
  using Row = typename Loss::template Row<kTokens>;

  int tokens() const { return kTokens > 0 ? kTokens : runtime_tokens_; }
  static std::size_t index(int k) { return static_cast<std::size_t>(k); }

  void set_scores(const Pack* zeta, double beta, Pack* scores) const {
    Pack earlier = 0;
    scores[0] = 0;
    for (int k = 0; k < dimension(); ++k) {
      scores[k + 1] = beta * (earlier + diagonal_[index(k)] * zeta[k]);
      earlier += below_[index(k)] * zeta[k];
    }
  }

  /// β² Lᵀ A L, of A first A L by columns, as sums over later scores, then Lᵀ (A L).
  template <class Entry>
  void pull_back(const Entry& entry, typename Expansion<kDimension>::Matrix& matrix) const {
    for (int l = 0; l < dimension(); ++l) {
      Pack later = 0;
      for (int k = dimension() - 1; k >= l; --k) {
        Pack column = diagonal_[index(l)] * entry(k + 1, l + 1);
        for (int e = l + 1; e < dimension(); ++e)
          column += below_[index(l)] * (k >= e ? entry(k + 1, e + 1) : entry(e + 1, k + 1));
        matrix[index(lower_index(k, l))] = beta_ * beta_ * (diagonal_[index(k)] * column + below_[index(k)] * later);
        later += column;
      }
    }
  }

  int runtime_tokens_;
  double first_variance_;
  double beta_;
  double target_beta_;
  LabelLaw law_;
  std::vector<double> diagonal_, below_;
};

}  // namespace attnlaw::theory
