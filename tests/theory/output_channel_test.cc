/// Output channels: Stein's lemma against the Hessian, the conjugates as a gradient, closed forms, the limit of no
/// student.

#include "attnlaw/theory/channel/output_channel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "attnlaw/theory/channel/linear_channel.h"
#include "attnlaw/theory/channel/logistic_features.h"
#include "attnlaw/theory/channel/proximal.h"
#include "attnlaw/theory/channel/quasi_monte_carlo.h"
#include "problems.h"

namespace attnlaw::theory {
namespace {

constexpr double kQStar = 1.5;

model::Problem softmax(int tokens, double alpha = 0.4, double noise = 0) {
  model::Problem problem;
  problem.tokens = tokens;
  problem.alpha = alpha;
  problem.noise = noise;
  return problem;
}

model::Problem linear(int tokens, double alpha, double noise) {
  model::Problem problem = softmax(tokens, alpha, noise);
  problem.head = model::Head::linear;
  return problem;
}

/// Mean over the replicates and its standard error.
struct Estimate {
  double mean = 0, error = 0;
};

template <class Figure>
Estimate over_replicates(const OutputChannel& channel, const Figure& figure) {
  Estimate estimate;
  const double count = channel.replicates();
  double square = 0;
  for (int r = 0; r < channel.replicates(); ++r) {
    estimate.mean += figure(r) / count;
    square += figure(r) * figure(r) / count;
  }
  estimate.error = std::sqrt(std::max(0.0, square - estimate.mean * estimate.mean) / (count - 1));
  return estimate;
}

/// The standard error from four replicates is itself uncertain by 40 %.
constexpr double kErrors = 6;

TEST(SampledChannel, StiffnessIsTheMeanOfTheHessianForm) {
  // V̂ = −2α E Tr ∂g/∂ω = 2α E Tr[(1 + VH)⁻¹H] where the proximal point never jumps: V ≤ 1/β².
  const model::Problem problem = softmax(2);
  const auto channel = make_output_channel(problem, kQStar, SobolRule{13});
  const SoftmaxPair loss(kPairMetric, 1, 1);
  GlobalProximal<SoftmaxPair> proximal(loss);
  Expansion<2> expansion(2);
  const NormalRule rule = scrambled_sobol_rule(4, 15, 99);
  for (const Overlaps& at : {Overlaps{0.8, 0.9, 0.05}, Overlaps{0.4, 0.5, 0.8}}) {
    const double across = std::sqrt(kQStar - at.m * at.m / at.q);
    double hessian_form = 0;
    for (std::size_t i = 0; i < rule.weights.size(); ++i) {
      const double* x = &rule.points[4 * i];
      std::array<Pack, 2> omega, target;
      for (std::size_t k = 0; k < 2; ++k) {
        omega[k] = std::sqrt(at.q) * x[k];
        target[k] = at.m / std::sqrt(at.q) * x[k] + across * x[k + 2];
      }
      SoftmaxPair::Label label;
      loss.label(target.data(), label);
      loss.expand(label, proximal.solve(label, omega.data(), target.data(), at.V).point.data(), expansion);
      // Tr (1+VH)⁻¹H = (Tr H + 2V det H)/(1 + V Tr H + V² det H) in two dimensions.
      const auto& H = expansion.hessian;
      const double h00 = H[0].lanes[0], h10 = H[1].lanes[0], h11 = H[2].lanes[0];
      const double trace = h00 + h11, determinant = h00 * h11 - h10 * h10;
      hessian_form +=
          rule.weights[i] * (trace + 2 * at.V * determinant) / (1 + at.V * trace + at.V * at.V * determinant);
    }
    const Estimate stein = over_replicates(*channel, [&](int r) { return channel->evaluate(at, r).conjugates.V_hat; });
    EXPECT_NEAR(stein.mean, 2 * problem.alpha * hessian_form, kErrors * stein.error + 1e-4 * stein.mean);
    EXPECT_LT(stein.error, 3e-3 * stein.mean);
  }
}

/// E of the Moreau envelope, up to sampling: train + V E|g|²/2.
double mean_envelope(const OutputChannel& channel, const Overlaps& at, double alpha, int replicate) {
  const auto result = channel.evaluate(at, replicate);
  return result.train + at.V * result.conjugates.q_hat / (4 * alpha);
}

TEST(SampledChannel, FluctuationIsTheDerivativeOfTheEnvelopeInV) {
  // dM/dV = −|g|²/2 point by point, jumps or not: q̂ = −4α d E M/dV without sampling error. Holds only for the global
  // minimum.
  constexpr double kStep = 1e-3;
  for (const int tokens : {2, 3})
    for (const double V : {0.1, 2.0, 30.0}) {
      const model::Problem problem = softmax(tokens, 0.4, 0.5);
      const auto channel = make_output_channel(problem, kQStar, SobolRule{10});
      const Overlaps at{1.2, 0.8, V};
      const auto envelope = [&](double scale) {
        return mean_envelope(*channel, {at.q, at.m, scale * V}, problem.alpha, OutputChannel::kAll);
      };
      const double slope = (envelope(1 + kStep) - envelope(1 - kStep)) / (2 * kStep * V);
      const double q_hat = channel->evaluate(at).conjugates.q_hat;
      EXPECT_NEAR(-4 * problem.alpha * slope, q_hat, 1e-3 * q_hat) << "T " << tokens << " V " << V;
    }
}

TEST(SampledChannel, ConjugatesAreTheGradientOfTheEnvelope) {
  // ∂E M/∂q = V̂/(4α) and ∂E M/∂m = −m̂/(2α) by Gaussian integration by parts, within the sampling error.
  constexpr double kStep = 2e-2;
  for (const int tokens : {2, 3, 4}) {
    const model::Problem problem = softmax(tokens, 0.4, 0.2);
    const auto channel = make_output_channel(problem, kQStar, SobolRule{tokens == 4 ? 12 : 13});
    const Overlaps at{1.0, 0.8, 0.5};
    const double alpha = problem.alpha;
    const auto difference = [&](Overlaps up, Overlaps down, int r) {
      return (mean_envelope(*channel, up, alpha, r) - mean_envelope(*channel, down, alpha, r)) / (2 * kStep);
    };
    const Estimate V_hat = over_replicates(*channel, [&](int r) {
      const double slope = difference({at.q + kStep, at.m, at.V}, {at.q - kStep, at.m, at.V}, r);
      return channel->evaluate(at, r).conjugates.V_hat - 4 * alpha * slope;
    });
    const Estimate m_hat = over_replicates(*channel, [&](int r) {
      const double slope = difference({at.q, at.m + kStep, at.V}, {at.q, at.m - kStep, at.V}, r);
      return channel->evaluate(at, r).conjugates.m_hat + 2 * alpha * slope;
    });
    const auto conjugates = channel->evaluate(at).conjugates;
    const double kTruncation = kStep * kStep;
    EXPECT_NEAR(V_hat.mean, 0, kErrors * V_hat.error + kTruncation * conjugates.V_hat) << "T " << tokens;
    EXPECT_NEAR(m_hat.mean, 0, kErrors * m_hat.error + kTruncation * conjugates.m_hat) << "T " << tokens;
    EXPECT_LT(V_hat.error, 0.02 * conjugates.V_hat);
    EXPECT_LT(m_hat.error, 0.02 * conjugates.m_hat);
  }
}

TEST(SampledChannel, NoStudentIsTheLimitOfASmallOne) {
  for (const int tokens : {2, 3, 5}) {
    const auto channel = make_output_channel(softmax(tokens, 0.4, 0.3), kQStar, SobolRule{13});
    const auto zero = channel->evaluate_at_zero();
    const Overlaps small{1e-4, 0, 1e-4};
    const auto near = channel->evaluate(small);
    EXPECT_NEAR(near.train, zero.train, 2e-3 * zero.train);
    EXPECT_NEAR(near.conjugates.q_hat, zero.conjugates.q_hat, 4e-3 * zero.conjugates.q_hat);
    EXPECT_NEAR(near.conjugates.m_hat, zero.conjugates.m_hat, 4e-3 * zero.conjugates.m_hat);
    const Estimate V_hat =
        over_replicates(*channel, [&](int r) { return channel->evaluate(small, r).conjugates.V_hat; });
    EXPECT_NEAR(V_hat.mean, zero.conjugates.V_hat, kErrors * V_hat.error + 4e-3 * zero.conjugates.V_hat);
    EXPECT_NEAR(channel->test({1e-12, 0, 1}), channel->test({}), 1e-4 * channel->test({}));
  }
}

TEST(SampledChannel, ReplicatesAverageToTheWhole) {
  const auto channel = make_output_channel(softmax(3), kQStar, SobolRule{8});
  const Overlaps at{1, 0.8, 0.5};
  double q_hat = 0, V_hat = 0, train = 0, test = 0;
  for (int r = 0; r < channel->replicates(); ++r) {
    const auto result = channel->evaluate(at, r);
    q_hat += result.conjugates.q_hat / channel->replicates();
    V_hat += result.conjugates.V_hat / channel->replicates();
    train += result.train / channel->replicates();
    test += channel->test(at, r) / channel->replicates();
  }
  const auto whole = channel->evaluate(at);
  EXPECT_NEAR(whole.conjugates.q_hat, q_hat, 1e-13 * q_hat);
  EXPECT_NEAR(whole.conjugates.V_hat, V_hat, 1e-13 * V_hat);
  EXPECT_NEAR(whole.train, train, 1e-13);
  EXPECT_NEAR(channel->test(at), test, 1e-13);
}

TEST(SampledChannel, ARowTellsTheTestErrorOfASequence) {
  // By all coordinates and the definition: a student of V = 0 is trained to its own field.
  const Overlaps at{1, 0.8, 1e-9};
  for (const int tokens : {3, 4}) {
    const auto channel = make_output_channel(softmax(tokens), kQStar, SobolRule{12});
    const Estimate whole = over_replicates(*channel, [&](int r) { return channel->evaluate(at, r).train; });
    const Estimate row = over_replicates(*channel, [&](int r) { return channel->test(at, r); });
    EXPECT_NEAR(row.mean, whole.mean, kErrors * std::hypot(row.error, whole.error));
  }
}

TEST(SampledChannel, FollowedMinimaAreThoseOfASearch) {
  const auto channel = make_output_channel(softmax(3, 0.3, 0.2), kQStar, SobolRule{8});
  const Overlaps at{0.6, 0.7, 2}, beside{0.61, 0.71, 2.05};
  ChannelWorkspace workspace;
  channel->evaluate(beside, OutputChannel::kAll, &workspace);
  EXPECT_TRUE(workspace.searched);
  const auto followed = channel->evaluate(at, OutputChannel::kAll, &workspace);
  EXPECT_FALSE(workspace.searched);
  const auto searched = channel->evaluate(at);
  EXPECT_NEAR(followed.conjugates.q_hat, searched.conjugates.q_hat, 1e-8 * searched.conjugates.q_hat);
  EXPECT_NEAR(followed.conjugates.V_hat, searched.conjugates.V_hat, 1e-8 * searched.conjugates.V_hat);
  EXPECT_NEAR(followed.train, searched.train, 1e-8 * searched.train);
  EXPECT_EQ(workspace.several, 0);
  channel->evaluate({1.2, 0.7, 2}, OutputChannel::kAll, &workspace);
  EXPECT_TRUE(workspace.searched) << "that is too far";
  // Fields of large variance on a soft spring have several minima: there every pass searches, in full or briefly.
  channel->evaluate({30, 1.5, 40}, OutputChannel::kAll, &workspace);
  EXPECT_GT(workspace.several, 0);
  EXPECT_TRUE(workspace.searched);
  const double several = workspace.several;
  const Overlaps next{30.05, 1.5, 40.1};
  const double brief = channel->evaluate(next, OutputChannel::kAll, &workspace).train;
  EXPECT_FALSE(workspace.searched);
  EXPECT_NEAR(workspace.several, several, 1e-3 * several) << "fewer starts find fewer minima";
  EXPECT_NEAR(brief, channel->evaluate(next).train, 1e-6 * brief);
  channel->evaluate({32, 1.5, 40}, OutputChannel::kAll, &workspace);
  EXPECT_TRUE(workspace.searched) << "some may have jumped";
}

TEST(SampledChannel, EnvelopesBalanceWhereTheirMinimaAreTheLowest) {
  // E M (‖ρ‖² − K) = E ρ·∂M/∂ρ for the continuous envelope M of the lowest minima; not for that of minima which follow
  // from those of a stiff spring, next to the student's field, when it softens.
  for (const int tokens : {3, 4}) {
    const auto channel = make_output_channel(softmax(tokens, 0.3, 0.2), kQStar, SobolRule{11});
    const Overlaps stiff{30, 1.5, 0.01}, soft{30, 1.5, 40};
    const auto imbalance = [&](ChannelWorkspace& workspace) {
      channel->evaluate(soft, OutputChannel::kAll, &workspace);
      return over_replicates(*channel, [&](int r) { return channel->evaluate(soft, r, &workspace).imbalance; });
    };
    ChannelWorkspace fresh, followed;
    const Estimate lowest = imbalance(fresh);
    EXPECT_NEAR(lowest.mean, 0, kErrors * lowest.error);
    EXPECT_LT(lowest.error, 0.02);
    channel->evaluate(stiff, OutputChannel::kAll, &followed);
    followed.searched_at = soft, followed.several = 0;
    const Estimate local = imbalance(followed);
    ASSERT_FALSE(followed.searched);
    EXPECT_GT(std::abs(local.mean), 10 * local.error + 0.02);
  }
}

TEST(SampledChannel, FinerPointsBeginWithThoseOfCoarserOnes) {
  // With what a coarser set has left in a workspace, a finer one gives what it gives by itself.
  model::Problem sampled = softmax(2, 0.4);
  sampled.loss = model::Loss::cross_entropy;
  sampled.labels = model::Labels::sampled;
  model::Problem general = softmax(3, 0.4, 0.3);
  general.student = model::Student::direct;
  for (const model::Problem& problem : {softmax(3, 0.4, 0.3), softmax(3, 0.4), sampled, general}) {
    const double general_share = problem.two_sectors() ? 0.2 : 0;
    const Overlaps at{0.8, 0.7, 2.0, general_share, 10 * general_share};
    ChannelWorkspace workspace;
    make_output_channel(problem, kQStar, SobolRule{8})->evaluate(at, OutputChannel::kAll, &workspace);
    workspace.begin_finer();
    const auto finer = make_output_channel(problem, kQStar, SobolRule{10});
    const auto alone = finer->evaluate(at), followed = finer->evaluate(at, OutputChannel::kAll, &workspace);
    EXPECT_NEAR(followed.train, alone.train, 1e-7);
    EXPECT_NEAR(followed.conjugates.q_hat, alone.conjugates.q_hat, 1e-7);
    EXPECT_NEAR(followed.conjugates.m_hat, alone.conjugates.m_hat, 1e-5);
    EXPECT_NEAR(followed.conjugates.V_hat, alone.conjugates.V_hat, 1e-5);
  }
}

TEST(SampledChannel, GridsAndSobolPointsAgree) {
  model::Problem entry = softmax(2, 0.4, 0.3), cross = entry, entropy = entry;
  entry.readout = model::Readout::entry;
  cross = samples::crossed(cross, 2, 2);
  entropy.loss = model::Loss::cross_entropy;
  const Overlaps at{0.9, 0.8, 0.7};
  for (const model::Problem& problem : {softmax(2, 0.4, 0.3), entry, cross, entropy}) {
    const auto grid = make_output_channel(problem, kQStar, GridRule{.label_step = 0.25, .radius = 7, .hermite = 10});
    const auto sobol = make_output_channel(problem, kQStar, SobolRule{13});
    const auto exact = grid->evaluate(at);
    const auto expect = [&](double value, const auto& figure) {
      const Estimate estimate = over_replicates(*sobol, [&](int r) { return figure(sobol->evaluate(at, r)); });
      EXPECT_NEAR(estimate.mean, value, kErrors * estimate.error + 1e-6 * value);
    };
    expect(exact.conjugates.q_hat, [](const auto& result) { return result.conjugates.q_hat; });
    expect(exact.conjugates.m_hat, [](const auto& result) { return result.conjugates.m_hat; });
    expect(exact.conjugates.V_hat, [](const auto& result) { return result.conjugates.V_hat; });
    expect(exact.train, [](const auto& result) { return result.train; });
  }
}

TEST(SampledChannel, PerfectStudentHasNoTestError) {
  for (const int tokens : {2, 3, 5})
    EXPECT_LT(make_output_channel(softmax(tokens), kQStar, SobolRule{8})->test({kQStar, kQStar, 1}), 1e-20);
}

TEST(SampledChannel, SoftSpringsReachTheLabelAndStiffOnesLeaveTheStudent) {
  for (const int tokens : {2, 3, 4, 5}) {
    // Test errors are sums over rows; for more than two scores ARowTellsTheTestErrorOfASequence compares them.
    const PointRule rule =
        tokens == 2 ? PointRule(GridRule{.label_step = 0.3, .radius = 7.5, .hermite = 24}) : PointRule(SobolRule{8});
    const auto channel = make_output_channel(softmax(tokens), kQStar, rule);
    // The label's own field bounds the envelope: train ≤ E|t − ω|²/(2V), over the visible coordinates.
    const Overlaps soft{1, 0.8, 1e4};
    const double visible = tokens * (tokens + 1) / 2.0 - 1;
    EXPECT_LT(channel->evaluate(soft).train, 1.05 * visible * (kQStar - 2 * soft.m + soft.q) / (2 * soft.V));
    const Overlaps stiff{1, 0.8, 1e-9};
    if (tokens > 2) continue;
    EXPECT_NEAR(channel->evaluate(stiff).train, channel->test(stiff), 1e-7);
  }
}

TEST(LinearChannel, IsTheClosedFormOfTheSquareLoss) {
  // q̂ = 2αK (Q* − 2m + q + Δ)/(V + 1/4)², m̂ = V̂ = 2αK/(V + 1/4); residual of the prox: shrunk by (1/4)/(V + 1/4).
  const double alpha = 0.7, noise = 0.3;
  const Overlaps at{1.1, 0.9, 0.6};
  for (const int tokens : {1, 2, 4}) {
    const double K = tokens * (tokens + 1) / 2.0, error = kQStar - 2 * at.m + at.q, width = at.V + 0.25;
    const LinearChannel channel(linear(tokens, alpha, noise), kQStar);
    const auto result = channel.evaluate(at, OutputChannel::kAll, nullptr);
    EXPECT_NEAR(result.conjugates.q_hat, 2 * alpha * K * (error + noise) / (width * width), 1e-13);
    EXPECT_NEAR(result.conjugates.m_hat, 2 * alpha * K / width, 1e-13);
    EXPECT_EQ(result.conjugates.V_hat, result.conjugates.m_hat);
    EXPECT_NEAR(result.train, 2 * K * (error + noise) * std::pow(0.25 / width, 2), 1e-13);
    EXPECT_NEAR(channel.test(at, OutputChannel::kAll), 2 * K * error, 1e-13);
    EXPECT_NEAR(channel.squared_response(at, nullptr).symmetric.symmetric, 2 * alpha * K / (width * width), 1e-13);
    EXPECT_EQ(channel.replicates(), 1);
  }
}

TEST(LinearChannel, OneTokenIsTheQuadraticNetwork) {
  // ℓ = (y − h)², h = √2 z: labels of noise variance Δ_y have Δ = Δ_y/2 in z.
  const double alpha = 0.9, label_noise = 0.1;
  const Overlaps at{0.8, 0.7, 0.4};
  const auto [q_hat, m_hat, V_hat, q_hat_a, V_hat_a] =
      make_output_channel(linear(1, alpha, label_noise / 2), 1, SobolRule{0})->evaluate(at).conjugates;
  EXPECT_NEAR(q_hat, 2 * alpha * (1 - 2 * at.m + at.q + label_noise / 2) / std::pow(at.V + 0.25, 2), 1e-14);
  EXPECT_NEAR(m_hat, 2 * alpha / (at.V + 0.25), 1e-14);
  EXPECT_EQ(m_hat, V_hat);
}

TEST(LinearChannel, NoStudentIsTheLimitOfASmallOne) {
  const auto channel = make_output_channel(linear(2, 0.4, 0.3), kQStar, SobolRule{0});
  const auto zero = channel->evaluate_at_zero(), near = channel->evaluate({1e-12, 0, 1e-12});
  EXPECT_NEAR(near.conjugates.q_hat, zero.conjugates.q_hat, 1e-9);
  EXPECT_NEAR(near.conjugates.V_hat, zero.conjugates.V_hat, 1e-9);
  EXPECT_NEAR(near.train, zero.train, 1e-10);
}

}  // namespace
}  // namespace attnlaw::theory
