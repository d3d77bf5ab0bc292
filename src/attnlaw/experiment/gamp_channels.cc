#include "attnlaw/experiment/gamp_channels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attnlaw/experiment/outputs.h"
#include "attnlaw/experiment/proximal_point.h"
#include "attnlaw/experiment/scores.h"
#include "attnlaw/experiment/spectral.h"
#include "attnlaw/matrix_laws/optimal_denoiser.h"

namespace attnlaw::experiment {
namespace {

using Eigen::Index;

/// V = (1/d²) [Σ_{i≠j} (f_i − f_j)/(x_i − x_j) + 2 Σ_i f'_i] of f(x) = (x − threshold)₊/stiffness at ascending x.
double soft_threshold_response(const std::vector<double>& x, double threshold, double stiffness) {
  const auto above = [&](double value) { return std::max(0.0, value - threshold); };
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] > threshold) sum += 2;
    for (std::size_t j = 0; j < i; ++j) {
      const double gap = x[i] - x[j];
      // Equal to rounding: the derivative.
      const bool equal = gap <= std::numeric_limits<double>::epsilon() * std::abs(x[i]);
      sum += 2 * (equal ? (x[i] > threshold ? 1.0 : 0.0) : (above(x[i]) - above(x[j])) / gap);
    }
  }
  const auto d = static_cast<double>(x.size());
  return sum / (stiffness * d * d);
}

/// Positive at a stable fixed point; far from it the Hessians may be negative on average.
constexpr double kSmallestStiffness = 1e-6;

class TiedChannels : public GampChannels {
 public:
  explicit TiedChannels(const model::Problem& problem) : problem_(problem) {}

  Estimate start(Index d) const override { return {Matrix<double>::Zero(d, d), problem_.target.Q_star()}; }
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

  Estimate denoise(const Estimate& estimate, const Messages& messages) const override {
    const auto d = static_cast<double>(estimate.S.rows());
    const double V_hat = std::max(2 / (d * d) * messages.response, kSmallestStiffness);
    const Eigensystem M = eigensystem(V_hat * estimate.S + (2 / d) * messages.B);
    const double threshold = 2 * problem_.lambda;
    std::vector<double> mapped = M.values;
    for (double& value : mapped) value = std::max(0.0, value - threshold) / V_hat;
    return {recompose(M, mapped), soft_threshold_response(M.values, threshold, V_hat)};
  }

 private:
  const model::Problem& problem_;
};

/// V = (1/d²) [Σ_i f'_i + Σ_{i≠j} (x_i f_i − x_j f_j)/(x_i² − x_j²)] of f(x) = (x − threshold)₊/stiffness at descending
/// singular values x: the divergence of f as a function of a matrix.
double singular_threshold_response(const std::vector<double>& x, double threshold, double stiffness) {
  const auto product = [&](double value) { return value * std::max(0.0, value - threshold); };
  double sum = 0;
  for (std::size_t i = 0; i < x.size() && x[i] > threshold; ++i) {
    sum += 1;
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      const double gap = x[i] * x[i] - x[j] * x[j];
      // Equal to rounding: the derivative of x f in x².
      const bool equal = gap <= std::numeric_limits<double>::epsilon() * x[i] * x[i];
      sum += 2 * (equal ? 1 - threshold / (2 * x[i]) : (product(x[i]) - product(x[j])) / gap);
    }
  }
  const auto d = static_cast<double>(x.size());
  return sum / (stiffness * d * d);
}

/// Rows do not interact: each is a problem of one query. The shift of a row, which no label sees, has g = 0.
class UntiedChannels : public GampChannels {
 public:
  explicit UntiedChannels(const model::Problem& problem) : problem_(problem), row_(problem) { row_.tokens = 1; }

  Estimate start(Index d) const override { return {Matrix<double>::Zero(d, d), problem_.target.Q_star()}; }
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

  Estimate denoise(const Estimate& estimate, const Messages& messages) const override {
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
  explicit BayesChannels(const model::Problem& problem)
      : problem_(problem), layout_(student_layout(problem)), shift_(score_norms(layout_).size()) {
    // e_aa = 1/T, e_ab = √2/T: the direction of a common shift of all scores.
    layout_.for_each([&](int a, int b, int k) { shift_[k] = (a == b ? 1.0 : std::sqrt(2.0)) / problem.tokens; });
  }

  /// The mean of the prior, and its variance.
  Estimate start(Index d) const override {
    const double mean = problem_.target.spectrum().mean();
    return {mean * Matrix<double>::Identity(d, d), floored(problem_.target.Q_star() - mean * mean)};
  }
  double largest_step() const override { return 0.5; }

  double respond(const Columns<double>& labels, const Columns<double>& omega, const Columns<double>& /*z*/, double V,
                 Columns<double>& g) const override {
    observed_scores(labels, g);
    g -= omega;
    if (problem_.head == model::Head::softmax) {
      g -= ((g.matrix() * shift_) * shift_.transpose()).array().eval();
    }
    g /= V + problem_.noise;
    return 0;
  }

  Estimate denoise(const Estimate& estimate, const Messages& messages) const override {
    const auto d = static_cast<double>(estimate.S.rows());
    const double gain = (estimate.V + problem_.noise) / (2 * problem_.alpha * problem_.observed_score_count());
    const double variance = std::max(d * d / (2 * messages.squares), kResolution * problem_.target.Q_star());
    const Eigensystem R = eigensystem(estimate.S + (2 * gain / d) * messages.B);
    const matrix_laws::OptimalDenoiser denoiser(problem_.target.spectrum(), variance);
    std::vector<double> mapped = R.values;
    // Stragglers beyond the outermost bands, which there are at finite d only, are taken for the edge: there the
    // denoiser is infinitely steep, and iterations would not settle.
    const auto& bands = denoiser.law().bands();
    const double lowest = bands.front().support.lower, highest = bands.back().support.upper;
    for (double& value : mapped) value = denoiser(std::clamp(value, lowest, highest));
    return {recompose(R, mapped), floored(denoiser.mean_square_error())};
  }

 private:
  /// Least V and least variance of the noise in R, in units of Q*: what keeps them finite where the target is
  /// recovered. Below, the spectrum of S* at d ~ 100 is not that of the prior any more: with less (1e-4, 1e-5)
  /// iterations beyond recovery settle more slowly, or at larger errors.
  static constexpr double kResolution = 1e-3;

  double floored(double V) const { return std::max(V, kResolution * problem_.target.Q_star()); }

  /// z that gives the labels; for softmax up to a common shift of the scores.
  void observed_scores(const Columns<double>& labels, Columns<double>& z) const {
    if (problem_.head == model::Head::linear) {
      layout_.for_each([&](int a, int b, int k) { z.col(k) = labels.col(k) / (a == b ? std::sqrt(2.0) : 1.0); });
      return;
    }
    // log y_ab/β is h_ab up to a shift c_a of the row; h_ab = h_ba tells c_a − c_b. Labels that have underflowed are
    // taken for the smallest that float can tell.
    const int T = problem_.tokens;
    const Columns<double> logs =
        labels.max(static_cast<double>(std::numeric_limits<float>::min())).log() / problem_.target_beta;
    Columns<double> row_shift = Columns<double>::Zero(labels.rows(), T);
    for (int a = 0; a < T; ++a) {
      for (int b = 0; b < T; ++b) row_shift.col(a) += (logs.col(b * T + a) - logs.col(a * T + b)) / T;
    }
    layout_.for_each([&](int a, int b, int k) {
      z.col(k) = 0.5 * (logs.col(a * T + b) + row_shift.col(a) + logs.col(b * T + a) + row_shift.col(b)) /
                 (a == b ? std::sqrt(2.0) : 1.0);
    });
  }

  const model::Problem& problem_;
  ScoreLayout layout_;
  Eigen::VectorXd shift_;
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
