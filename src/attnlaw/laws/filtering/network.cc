#include "attnlaw/laws/filtering/network.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attnlaw/base/index.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/laws/filtering/published.h"
#include "attnlaw/laws/filtering/ridge.h"
#include "attnlaw/laws/filtering/sequence.h"
#include "attnlaw/laws/filtering/target.h"

namespace attnlaw::laws {
namespace {

using base::product;
using base::reject;
using base::size;
using base::Stream;
using Eigen::ArrayXd;
using Eigen::Index;

using Eigen::ArrayXXd;
using Eigen::RowVectorXd;
using Matrix = base::Matrix<double>;

/// Returns the means over the tokens of each sample.
Matrix pooled_tokens(const Matrix& rows, int tokens) { return tokens == 1 ? rows : pooled(rows, tokens); }

/// Scales columns to mean 0 and variance 1; a constant one becomes 0.
Matrix standardised(const Matrix& x) { return standardisation_of(x)(x); }

/// Puts x₁, …, x_T of a sample into one row.
Matrix side_by_side(const Matrix& rows, int tokens) {
  return Eigen::Map<const Matrix>(rows.data(), rows.rows() / tokens, rows.cols() * tokens);
}

/// The features that depth 1 and depth 2 read out.
struct Representation {
  Matrix first, second;
};

class Network {
 public:
  Network(const LabelledSamples& train, const LabelledSamples& test, const ArrayXXd& t, const LofiOptions& options)
      : train_(train),
        test_(test),
        options_(options),
        standardise_(standardisation_of(train.x)),
        phi_(standardise_(train.x)),
        outputs_(standardisation_of(train.y)),
        labels_(outputs_(train.y)),
        test_labels_(outputs_(test.y)) {
    const auto constant = (standardise_.scale.array() == 0).count();
    rank_ = phi_.cols() - constant;
    if (rank_ < 2) reject("two or more features must vary, got {}", rank_);
    FilterOptions filter = options.filter;
    if (train.attention) {
      const WeightedTokens rotated = rotated_tokens(phi_, t, train.tokens);
      filter.degree_one = false;
      result_.first = filter_layer(rotated.phi, rotated.t, filter, rank_);
    } else {
      result_.first = filter_layer(phi_, repeated_weights(t, train.tokens), filter, rank_);
      if (options.leap && !result_.first.quadratic().empty()) leap();
    }
  }

  LofiResult run() {
    measure_whiteness();
    const Matrix other = standardise_(test_.x);
    const Representation here = represent(phi_), there = represent(other);
    read_out("depth 1", here.first, there.first, options_.lift, Stream::filtering_lift);
    read_out("depth 2", here.second, there.second, options_.lift, Stream::filtering_lift);
    if (!options_.lazy && !options_.published) return std::move(result_);
    const Matrix inputs = side_by_side(phi_, train_.tokens), fresh = side_by_side(other, train_.tokens);
    if (options_.lazy) {
      read_out("lazy: ReLU features of x", inputs, fresh, options_.lazy_lift, Stream::filtering_lazy_lift);
      add_readout("lazy: kernel of degree 2", inputs.cols(), degree_two_features(inputs), degree_two_features(fresh));
    }
    if (options_.published) published(inputs, fresh);
    return std::move(result_);
  }

 private:
  void leap() {
    const int tokens = train_.tokens;
    const Matrix h = standardised(pooled_tokens(quadratic_features(phi_, result_.first), tokens));
    ArrayXXd t(train_.size(), h.cols());
    for (Index k = 0; k < h.cols(); ++k) t.col(k) = leap_weights(labels_.col(k).array(), h.col(k).array());
    if ((t == 0).all()) return;
    FilterOptions filter = options_.filter;
    filter.degree_one = false;
    const std::vector<LofiFeature>& known = result_.first.features;
    const Index left = rank_ - static_cast<Index>(known.size());
    if (left > 1) result_.leap = filter_layer(deflated(phi_, known), repeated_weights(t, tokens), filter, left);
  }

  Representation represent(const Matrix& phi) const {
    const FilteredLayer& first = result_.first;
    if (train_.attention) return scores(projections(phi, first.features));
    std::vector<Matrix> shallow{projections(phi, first.features)}, deep;
    if (!first.quadratic().empty()) deep.push_back(quadratic_features(phi, first));
    std::vector<LofiFeature> linear;
    for (const LofiFeature& feature : first.features)
      if (feature.kept == Kept::degree_one) linear.push_back(feature);
    deep.push_back(projections(phi, linear));
    if (result_.leap && !result_.leap->features.empty()) {
      shallow.push_back(projections(phi, result_.leap->features));
      deep.push_back(quadratic_features(phi, *result_.leap));
    }
    Representation representation{beside(shallow), beside(deep)};
    if (train_.tokens == 1) return representation;
    const Matrix squares = representation.first.cwiseAbs2();
    return {pooled(beside({representation.first, squares}), train_.tokens),
            pooled(representation.second, train_.tokens)};
  }

  /// Represents a sample by the projections of all tokens, and by Σ_j λ_j s_aj s_bj of all pairs.
  Representation scores(const Matrix& s) const {
    const Index tokens = train_.tokens, k = s.cols(), n = s.rows() / tokens;
    Representation representation{side_by_side(s, train_.tokens), Matrix(n, k == 0 ? 0 : tokens * (tokens + 1) / 2)};
    if (k == 0) return {Matrix(n, 0), Matrix(n, 0)};
    RowVectorXd lambda(k);
    for (Index j = 0; j < k; ++j) lambda[j] = result_.first.features[size(j)].eigenvalue;
    for (Index mu = 0; mu < n; ++mu) {
      Index at = 0;
      for (Index a = 0; a < tokens; ++a)
        for (Index b = a; b < tokens; ++b)
          representation.second(mu, at++) =
              s.row(mu * tokens + a).cwiseProduct(s.row(mu * tokens + b)).cwiseProduct(lambda).sum();
    }
    return representation;
  }

  static Matrix beside(const std::vector<Matrix>& parts) {
    Index columns = 0;
    for (const Matrix& part : parts) columns += part.cols();
    Matrix all(parts.front().rows(), columns);
    Index at = 0;
    for (const Matrix& part : parts) all.middleCols(at, part.cols()) = part, at += part.cols();
    return all;
  }

  void read_out(const std::string& name, const Matrix& here, const Matrix& there, int features, Stream purpose) {
    if (here.cols() == 0) {
      add_answers(name, 0, Matrix::Zero(test_labels_.rows(), test_labels_.cols()), 1, 0);
      return;
    }
    const Standardisation standardise = standardisation_of(here);
    const ReluLift lift(here.cols(), features, options_.seed, purpose);
    add_readout(name, here.cols(), lift(standardise(here)), lift(standardise(there)));
  }

  void add_readout(const std::string& name, Index inputs, const Matrix& here, const Matrix& there) {
    const Ridge ridge = fit_ridge(here, labels_);
    add_answers(name, inputs, ridge(there), ridge.validation_error / labels_.rowwise().squaredNorm().mean(),
                ridge.penalty);
  }

  void add_answers(const std::string& name, Index inputs, const Matrix& answers, double validation, double penalty) {
    const RowVectorXd squares = (test_labels_ - answers).cwiseAbs2().colwise().sum();
    const RowVectorXd level = test_labels_.colwise().mean();
    const RowVectorXd total = (test_labels_.rowwise() - level).cwiseAbs2().colwise().sum();
    LofiReadout readout{name, static_cast<int>(inputs), squares.sum() / total.sum(), validation, penalty, {}};
    if (total.size() > 1)
      for (Index k = 0; k < total.size(); ++k) readout.output_errors.push_back(squares[k] / total[k]);
    result_.readouts.push_back(std::move(readout));
  }

  /// Runs the published recipe with the widths and kept features of the comparison in docs/theory/lofi.md.
  void published(const Matrix& inputs, const Matrix& other) {
    constexpr int kWidths[] = {1500, 1000}, kKeep[] = {16, 12};
    for (const bool centre : {false, true}) {
      Matrix here = inputs, there = other;
      for (std::uint64_t l = 0; l < std::size(kWidths); ++l) {
        const PublishedLayer layer = published_layer(here, train_.y.col(0).array(),
                                                     {kWidths[l], kKeep[l], centre, options_.seed, 2 * l + centre});
        here = layer(here), there = layer(there);
        if (!centre) continue;
        const Standardisation standardise = standardisation_of(here);
        here = standardise(here), there = standardise(there);
      }
      read_out(centre ? "published, centred" : "published", here, there, options_.lift, Stream::filtering_lift);
    }
    if (inputs.rows() <= kMostKernel) kernel_limit(inputs, other);
    if (options_.patches > 0) convolution(inputs, other);
  }

  /// Reads out one published layer of infinite width.
  void kernel_limit(const Matrix& inputs, const Matrix& other) {
    constexpr int kKeep = 16;
    const double scale = root_mean_square_length(inputs);
    const Matrix gram = relu_kernel(inputs, inputs, scale);
    const KernelLayer layer =
        kernel_layer(gram, train_.y.col(0).array(), std::min<int>(kKeep, static_cast<int>(inputs.rows() / 2)));
    read_out("published, kernel limit", product(gram, layer.coordinates),
             product(relu_kernel(other, inputs, scale), layer.coordinates), options_.lift, Stream::filtering_lift);
  }

  /// Reads out one published layer that all patches share, its features squared and averaged over the patches.
  void convolution(const Matrix& inputs, const Matrix& other) {
    constexpr int kWidth = 500, kKeep = 16;
    const Matrix here = patches_of(inputs, options_.patches), there = patches_of(other, options_.patches);
    const PublishedLayer layer = published_layer(here, repeated(train_.y.col(0).array(), options_.patches),
                                                 {kWidth, kKeep, true, options_.seed, kConvolutionNumber});
    read_out("published, convolution", pooled(layer(here).cwiseAbs2(), options_.patches),
             pooled(layer(there).cwiseAbs2(), options_.patches), options_.lift, Stream::filtering_lift);
  }

  void measure_whiteness() {
    const Matrix covariance = weighted_operator(phi_, ArrayXd::Ones(phi_.rows()));
    Eigen::VectorXd v = Eigen::VectorXd::Ones(phi_.cols()).normalized();
    constexpr int kPowerIterations = 100;
    double value = 0;
    for (int i = 0; i < kPowerIterations; ++i) {
      const Eigen::VectorXd next = covariance * v;
      value = next.norm();
      if (value == 0) break;
      v = next / value;
    }
    const double ratio = std::sqrt(static_cast<double>(phi_.cols()) / static_cast<double>(phi_.rows()));
    result_.whiteness = value / ((1 + ratio) * (1 + ratio));
  }

  /// Up to so many samples an eigenproblem of their number is solved.
  static constexpr Index kMostKernel = 3000;
  static constexpr std::uint64_t kConvolutionNumber = 100;

  const LabelledSamples& train_;
  const LabelledSamples& test_;
  const LofiOptions& options_;
  Standardisation standardise_;
  Matrix phi_;
  Standardisation outputs_;
  Matrix labels_, test_labels_;  ///< standardised outputs
  Index rank_ = 0;               ///< features that vary
  LofiResult result_;
};

void require_valid(const LabelledSamples& train, const LabelledSamples& test, const LofiOptions& options) {
  constexpr int kMostLift = 10000;
  for (const int lift : {options.lift, options.lazy_lift})
    if (lift < 1 || lift > kMostLift) reject("a lift must have 1 to {} features, got {}", kMostLift, lift);
  if (options.published && train.y.cols() > 1)
    reject("the published recipe is for one label a sample, got {}", train.y.cols());
  if (train.x.cols() != test.x.cols())
    reject("training and test samples must have equally many features, got {} and {}", train.x.cols(), test.x.cols());
  constexpr Index kLeast = 10;
  if (train.size() < kLeast || test.size() < 2)
    reject("{} or more training samples and 2 or more test samples are needed, got {} and {}", kLeast, train.size(),
           test.size());
  for (const LabelledSamples* samples : {&train, &test})
    if (standardisation_of(samples->y).scale.isZero(0)) reject("labels must not all be the same");
}

/// Returns labels in standard deviations of all entries, clipped and centred.
ArrayXXd clipped(const ArrayXXd& y, double clip) {
  const double deviation = std::sqrt((y - y.mean()).square().mean());
  if (!(deviation > 0)) return ArrayXXd::Zero(y.rows(), y.cols());
  const ArrayXXd t = ((y - y.mean()) / deviation).max(-clip).min(clip);
  return t - t.mean();
}

}  // namespace

std::vector<std::pair<const char*, const FilteredLayer*>> LofiResult::layers() const {
  std::vector<std::pair<const char*, const FilteredLayer*>> layers{{"operator of t", &first}};
  if (leap) layers.emplace_back("leap", &*leap);
  return layers;
}

ArrayXXd data_weights(const LabelledSamples& samples, double clip) {
  if (!(clip > 0)) reject("clip must be a number > 0 (standard deviations of the labels), got {}", clip);
  ArrayXXd t(samples.y.rows(), samples.y.cols());
  if (samples.attention) {
    const Index tokens = samples.tokens;
    for (Index a = 0; a < tokens; ++a)
      for (Index b = 0; b < tokens; ++b)
        t.col(a * tokens + b) = 0.5 * (samples.y.col(a * tokens + b) + samples.y.col(b * tokens + a)).array();
    t = clipped(t, clip);
  } else {
    for (Index k = 0; k < t.cols(); ++k) t.col(k) = clipped(samples.y.col(k).array(), clip);
  }
  if ((t == 0).all()) reject("labels must not all be the same");
  return t;
}

LofiResult run_lofi(const LabelledSamples& train, const LabelledSamples& test, const ArrayXXd& t,
                    const LofiOptions& options) {
  require_valid(train, test, options);
  return Network(train, test, t, options).run();
}

}  // namespace attnlaw::laws
