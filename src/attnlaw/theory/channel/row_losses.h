#pragma once
/// Losses of one softmax row p = σ(x), x = β times the scores of the row, against its label y, kLanes points at a time
/// (docs/theory/losses.md). Each is written twice: for a row of two scores, as a function of x = β(h₁ − h₂), and for
/// any number of scores.

#include <algorithm>
#include <concepts>

#include "attnlaw/theory/channel/proximal.h"

namespace attnlaw::theory {

/// s(x) = 1/(1 + e^{−x}).
inline Pack logistic(Pack x) {
  constexpr double kSaturated = 700;  // exp stays finite
  return 1 / (1 + exp(min(-x, Pack(kSaturated))));
}

/// Outputs are flat beyond so many logits: the spring pulls a start of a search from out there over any valley on its
/// way.
inline constexpr double kFoothold = 3;

/// How labels are made of a field (docs/theory/losses.md).
enum class LabelLaw {
  outputs,  ///< the probabilities of the rows themselves
  sampled   ///< one-hot rows drawn with these probabilities: a sum over all of them
};

/// The k-th one-hot label of a row of probabilities y, in place; returns its probability.
inline Pack draw(int k, int tokens, Pack* y) {
  const Pack probability = y[k];
  std::fill(y, y + tokens, Pack(0));
  y[k] = 1;
  return probability;
}

/// A loss of a row of two scores and its derivatives in x; `gauss_newton` is a curvature ≥ 0.
struct LogisticPoint {
  Pack value, slope, curvature, gauss_newton;
};

/// A row of any number of scores: they go into scores(), evaluate(y) makes them probabilities; then value() and
/// derivatives with respect to them.
template <class Row>
concept EvaluatedRow = requires(Row row, const Row& done, const Pack* y, int c, int e) {
  { row.scores() } -> std::same_as<Pack*>;
  row.evaluate(y);
  { done.value() } -> std::same_as<Pack>;
  { done.gradient(c) } -> std::same_as<Pack>;
  { done.hessian(c, e) } -> std::same_as<Pack>;
  { done.gauss_newton(c, e) } -> std::same_as<Pack>;
};

/// A loss of one row. Row<kTokens> has so many scores; 0: known at run time.
template <class Loss>
concept RowLoss = requires(Pack y, Pack x) {
  { Loss::kConvex } -> std::convertible_to<bool>;   // in the scores, for every label
  { Loss::kReach } -> std::convertible_to<double>;  // longest first step towards a proximal point, in units of 1/β
  // w of a loss that is w(y₁ − p₁)² for two scores, 0 of a convex one (LogisticFeatures::certain).
  { Loss::kWeight } -> std::convertible_to<double>;
  { Loss::at(y, x) } -> std::same_as<LogisticPoint>;  // of two scores
  requires EvaluatedRow<typename Loss::template Row<0>>;
};

/// Either curvature of a row.
template <Curvature which, EvaluatedRow Row>
Pack curvature(const Row& row, int c, int e) {
  if constexpr (which == Curvature::hessian)
    return row.hessian(c, e);
  else
    return row.gauss_newton(c, e);
}

/// weight·(y − s(x))².
inline LogisticPoint squared_logistic(Pack y, Pack x, double weight) {
  const Pack s = logistic(x), residual = s - y, ds = s * (1 - s);
  const Pack slope = 2 * weight * residual * ds, gauss = 2 * weight * ds * ds;
  return {weight * residual * residual, slope, gauss + slope * (1 - 2 * s), gauss};
}

/// What the rows of all losses share: the scores, then the probabilities.
template <int kTokens>
class SoftmaxRow {
 public:
  explicit SoftmaxRow(int tokens) : runtime_tokens_(tokens), p_(tokens) {}
  Pack* scores() { return p_.data(); }

  /// Scores to their exponentials, times the same number for all.
  void exponentiate() {
    Pack largest = -1e300;
    for (int b = 0; b < tokens(); ++b) largest = max(largest, p(b));
    for (int b = 0; b < tokens(); ++b) p(b) = exp(p(b) - largest);
  }
  /// These to probabilities.
  void normalise() {
    Pack sum = 0;
    for (int b = 0; b < tokens(); ++b) sum += p(b);
    const Pack inverse = 1 / sum;
    for (int b = 0; b < tokens(); ++b) p(b) *= inverse;
  }

 protected:
  int tokens() const { return kTokens > 0 ? kTokens : runtime_tokens_; }
  Pack& p(int b) { return p_[static_cast<std::size_t>(b)]; }
  const Pack& p(int b) const { return p_[static_cast<std::size_t>(b)]; }

 private:
  int runtime_tokens_;
  PackArray<kTokens> p_;
};

/// ‖y − p‖².
struct SquareLoss {
  static constexpr bool kConvex = false;
  static constexpr double kReach = 1;
  static constexpr double kWeight = 2;  ///< both entries of the row
  static LogisticPoint at(Pack y, Pack x) { return squared_logistic(y, x, kWeight); }

  /// With r = p − y, P = diag p − ppᵀ, w = p∘r, R = Σ w and Q = Σ p²: gradient 2(w − Rp), Gauss-Newton part 2P², other
  /// curvature 2(diag(w − Rp) − wpᵀ − pwᵀ + 2Rppᵀ). Both are diag + pbᵀ + bpᵀ: of 2P² b = p∘(Q − 2p), of the rest
  /// 2(Rp − w).
  template <int kTokens>
  class Row : public SoftmaxRow<kTokens> {
   public:
    explicit Row(int tokens) : SoftmaxRow<kTokens>(tokens), w_(tokens), bend_(tokens) {}

    void evaluate(const Pack* y) {
      this->exponentiate();
      evaluate_exponentials(y);
    }
    /// The same where scores() has exponentials of the scores, times any number.
    void evaluate_exponentials(const Pack* y) {
      this->normalise();
      value_ = total_ = square_ = 0;
      for (int b = 0; b < this->tokens(); ++b) {
        const Pack residual = this->p(b) - y[b];
        value_ += residual * residual;
        w(b) = this->p(b) * residual;
        total_ += w(b);
        square_ += this->p(b) * this->p(b);
      }
      const Pack level = square_ + 2 * total_;
      for (int b = 0; b < this->tokens(); ++b)
        bend_[static_cast<std::size_t>(b)] = this->p(b) * (level - 2 * this->p(b)) - 2 * w(b);
    }
    Pack value() const { return value_; }
    Pack gradient(int c) const { return 2 * tilt(c); }
    Pack gauss_newton(int c, int e) const {
      const Pack off = this->p(c) * this->p(e) * (square_ - this->p(c) - this->p(e));
      return 2 * (c == e ? off + this->p(c) * this->p(c) : off);
    }
    Pack hessian(int c, int e) const {
      const Pack off = this->p(c) * bend(e) + bend(c) * this->p(e);
      return c == e ? off + 2 * (this->p(c) * this->p(c) + tilt(c)) : off;
    }

   private:
    Pack tilt(int c) const { return w(c) - total_ * this->p(c); }
    Pack& w(int b) { return w_[static_cast<std::size_t>(b)]; }
    const Pack& w(int b) const { return w_[static_cast<std::size_t>(b)]; }
    const Pack& bend(int b) const { return bend_[static_cast<std::size_t>(b)]; }

    PackArray<kTokens> w_, bend_;
    Pack value_, total_, square_;
  };
};

/// (y₁ − p₁)², of the first entry alone.
struct EntryLoss {
  static constexpr bool kConvex = false;
  static constexpr double kReach = 1;
  static constexpr double kWeight = 1;
  static LogisticPoint at(Pack y, Pack x) { return squared_logistic(y, x, kWeight); }

  /// With a = p₁ and v = e₁ − p: ∇a = a v, ∇²a = a (v vᵀ − diag p + ppᵀ).
  template <int kTokens>
  class Row : public SoftmaxRow<kTokens> {
   public:
    using SoftmaxRow<kTokens>::SoftmaxRow;

    void evaluate(const Pack* y) {
      this->exponentiate();
      evaluate_exponentials(y);
    }
    void evaluate_exponentials(const Pack* y) {
      this->normalise();
      residual_ = this->p(0) - y[0];
    }
    Pack value() const { return residual_ * residual_; }
    Pack gradient(int c) const { return 2 * residual_ * this->p(0) * v(c); }
    Pack gauss_newton(int c, int e) const { return 2 * this->p(0) * this->p(0) * v(c) * v(e); }
    Pack hessian(int c, int e) const {
      const Pack off = v(c) * v(e) + this->p(c) * this->p(e);
      return gauss_newton(c, e) + 2 * residual_ * this->p(0) * (c == e ? off - this->p(c) : off);
    }

   private:
    Pack v(int c) const { return c == 0 ? 1 - this->p(0) : -this->p(c); }
    Pack residual_;
  };
};

/// −Σ_b y_b log p_b, by log-sum-exp: a sum of terms ≥ 0 that keeps its relative accuracy where it is small.
struct CrossEntropyLoss {
  static constexpr bool kConvex = true;
  static constexpr double kReach = 5;  ///< one valley; full steps overshoot where the loss is straight
  static constexpr double kWeight = 0;

  static LogisticPoint at(Pack y, Pack x) {
    // One exponential for both: softplus(x) = max(x, 0) + log(1 + e^{−|x|}).
    const Pack e = exp(-abs(x)), inverse = 1 / (1 + e), small = e * inverse, log_sum = log1p(e);
    const Pack s = select(x < Pack(0), small, inverse), curvature = small * inverse;
    const Pack value = y * (max(-x, Pack(0)) + log_sum) + (1 - y) * (max(x, Pack(0)) + log_sum);
    return {value, s - y, curvature, curvature};
  }

  template <int kTokens>
  class Row : public SoftmaxRow<kTokens> {
   public:
    explicit Row(int tokens) : SoftmaxRow<kTokens>(tokens), y_(tokens) {}

    void evaluate(const Pack* y) {
      Pack largest = -1e300;
      for (int b = 0; b < this->tokens(); ++b) largest = max(largest, this->p(b));
      // Σ_b exp(x_b − max x) is 1 for a largest score and `others`.
      Pack others = 0, ties = -1, below = 0;
      for (int b = 0; b < this->tokens(); ++b) {
        const Pack gap = largest - this->p(b);
        const Mask is_largest = gap <= Pack(0);
        below += y[b] * gap;
        this->p(b) = exp(-gap);
        ties += select(is_largest, 1, 0);
        others += select(is_largest, 0, this->p(b));
        y_[static_cast<std::size_t>(b)] = y[b];
      }
      others += ties;
      const Pack inverse = 1 / (1 + others);
      for (int b = 0; b < this->tokens(); ++b) this->p(b) *= inverse;
      value_ = below + log1p(others);
    }
    Pack value() const { return value_; }
    Pack gradient(int c) const { return this->p(c) - y_[static_cast<std::size_t>(c)]; }
    Pack gauss_newton(int c, int e) const { return hessian(c, e); }
    Pack hessian(int c, int e) const {
      const Pack off = -this->p(c) * this->p(e);
      return c == e ? off + this->p(c) : off;
    }

   private:
    PackArray<kTokens> y_;
    Pack value_;
  };
};

}  // namespace attnlaw::theory
