#include "attnlaw/experiment/gamp_channels.h"

#include <algorithm>

#include "attnlaw/experiment/observed_scores.h"
#include "attnlaw/experiment/proximal_point.h"

namespace attnlaw::experiment {
namespace {

using Eigen::Index;

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
    // Positive at a stable fixed point; far from it the Hessians may be negative on average.
    constexpr double kSmallestStiffness = 1e-6;
    const double V_hat = std::max(2 / (d * d) * messages.response, kSmallestStiffness);
    return soft_threshold(V_hat * estimate.S + (2 / d) * messages.B, 2 * problem_.lambda, V_hat);
  }

 private:
  const model::Problem& problem_;
};

class BayesChannels : public GampChannels {
 public:
  explicit BayesChannels(const model::Problem& problem) : problem_(problem) {}

  /// The mean of the prior, and its variance.
  Estimate start(Index d) const override {
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

  Estimate denoise(const Estimate& estimate, const Messages& messages) const override {
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

std::unique_ptr<GampChannels> make_bayes_channels(const model::Problem& problem) {
  return std::make_unique<BayesChannels>(problem);
}

}  // namespace attnlaw::experiment
