#pragma once
/// All rows of the softmax of one sequence of T tokens as functions of whitened coordinates ζ (metric identity), kLanes
/// points at a time. Directions that the loss cannot see are left out of the sampled coordinates (docs/theory/erm.md,
/// section 4).

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "attnlaw/theory/channel/row_losses.h"
#include "attnlaw/theory/channel/row_starts.h"
#include "attnlaw/theory/channel/single_row.h"

namespace attnlaw::theory {

/// Any T ≥ 2 in the K = T(T+1)/2 normalised coordinates z_ab, h_ab = √(1+δ_ab) z_ab, first those of a = b: no row has
/// two of these, so that curvatures do not couple them. A common shift of all scores, the unit direction e_aa = 1/T,
/// e_ab = √2/T, is invisible: points are sampled in its orthogonal complement.
///
/// Scores of a general S (is_general) are not symmetric: h_ab = √(1+δ_ab) z_ab ± c z^a_ab with T(T−1)/2 further
/// coordinates, + for a > b. c is the scale of the antisymmetric coordinates, such that the same V serves all of them
/// (docs/theory/students.md). kTokens = 0: T known at run time.
template <int kTokens, bool is_general = false, RowLoss Loss = SquareLoss>
class SoftmaxRows {
 public:
  static constexpr bool kConvex = Loss::kConvex;
  static constexpr bool kGeneral = is_general;
  static constexpr int kDimension = is_general ? kTokens * kTokens : lower_index(kTokens, 0);
  using Label = PackArray<kTokens * kTokens>;  // T×T, row by row

  SoftmaxRows(int tokens, double beta, double target_beta, LabelLaw law = LabelLaw::outputs)
      : runtime_tokens_(tokens), beta_(beta), target_beta_(target_beta), law_(law) {
    // Householder reflection that maps the last axis to the invisible direction e: I − (e − a)(e − a)ᵀ/(1 − e·a).
    std::vector<double> invisible;
    for (int k = 0; k < symmetric_dimension(); ++k) invisible.push_back((k < tokens ? 1.0 : std::sqrt(2.0)) / tokens);
    if constexpr (kTokens == 0) pairs_ = fill(std::vector<std::uint64_t>(pair_count(tokens)), tokens);
    const double last = invisible.back();
    mirror_ = invisible;
    mirror_.back() -= 1;
    mirror_scale_ = 1 / (1 - last);
  }

  /// The same rows with another loss.
  template <RowLoss Other>
  SoftmaxRows<kTokens, is_general, Other> with() const {
    return {tokens(), beta_, target_beta_, law_};
  }

  int dimension() const { return is_general ? tokens() * tokens() : symmetric_dimension(); }
  int symmetric_dimension() const { return lower_index(tokens(), 0); }
  int sampled_dimension() const { return is_general ? dimension() : dimension() - 1; }

  /// The loss of one row alone, whose own score has twice the variance of the others; a label has T of them.
  SingleRow<kTokens, Loss> row() const requires(!is_general) {
    constexpr double kFirstVariance = 2;
    return {tokens(), kFirstVariance, beta_, target_beta_, law_};
  }
  int rows() const { return tokens(); }

  /// The same loss with another scale c.
  SoftmaxRows scaled(double c) const {
    SoftmaxRows result = *this;
    result.antisymmetric_scale_ = c;
    return result;
  }

  void embed(const Pack* sampled, Pack* zeta) const {
    if constexpr (is_general) {
      std::copy(sampled, sampled + dimension(), zeta);
      return;
    }
    Pack projection = 0;
    for (int k = 0; k + 1 < dimension(); ++k) projection += mirror_[index(k)] * sampled[k];
    projection *= mirror_scale_;
    for (int k = 0; k < dimension(); ++k)
      zeta[k] = (k + 1 < dimension() ? sampled[k] : Pack(0)) - mirror_[index(k)] * projection;
  }

  Label make_label() const { return Label(tokens() * tokens()); }
  /// The probabilities of the rows.
  void label(const Pack* zeta, Label& y) const {
    SoftmaxRow<kTokens> row(tokens());
    const Exponentials exponentials(*this, zeta, target_beta_);
    for (int a = 0; a < tokens(); ++a) {
      exponentials.of_row(a, row);
      row.normalise();
      std::copy(row.scores(), row.scores() + tokens(), &y[index(a * tokens())]);
    }
  }
  /// How many labels a field may have.
  int outcomes() const {
    int count = 1;
    for (int a = 0; law_ == LabelLaw::sampled && a < tokens(); ++a) count *= tokens();
    return count;
  }
  /// Makes y the k-th label of a field with these outputs, and returns its probability: the digits of k to base T are
  /// the ones of its rows.
  Pack outcome(int k, const Label& outputs, Label& y) const {
    y = outputs;
    Pack probability = 1;
    for (int a = 0; law_ == LabelLaw::sampled && a < tokens(); ++a, k /= tokens())
      probability *= draw(k % tokens(), tokens(), &y[index(a * tokens())]);
    return probability;
  }

  Pack value(const Label& y, const Pack* zeta) const {
    Pack sum = 0;
    for_each_row(
        y, zeta, [&](auto, const auto& row) __attribute__((always_inline)) { sum += row.value(); });
    return sum;
  }

  /// A softmax saturates within a few 1/β.
  double reach() const { return Loss::kReach / beta_; }
  /// Of losses that are not convex no bound is known: never certain.
  static Mask certain(const Label&, Pack, double) { return kConvex ? Pack(0) < Pack(1) : Pack(1) < Pack(0); }
  /// Of a general S rows hardly hinder each other, so that any of them may be the one that follows its label.
  int further_starts(const Label& y) const { return starts_of_rows(*this, y, is_general ? rows() : 0); }
  static constexpr int kAlwaysTried = kStartsAlongFit;
  void further_start(int i, const SearchFrom<Label>& from, Pack* zeta) const { start_of_rows(*this, i, from, zeta); }
  int keys() const { return tokens(); }
  const Pack* label_of(const Label& y, int a) const { return &y[index(a * tokens())]; }
  RowScores<kTokens> scores(int a, const Pack* zeta) const {
    RowScores<kTokens> row(tokens());
    set_scores(zeta, a, beta_, row.x.data());
    for (int b = 0; b < tokens(); ++b) row.variance[index(b)] = variance(a, b);
    return row;
  }
  void set_scores(int a, const RowScores<kTokens>& row, Pack* zeta) const {
    const RowScores<kTokens> now = scores(a, zeta);
    for (int b = 0; b < tokens(); ++b) {
      const Pack move = (row.x[index(b)] - now.x[index(b)]) * (1 / (beta_ * variance(a, b)));
      for (const Feature& feature : features(a, b)) zeta[feature.coordinate] += feature.weight * move;
    }
  }

  /// Coordinates a < T of scores h_aa are coupled to those of pairs with a alone.
  struct Coupling {
    const SoftmaxRows* rows;
    auto apart() const { return size_of<kTokens>(rows->tokens()); }
    [[gnu::always_inline]] bool coupled(int token, int other) const {
      const std::size_t pair = index(other - rows->tokens());
      if constexpr (kTokens > 0)
        return (kPairs[pair] >> token & 1) != 0;
      else
        return (rows->pairs_[pair] >> token & 1) != 0;
    }
  };
  Coupling coupling() const { return {this}; }

  template <Curvature which = Curvature::hessian>
  [[gnu::always_inline]] void expand(const Label& y, const Pack* zeta, Expansion<kDimension>& at) const {
    at.value = 0;
    std::fill(at.gradient.begin(), at.gradient.end(), Pack(0));
    std::fill(at.hessian.begin(), at.hessian.end(), Pack(0));
    for_each_row(
        y, zeta, [&](auto a, const auto& row) __attribute__((always_inline)) {
          at.value += row.value();
          add_row<which>(a, row, at);
        });
  }

 private:
  int tokens() const { return kTokens > 0 ? kTokens : runtime_tokens_; }
  auto all_tokens() const { return size_of<kTokens>(tokens()); }
  static constexpr std::size_t index(int k) { return static_cast<std::size_t>(k); }
  /// A coordinate that h_ab depends on, and how.
  struct Feature {
    int coordinate;
    double weight;
  };
  static constexpr int kFeatures = is_general ? 2 : 1;
  [[gnu::always_inline]] std::array<Feature, kFeatures> features(int a, int b) const {
    // Pairs a > b in rows of length 0, 1, 2, …
    const int pair = a > b ? lower_index(a - 1, b) : lower_index(b - 1, a);
    const Feature symmetric = a == b ? Feature{a, 1.4142135623730951} : Feature{tokens() + pair, 1.0};
    if constexpr (!is_general) {
      return {symmetric};
    } else {
      if (a == b) return {symmetric, {symmetric.coordinate, 0}};
      return {symmetric, {symmetric_dimension() + pair, a > b ? antisymmetric_scale_ : -antisymmetric_scale_}};
    }
  }

  /// The exponentials of β times the scores of each row, times a number. Rows of a symmetric S share scores, and their
  /// exponentials as long as no score is so far below the largest of all that its rounding would be seen.
  class Exponentials {
   public:
    [[gnu::always_inline]] Exponentials(const SoftmaxRows& rows, const Pack* zeta, double beta)
        : rows_(rows), zeta_(zeta), beta_(beta), values_(is_general ? 0 : rows.dimension()) {
      if constexpr (is_general) return;
      constexpr double kWidest = 100;
      Pack largest = -1e300, least = 1e300;
      for (int k = 0; k < rows.dimension(); ++k) {
        const Pack x = beta * (k < rows.tokens() ? std::numbers::sqrt2 : 1.0) * zeta[k];
        values_[index(k)] = x;
        largest = max(largest, x);
        least = min(least, x);
      }
      shared_ = !(largest - least > Pack(kWidest)).any();
      if (!shared_) return;
      for (int k = 0; k < rows.dimension(); ++k) values_[index(k)] = exp(values_[index(k)] - largest);
    }

    /// Puts those of row a where its scores stand.
    template <class Token, class Row>
    [[gnu::always_inline]] void of_row(Token a, Row& row) const {
      if (!shared_) {
        rows_.set_scores(zeta_, a, beta_, row.scores());
        row.exponentiate();
        return;
      }
      for_range(
          Constant<0>{}, rows_.all_tokens(), [&](auto b) __attribute__((always_inline)) {
            row.scores()[b] = values_[index(rows_.features(a, b).front().coordinate)];
          });
    }

   private:
    const SoftmaxRows& rows_;
    const Pack* zeta_;
    double beta_;
    PackArray<kDimension> values_;
    bool shared_ = false;
  };

  /// Runs body(a, row) over the rows, evaluated.
  template <class Body>
  [[gnu::always_inline]] void for_each_row(const Label& y, const Pack* zeta, const Body& body) const {
    using Row = typename Loss::template Row<kTokens>;
    Row row(tokens());
    if constexpr (requires { row.evaluate_exponentials(y.data()); }) {
      const Exponentials exponentials(*this, zeta, beta_);
      for_range(
          Constant<0>{}, all_tokens(), [&](auto a) __attribute__((always_inline)) {
            exponentials.of_row(a, row);
            row.evaluate_exponentials(&y[index(a * tokens())]);
            body(a, row);
          });
    } else {
      for_range(
          Constant<0>{}, all_tokens(), [&](auto a) __attribute__((always_inline)) {
            set_scores(zeta, a, beta_, row.scores());
            row.evaluate(&y[index(a * tokens())]);
            body(a, row);
          });
    }
  }

  /// Of h_ab, for S of unit second moment.
  double variance(int a, int b) const {
    double sum = 0;
    for (const Feature& feature : features(a, b)) sum += feature.weight * feature.weight;
    return sum;
  }

  template <class Token>
  [[gnu::always_inline]] void set_scores(const Pack* zeta, Token a, double beta, Pack* scores) const {
    for_range(
        Constant<0>{}, all_tokens(), [&](auto b) __attribute__((always_inline)) {
          scores[b] = 0;
          for (const Feature& feature : features(a, b)) scores[b] += beta * feature.weight * zeta[feature.coordinate];
        });
  }

  template <Curvature which, class Token, class Row>
  [[gnu::always_inline]] void add_row(Token a, const Row& row, Expansion<kDimension>& at) const {
    const double beta2 = beta_ * beta_;
    for_range(
        Constant<0>{}, all_tokens(), [&](auto c) __attribute__((always_inline)) {
          const auto features_c = features(a, c);
          const Pack slope = beta_ * row.gradient(c);
          for (const Feature& feature : features_c) at.gradient[index(feature.coordinate)] += feature.weight * slope;
          for_range(
              Constant<0>{}, after(c), [&](auto e) __attribute__((always_inline)) {
                const Pack bent = beta2 * curvature<which>(row, c, e);
                const auto features_e = features(a, e);
                for (int i = 0; i < kFeatures; ++i)
                  for (int j = 0; j < (c == e ? i + 1 : kFeatures); ++j)
                    add_curvature(features_c[index(i)], features_e[index(j)], bent, at);
              });
        });
  }

  static void add_curvature(Feature left, Feature right, Pack bent, Expansion<kDimension>& at) {
    const double weight = left.weight * right.weight;
    const std::size_t entry =
        index(left.coordinate >= right.coordinate ? lower_index(left.coordinate, right.coordinate)
                                                  : lower_index(right.coordinate, left.coordinate));
    at.hessian[entry] += weight * bent;
  }

  /// The two tokens of the coordinates from T on, as bits.
  template <class Pairs>
  static constexpr Pairs fill(Pairs pairs, int tokens) {
    std::size_t place = 0;
    for (int sector = 0; sector < kFeatures; ++sector)
      for (int a = 0; a < tokens; ++a)
        for (int b = 0; b < a; ++b) pairs[place++] = std::uint64_t{1} << a | std::uint64_t{1} << b;
    return pairs;
  }
  static constexpr std::size_t pair_count(int tokens) { return index(kFeatures * tokens * (tokens - 1) / 2); }
  static constexpr auto kPairs = fill(std::array<std::uint64_t, pair_count(kTokens)>{}, kTokens);

  int runtime_tokens_;
  double beta_;
  double target_beta_;
  LabelLaw law_;
  std::vector<std::uint64_t> pairs_;
  std::vector<double> mirror_;
  double mirror_scale_ = 1;
  double antisymmetric_scale_ = 1;
};

}  // namespace attnlaw::theory
