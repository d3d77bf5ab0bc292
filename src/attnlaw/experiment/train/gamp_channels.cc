#include "attnlaw/experiment/train/gamp_channels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attnlaw/experiment/data/observed_scores.h"
#include "attnlaw/experiment/data/outputs.h"
#include "attnlaw/experiment/data/proximal_point.h"
#include "attnlaw/experiment/student/spectral.h"

namespace attnlaw::experiment {
namespace {

using base::Columns;
using base::Matrix;
using Eigen::Index;

/// The least stiffness V̂. It is positive at a stable fixed point, but far from it the Hessians may be negative on
/// average.
constexpr double kSmallestStiffness = 1e-6;

class TiedChannels : public GampChannels {
 public:
  explicit TiedChannels(const model::Problem& problem) : problem_(problem) {}

  MatrixEstimate start(Index d) const override { return {Matrix<double>::Zero(d, d), problem_.target.Q_star()}; }
  double largest_step() const override { return 0.7; }

  double respond(const Columns<double>& labels, const Columns<double>& omega, const Columns<double>& z, double V,
                 Columns<double>& g) const override {
    ProximalPoint proximal(problem_);
    double response = 0;
    for (Index mu = 0; mu < omega.rows(); ++mu) {
      proximal.solve(labels.row(mu), omega.row(mu).matrix().transpose(), z.row(mu).matrix().transpose(), V);
      g.row(mu) = proximal.g().transpose().array();
      response += proximal.response();
    }
    return response;
  }

  MatrixEstimate denoise(const MatrixEstimate& estimate, const Messages& messages) const override {
    const auto d = static_cast<double>(estimate.S.rows());
    const double V_hat = std::max(2 / (d * d) * messages.response, kSmallestStiffness);
    return soft_threshold(V_hat * estimate.S + (2 / d) * messages.B, 2 * problem_.lambda, V_hat);
  }

 private:
  const model::Problem& problem_;
};

/// Returns V = (1/d²) [Σ_i f'_i + Σ_{i≠j} (x_i f_i − x_j f_j)/(x_i² − x_j²)] of f(x) = (x − threshold)₊/stiffness at
/// descending singular values x: the divergence of f as a function of a matrix.
double singular_threshold_response(const std::vector<double>& x, double threshold, double stiffness) {
  const auto product = [&](double value) { return value * std::max(0.0, value - threshold); };
  double sum = 0;
  for (std::size_t i = 0; i < x.size() && x[i] > threshold; ++i) {
    sum += 1;
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      const double gap = x[i] * x[i] - x[j] * x[j];
      // For equal values (to rounding) the quotient is the derivative of x f in x².
      const bool equal = gap <= std::numeric_limits<double>::epsilon() * x[i] * x[i];
      sum += 2 * (equal ? 1 - threshold / (2 * x[i]) : (product(x[i]) - product(x[j])) / gap);
    }
  }
  const auto d = static_cast<double>(x.size());
  return sum / (stiffness * d * d);
}

/// Solves every row as a problem of one query, as rows do not interact. The shift of a row, which no label sees, has g
/// = 0.
class UntiedChannels : public GampChannels {
 public:
  explicit UntiedChannels(const model::Problem& problem) : problem_(problem), row_(problem) { row_.tokens = 1; }

  MatrixEstimate start(Index d) const override { return {Matrix<double>::Zero(d, d), problem_.target.Q_star()}; }
  double largest_step() const override { return 0.7; }

  double respond(const Columns<double>& labels, const Columns<double>& omega, const Columns<double>& z, double V,
                 Columns<double>& g) const override {
    ProximalPoint proximal(row_);
    const Index keys = row_.key_tokens, count = label_count(row_);
    const Index labelled_rows = labels.cols() / count;
    double response = 0;
    g.setZero();
    for (Index mu = 0; mu < omega.rows(); ++mu) {
      for (Index a = 0; a < labelled_rows; ++a) {
        const auto of_row = [&](const Columns<double>& all) {
          return Eigen::VectorXd(all.row(mu).segment(a * keys, keys).matrix().transpose());
        };
        proximal.solve(labels.row(mu).segment(a * count, count), of_row(omega), of_row(z), V);
        g.row(mu).segment(a * keys, keys) = proximal.g().transpose().array();
        response += proximal.response();
      }
    }
    return response;
  }

  MatrixEstimate denoise(const MatrixEstimate& estimate, const Messages& messages) const override {
    const auto d = static_cast<double>(estimate.S.rows());
    const double V_hat = std::max(messages.response / (d * d), kSmallestStiffness);
    const SingularSystem M = singular_system(V_hat * estimate.S + messages.B / d);
    std::vector<double> mapped = M.values;
    for (double& value : mapped) value = std::max(0.0, value - problem_.lambda) / V_hat;
    return {recompose(M, mapped), singular_threshold_response(M.values, problem_.lambda, V_hat)};
  }

 private:
  const model::Problem& problem_;
  model::Problem row_;
};

class BayesChannels : public GampChannels {
 public:
  explicit BayesChannels(const model::Problem& problem) : problem_(problem) {}

  /// Starts from the mean of the prior, and its variance.
  MatrixEstimate start(Index d) const override {
    const double mean = problem_.target.spectrum().mean();
    return {mean * Matrix<double>::Identity(d, d), floored(problem_, problem_.target.Q_star() - mean * mean)};
  }
  double largest_step() const override { return 0.5; }

  double respond(const Columns<double>& labels, const Columns<double>& omega, const Columns<double>& /*z*/, double V,
                 Columns<double>& g) const override {
    observed_scores(problem_, labels, g);
    g -= omega;
    remove_hidden_shift(problem_, g);
    g /= V + problem_.noise;
    return 0;
  }

  MatrixEstimate denoise(const MatrixEstimate& estimate, const Messages& messages) const override {
    const auto d = static_cast<double>(estimate.S.rows());
    const double gain = (estimate.V + problem_.noise) / (2 * problem_.alpha * problem_.observed_score_count());
    return posterior_mean(problem_, estimate.S + (2 * gain / d) * messages.B, d * d / (2 * messages.squares));
  }

 private:
  const model::Problem& problem_;
};

}  // namespace

std::unique_ptr<GampChannels> make_tied_channels(const model::Problem& problem) {
  return std::make_unique<TiedChannels>(problem);
}

std::unique_ptr<GampChannels> make_untied_channels(const model::Problem& problem) {
  return std::make_unique<UntiedChannels>(problem);
}

std::unique_ptr<GampChannels> make_bayes_channels(const model::Problem& problem) {
  return std::make_unique<BayesChannels>(problem);
}

}  // namespace attnlaw::experiment
