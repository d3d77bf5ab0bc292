#include "attnlaw/laws/filtering/layer.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

#include "attnlaw/base/index.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/matrix.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/laws/filtering/significance.h"
#include "attnlaw/laws/filtering/stack.h"

namespace attnlaw::laws {
namespace {

using base::reject;
using base::size;
using Eigen::ArrayXd;
using Eigen::Index;
using Matrix = base::Matrix<double>;

/// Adds the products of the rows with t > 0 (sign 1) or t < 0 (sign −1), scaled by √|t|, block by block.
void add_products(const Matrix& phi, const ArrayXd& t, double sign, Matrix& sum) {
  constexpr Index kRows = 4096;  // long products, and a buffer that is small beside φ
  const Index p = phi.cols();
  Matrix block(std::min(kRows, phi.rows()), p);
  Index filled = 0;
  const auto flush = [&] {
    base::symmetric_product(size(filled), size(p), sign / static_cast<double>(phi.rows()), block.data(), sum.data());
    filled = 0;
  };
  for (Index mu = 0; mu < phi.rows(); ++mu) {
    base::check_interrupt();
    if (!(sign * t[mu] > 0)) continue;
    block.row(filled++) = std::sqrt(std::abs(t[mu])) * phi.row(mu);
    if (filled == block.rows()) flush();
  }
  if (filled > 0) flush();
}

/// Returns the lower triangle of M, all that the eigensolver reads.
Matrix lower_triangle(const Matrix& phi, const ArrayXd& t) {
  base::use_one_blas_thread();
  Matrix M = Matrix::Zero(phi.cols(), phi.cols());
  add_products(phi, t, 1, M);
  add_products(phi, t, -1, M);
  return M;
}

using Eigen::ArrayXXd;

/// Returns the matrix that the eigensolver is given: M, or Σ_k M_k² for several outputs.
Matrix operator_of(const Matrix& phi, const ArrayXXd& t) {
  if (t.cols() == 1) return lower_triangle(phi, t.col(0));
  const Index p = phi.cols();
  Matrix sum = Matrix::Zero(p, p);
  for (Index k = 0; k < t.cols(); ++k) {
    const Matrix M = weighted_operator(phi, t.col(k));
    base::symmetric_product(size(p), size(p), 1, M.data(), sum.data());
  }
  return sum;
}

/// Returns the eigenvalues of M as they are, and the singular values whose squares are the eigenvalues of Σ_k M_k².
std::vector<double> in_units_of_weights(std::vector<double> values, bool stacked) {
  if (stacked)
    for (double& value : values) value = std::sqrt(std::max(value, 0.0));
  return values;
}

/// The law of the ends of the spectrum of pure noise. above() and below() return p-values.
class Null {
 public:
  virtual ~Null() = default;
  virtual double above(double eigenvalue) const = 0;
  virtual double below(double eigenvalue) const = 0;
  /// Return the eigenvalues beyond which above() and below() are at most `significance`.
  virtual double upper_threshold(double significance) const = 0;
  virtual double lower_threshold(double significance) const = 0;
};

class WhiteNull : public Null {
 public:
  WhiteNull(LofiEdge upper, LofiEdge lower, std::size_t p) : upper_(upper), lower_(lower), p_(p) {}
  double above(double eigenvalue) const override { return outlier_p_value(upper_, eigenvalue, p_); }
  double below(double eigenvalue) const override { return outlier_p_value(lower_, -eigenvalue, p_); }
  double upper_threshold(double significance) const override { return outlier_threshold(upper_, significance, p_); }
  double lower_threshold(double significance) const override { return -outlier_threshold(lower_, significance, p_); }

 private:
  LofiEdge upper_, lower_;
  std::size_t p_;
};

/// Takes the extreme eigenvalues of M with permuted weights as samples of pure noise.
class PermutationNull : public Null {
 public:
  PermutationNull(const Matrix& phi, const ArrayXXd& t, const FilterOptions& options) {
    const Index n = t.rows();
    std::vector<double> uniform(size(n));
    for (int permutation = 0; permutation < options.permutations; ++permutation) {
      base::UniformStream(options.seed, base::stream_id(base::Stream::filtering_permutations, 0,
                                                        static_cast<std::uint64_t>(permutation)))
          .fill(0, uniform);
      ArrayXXd shuffled = t;
      for (Index i = n - 1; i > 0; --i)
        shuffled.row(i).swap(shuffled.row(static_cast<Index>(uniform[size(i)] * static_cast<double>(i + 1))));
      const std::vector<double> values =
          in_units_of_weights(base::eigenvalues(operator_of(phi, shuffled)), t.cols() > 1);
      largest_.push_back(values.back());
      smallest_.push_back(values.front());
    }
    std::sort(largest_.begin(), largest_.end(), std::greater<>());
    std::sort(smallest_.begin(), smallest_.end());
  }
  double above(double eigenvalue) const override {
    return (1.0 + static_cast<double>(
                      std::count_if(largest_.begin(), largest_.end(), [&](double x) { return x >= eigenvalue; }))) /
           (1.0 + static_cast<double>(largest_.size()));
  }
  double below(double eigenvalue) const override {
    return (1.0 + static_cast<double>(
                      std::count_if(smallest_.begin(), smallest_.end(), [&](double x) { return x <= eigenvalue; }))) /
           (1.0 + static_cast<double>(smallest_.size()));
  }
  double upper_threshold(double significance) const override { return largest_[exceeded(significance)]; }
  double lower_threshold(double significance) const override { return smallest_[exceeded(significance)]; }

 private:
  /// Returns the index of the permuted extreme that must be exceeded: fewer than (B + 1)·significance of the B may lie
  /// beyond.
  std::size_t exceeded(double significance) const {
    constexpr double kRounding = 1e-9;
    const double rank = std::floor(significance * (1.0 + static_cast<double>(largest_.size())) + kRounding);
    return std::min(largest_.size(), static_cast<std::size_t>(std::max(rank, 1.0))) - 1;
  }
  std::vector<double> largest_, smallest_;  ///< the most extreme first
};

void require_valid(const Matrix& phi, const ArrayXXd& t, const FilterOptions& options) {
  if (!(options.significance > 0 && options.significance < 1))
    reject("significance must be a number in (0, 1), got {}", options.significance);
  if (options.permutations != 0 && (options.permutations + 1) * options.significance < 1)
    reject("{} permutations cannot reach a significance of {}: take 0 or at least {}", options.permutations,
           options.significance, static_cast<int>(std::ceil(1 / options.significance)) - 1);
  if (phi.rows() != t.rows() || phi.rows() < 2 || phi.cols() < 2)
    reject("a layer needs 2 or more samples of 2 or more features and one weight for each, got {}x{} and {}",
           phi.rows(), phi.cols(), t.rows());
}

/// Returns b = (1/n) Σ t φ with its p-value: for noise, n|b|²/E t² is χ² with `rank` degrees of freedom.
LofiFeature degree_one(const Matrix& phi, const ArrayXd& t, Index rank) {
  const auto n = static_cast<double>(t.size()), p = static_cast<double>(rank);
  const Eigen::VectorXd b = phi.transpose() * t.matrix() / n;
  const double statistic = n * b.squaredNorm() / t.square().mean();
  return {Kept::degree_one, statistic / p, chi_squared_tail(statistic, p), b.normalized(), 0};
}

}  // namespace

Matrix Standardisation::operator()(const Matrix& x) const {
  return ((x.rowwise() - mean).array().rowwise() * scale.array()).matrix();
}

Standardisation standardisation_of(const Matrix& x) {
  Standardisation result{x.colwise().mean(), {}};
  const Eigen::RowVectorXd deviation =
      ((x.rowwise() - result.mean).colwise().squaredNorm() / static_cast<double>(x.rows())).cwiseSqrt();
  constexpr double kConstant = 1e-12;  // times the mean: rounding of a constant column
  result.scale = deviation.array().binaryExpr(result.mean.array(), [](double sd, double mean) {
    return sd > kConstant * std::abs(mean) && sd > 0 ? 1 / sd : 0.0;
  });
  return result;
}

Matrix weighted_operator(const Matrix& phi, const ArrayXd& t) {
  Matrix M = lower_triangle(phi, t);
  M.triangularView<Eigen::StrictlyUpper>() = M.transpose();
  return M;
}

namespace {

/// Sets the edges of white features and the thresholds in `layer`, and returns the null that decides.
std::unique_ptr<Null> null_of(const Matrix& phi, const ArrayXXd& t, const FilterOptions& options, Index rank,
                              FilteredLayer& layer) {
  const double delta = static_cast<double>(phi.rows()) / static_cast<double>(rank);
  LofiEdge upper, lower;
  if (layer.stacked) {
    upper = stack_edge(t, delta);
  } else {
    const WeightLaw weights = WeightLaw::of_sample({t.data(), size(t.size())});
    upper = LofiLaw(weights, delta).upper_edge(), lower = LofiLaw(weights.negated(), delta).upper_edge();
  }
  layer.upper_edge = upper.eigenvalue, layer.lower_edge = -lower.eigenvalue;
  std::unique_ptr<Null> null;
  if (options.permutations > 0) {
    null = std::make_unique<PermutationNull>(phi, t, options);
  } else {
    null = std::make_unique<WhiteNull>(upper, lower, size(rank));
  }
  layer.upper_threshold = null->upper_threshold(options.significance);
  layer.lower_threshold = layer.stacked ? 0 : null->lower_threshold(options.significance);
  return null;
}

/// Sets the bulk of all p eigenvalues, of which p − rank are 0.
void draw_bulk(const ArrayXXd& t, Index p, Index rank, FilteredLayer& layer) {
  const LofiLaw law(WeightLaw::of_sample({t.data(), size(t.size())}),
                    static_cast<double>(t.rows()) / static_cast<double>(rank));
  const double share = static_cast<double>(rank) / static_cast<double>(p);
  layer.bulk = law.density();
  for (LofiDensity& point : layer.bulk) point.density *= share;
  layer.zero_mass = 1 - share * (1 - law.zero_mass());
}

void keep_directions(const Matrix& vectors, const Null& null, const FilterOptions& options, FilteredLayer& layer) {
  const Index p = vectors.rows(), most = std::min<Index>(options.most, p / 2);
  for (Index k = 0; k < most; ++k) {
    const double value = layer.eigenvalues[size(p - 1 - k)], chance = null.above(value);
    if (!(chance <= options.significance)) break;
    layer.features.push_back({layer.stacked ? Kept::stacked : Kept::above, value, chance, vectors.row(p - 1 - k), 0});
  }
  for (Index k = 0; k < most && !layer.stacked; ++k) {
    const double value = layer.eigenvalues[size(k)], chance = null.below(value);
    if (!(chance <= options.significance)) break;
    layer.features.push_back({Kept::below, value, chance, vectors.row(k), 0});
  }
}

/// Sets the couplings VᵀM_kV = (1/n) Σ t_k ŝ ŝᵀ.
void couple(const Matrix& phi, const ArrayXXd& t, FilteredLayer& layer) {
  const Matrix s = projections(phi, layer.features);
  for (Index k = 0; k < t.cols(); ++k)
    layer.couplings.emplace_back(s.transpose() * t.col(k).matrix().asDiagonal() * s / static_cast<double>(s.rows()));
}

}  // namespace

std::vector<LofiFeature> FilteredLayer::quadratic() const {
  std::vector<LofiFeature> kept;
  for (const LofiFeature& feature : features)
    if (feature.kept != Kept::degree_one) kept.push_back(feature);
  return kept;
}

FilteredLayer filter_layer(const Matrix& phi, const ArrayXXd& t, const FilterOptions& options, Index rank) {
  require_valid(phi, t, options);
  if (rank == 0) rank = phi.cols();
  FilteredLayer layer;
  layer.stacked = t.cols() > 1;
  const std::unique_ptr<Null> null = null_of(phi, t, options, rank, layer);
  base::Eigensystem system = base::eigensystem(operator_of(phi, t));
  layer.eigenvalues = in_units_of_weights(std::move(system.values), layer.stacked);
  keep_directions(system.vectors, *null, options, layer);
  couple(phi, t, layer);
  layer.samples = phi.rows(), layer.dimension = rank;
  if (options.density && !layer.stacked) draw_bulk(t, phi.cols(), rank, layer);
  for (Index k = 0; k < t.cols() && options.degree_one; ++k) {
    if ((t.col(k) == 0).all()) continue;
    LofiFeature b = degree_one(phi, t.col(k), rank);
    b.output = static_cast<int>(k);
    b.p_value = std::min(1.0, b.p_value * static_cast<double>(t.cols()));
    if (b.p_value <= options.significance) layer.features.push_back(std::move(b));
  }
  return layer;
}

Matrix quadratic_features(const Matrix& phi, const FilteredLayer& layer) {
  const Matrix s = projections(phi, layer.quadratic());
  Matrix h(phi.rows(), static_cast<Index>(layer.couplings.size()));
  for (Index k = 0; k < h.cols(); ++k) {
    const Eigen::MatrixXd& coupling = layer.couplings[size(k)];
    h.col(k) = ((s * coupling).cwiseProduct(s).rowwise().sum().array() - coupling.trace()).matrix();
  }
  return h;
}

Matrix projections(const Matrix& phi, const std::vector<LofiFeature>& directions) {
  Matrix columns(phi.rows(), static_cast<Index>(directions.size()));
  for (Index j = 0; j < columns.cols(); ++j) columns.col(j) = phi * directions[size(j)].direction;
  return columns;
}

Matrix deflated(const Matrix& phi, const std::vector<LofiFeature>& directions) {
  if (directions.empty()) return phi;
  Matrix span(phi.cols(), static_cast<Index>(directions.size()));
  for (Index j = 0; j < span.cols(); ++j) span.col(j) = directions[size(j)].direction;
  const Matrix basis = base::singular_system(span).left;
  return phi - (phi * basis) * basis.transpose();
}

}  // namespace attnlaw::laws
