#include "attnlaw/companion/lofi_layer.h"

#include <Eigen/QR>
#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <memory>

#include "attnlaw/base/index.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::companion {
namespace {

using base::reject;
using base::size;
using Eigen::ArrayXd;
using Eigen::Index;

/// Adds the rows of t > 0 (sign 1) or t < 0 (sign −1), scaled by √|t|, block by block.
void add_products(const Samples& phi, const ArrayXd& t, double sign, Samples& sum) {
  constexpr Index kRows = 4096;  // long products, and a buffer that is small beside φ
  const Index p = phi.cols();
  Samples block(std::min(kRows, phi.rows()), p);
  Index filled = 0;
  const auto flush = [&] {
    base::symmetric_product(size(filled), size(p), sign / static_cast<double>(phi.rows()), block.data(), sum.data());
    filled = 0;
  };
  for (Index mu = 0; mu < phi.rows(); ++mu) {
    if (!(sign * t[mu] > 0)) continue;
    block.row(filled++) = std::sqrt(std::abs(t[mu])) * phi.row(mu);
    if (filled == block.rows()) flush();
  }
  if (filled > 0) flush();
}

/// The lower triangle of M, all that the eigensolver reads.
Samples lower_triangle(const Samples& phi, const ArrayXd& t) {
  base::use_one_blas_thread();
  Samples M = Samples::Zero(phi.cols(), phi.cols());
  add_products(phi, t, 1, M);
  add_products(phi, t, -1, M);
  return M;
}

std::span<double> entries(Samples& M) { return {M.data(), size(M.size())}; }

/// What noise does to the ends of the spectrum.
class Null {
 public:
  virtual ~Null() = default;
  virtual double above(double eigenvalue) const = 0;
  virtual double below(double eigenvalue) const = 0;
};

class WhiteNull : public Null {
 public:
  WhiteNull(LofiEdge upper, LofiEdge lower, std::size_t p) : upper_(upper), lower_(lower), p_(p) {}
  double above(double eigenvalue) const override { return outlier_p_value(upper_, eigenvalue, p_); }
  double below(double eigenvalue) const override { return outlier_p_value(lower_, -eigenvalue, p_); }

 private:
  LofiEdge upper_, lower_;
  std::size_t p_;
};

/// Extreme eigenvalues of M with permuted weights.
class PermutationNull : public Null {
 public:
  PermutationNull(const Samples& phi, const ArrayXd& t, const FilterOptions& options) {
    constexpr std::uint64_t kStream = 36;
    const Index n = t.size();
    std::vector<double> uniform(size(n));
    for (int permutation = 0; permutation < options.permutations; ++permutation) {
      base::UniformStream(options.seed, base::stream_id(kStream, 0, static_cast<std::uint64_t>(permutation)))
          .fill(0, uniform);
      ArrayXd shuffled = t;
      for (Index i = n - 1; i > 0; --i)
        std::swap(shuffled[i], shuffled[static_cast<Index>(uniform[size(i)] * static_cast<double>(i + 1))]);
      Samples M = lower_triangle(phi, shuffled);
      const std::vector<double> values = base::symmetric_eigenvalues(entries(M), size(phi.cols()));
      largest_.push_back(values.back());
      smallest_.push_back(values.front());
    }
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

 private:
  std::vector<double> largest_, smallest_;
};

void require_valid(const Samples& phi, const ArrayXd& t, const FilterOptions& options) {
  if (!(options.significance > 0 && options.significance < 1))
    reject("significance must be a number in (0, 1), got {}", options.significance);
  if (options.permutations != 0 && (options.permutations + 1) * options.significance < 1)
    reject("{} permutations cannot reach a significance of {}: take 0 or at least {}", options.permutations,
           options.significance, static_cast<int>(std::ceil(1 / options.significance)) - 1);
  if (phi.rows() != t.size() || phi.rows() < 2 || phi.cols() < 2)
    reject("a layer needs 2 or more samples of 2 or more features and one weight for each, got {}x{} and {}",
           phi.rows(), phi.cols(), t.size());
}

/// b = (1/n) Σ t φ; n|b|²/E t² is χ² with `rank` degrees of freedom for noise.
LofiFeature degree_one(const Samples& phi, const ArrayXd& t, Index rank) {
  const auto n = static_cast<double>(t.size()), p = static_cast<double>(rank);
  const Eigen::VectorXd b = phi.transpose() * t.matrix() / n;
  const double statistic = n * b.squaredNorm() / t.square().mean();
  return {Kept::degree_one, statistic / p, boost::math::gamma_q(p / 2, statistic / 2), b.normalized()};
}

}  // namespace

std::string name(Kept kept) {
  if (kept == Kept::above) return "above the bulk";
  return kept == Kept::below ? "below the bulk" : "degree one";
}

Samples Standardisation::operator()(const Samples& x) const {
  return ((x.rowwise() - mean).array().rowwise() * scale.array()).matrix();
}

Standardisation standardisation_of(const Samples& x) {
  Standardisation result{x.colwise().mean(), {}};
  const Eigen::RowVectorXd deviation =
      ((x.rowwise() - result.mean).colwise().squaredNorm() / static_cast<double>(x.rows())).cwiseSqrt();
  constexpr double kConstant = 1e-12;  // of the mean's size: rounding
  result.scale = deviation.array().binaryExpr(result.mean.array(), [](double sd, double mean) {
    return sd > kConstant * std::abs(mean) && sd > 0 ? 1 / sd : 0.0;
  });
  return result;
}

Samples weighted_operator(const Samples& phi, const ArrayXd& t) {
  Samples M = lower_triangle(phi, t);
  M.triangularView<Eigen::StrictlyUpper>() = M.transpose();
  return M;
}

FilteredLayer filter_layer(const Samples& phi, const ArrayXd& t, const FilterOptions& options, Index rank) {
  require_valid(phi, t, options);
  const Index p = phi.cols();
  if (rank == 0) rank = p;
  const WeightLaw weights = WeightLaw::of_sample({t.data(), size(t.size())});
  const double delta = static_cast<double>(phi.rows()) / static_cast<double>(rank);
  const LofiEdge upper = LofiLaw(weights, delta).upper_edge(), lower = LofiLaw(weights.negated(), delta).upper_edge();
  FilteredLayer layer;
  layer.upper_edge = upper.eigenvalue, layer.lower_edge = -lower.eigenvalue;
  Samples vectors = lower_triangle(phi, t);
  layer.eigenvalues = base::symmetric_eigensystem(entries(vectors), size(p));
  std::unique_ptr<Null> null;
  if (options.permutations > 0) {
    null = std::make_unique<PermutationNull>(phi, t, options);
  } else {
    null = std::make_unique<WhiteNull>(upper, lower, size(rank));
  }
  const Index most = std::min<Index>(options.most, p / 2);
  for (Index k = 0; k < most; ++k) {
    const double value = layer.eigenvalues[size(p - 1 - k)], chance = null->above(value);
    if (!(chance < options.significance)) break;
    layer.features.push_back({Kept::above, value, chance, vectors.row(p - 1 - k)});
  }
  for (Index k = 0; k < most; ++k) {
    const double value = layer.eigenvalues[size(k)], chance = null->below(value);
    if (!(chance < options.significance)) break;
    layer.features.push_back({Kept::below, value, chance, vectors.row(k)});
  }
  if (options.degree_one) {
    LofiFeature b = degree_one(phi, t, rank);
    if (b.p_value < options.significance) layer.features.push_back(std::move(b));
  }
  return layer;
}

Samples projections(const Samples& phi, const std::vector<LofiFeature>& directions) {
  Samples columns(phi.rows(), static_cast<Index>(directions.size()));
  for (Index j = 0; j < columns.cols(); ++j) columns.col(j) = phi * directions[size(j)].direction;
  return columns;
}

Samples deflated(const Samples& phi, const std::vector<LofiFeature>& directions) {
  if (directions.empty()) return phi;
  Eigen::MatrixXd span(phi.cols(), static_cast<Index>(directions.size()));
  for (Index j = 0; j < span.cols(); ++j) span.col(j) = directions[size(j)].direction;
  const Eigen::MatrixXd basis =
      Eigen::HouseholderQR<Eigen::MatrixXd>(span).householderQ() * Eigen::MatrixXd::Identity(span.rows(), span.cols());
  return phi - (phi * basis) * basis.transpose();
}

}  // namespace attnlaw::companion
