/// Sampled channels of any loss and label law against brute force: sequences drawn one by one with labels drawn, not
/// summed, and the proximal point in the coordinates of the scores themselves.

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "attnlaw/theory/channel/output_channel.h"
#include "attnlaw/theory/channel/sign_channel.h"
#include "attnlaw/theory/solve.h"
#include "problems.h"

namespace attnlaw::theory {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kQStar = 1.5;

/// Scores of a label, row by row, as a linear map of the normalised coordinates z: h = F z.
struct Scores {
  MatrixXd F;
  int rows, columns;
};

Scores self_scores(int T) {
  Scores scores{MatrixXd::Zero(T * T, T * (T + 1) / 2), T, T};
  for (int a = 0; a < T; ++a)
    for (int b = 0; b < T; ++b) {
      const int high = std::max(a, b), low = std::min(a, b);
      scores.F(a * T + b, high * (high + 1) / 2 + low) = a == b ? std::sqrt(2.0) : 1;
    }
  return scores;
}

Scores cross_scores(int T1, int T2) { return {MatrixXd::Identity(T1 * T2, T1 * T2), T1, T2}; }

/// The first row alone: of self-attention h_11 = √2 z_11.
Scores first_row(bool cross, int T) {
  Scores scores = cross_scores(1, T);
  if (!cross) scores.F(0, 0) = std::sqrt(2.0);
  return scores;
}

VectorXd softmax(const Scores& scores, const VectorXd& z, double beta) {
  VectorXd p = beta * (scores.F * z);
  for (int a = 0; a < scores.rows; ++a) {
    auto row = p.segment(a * scores.columns, scores.columns);
    row = (row.array() - row.maxCoeff()).exp();
    row /= row.sum();
  }
  return p;
}

/// ℓ of softmax outputs p against the rows y, with its slope and a positive part of its curvature in β h.
struct PlainLoss {
  double (*value)(const VectorXd& y, const VectorXd& p);
  VectorXd (*slope)(const VectorXd& y, const VectorXd& p);
  /// The curvature at one row p.
  MatrixXd (*curvature)(const VectorXd& p);
};

/// ∂p/∂(β h) of one row.
MatrixXd slopes_of_row(const VectorXd& p) { return MatrixXd(p.asDiagonal()) - p * p.transpose(); }

const PlainLoss kCrossEntropy{[](const VectorXd& y, const VectorXd& p) { return -(y.array() * p.array().log()).sum(); },
                              [](const VectorXd& y, const VectorXd& p) { return VectorXd(p - y); }, slopes_of_row};

/// (y_1 − p_1)² of the first entry; Gauss-Newton curvature.
const PlainLoss kEntry{
    [](const VectorXd& y, const VectorXd& p) { return std::pow(y[0] - p[0], 2); },
    [](const VectorXd& y, const VectorXd& p) { return VectorXd(2 * (p[0] - y[0]) * slopes_of_row(p).col(0)); },
    [](const VectorXd& p) { return MatrixXd(2 * slopes_of_row(p).col(0) * slopes_of_row(p).row(0)); }};

/// ‖y − p‖² of one row; Gauss-Newton curvature.
const PlainLoss kSquare{[](const VectorXd& y, const VectorXd& p) { return (y - p).squaredNorm(); },
                        [](const VectorXd& y, const VectorXd& p) { return VectorXd(2 * slopes_of_row(p) * (p - y)); },
                        [](const VectorXd& p) { return MatrixXd(2 * slopes_of_row(p) * slopes_of_row(p)); }};

/// argmin of ℓ + |z − ω|²/(2V) from ω, by Newton steps halved until they descend.
VectorXd proximal_point(const PlainLoss& loss, const Scores& scores, const VectorXd& y, const VectorXd& omega,
                        double beta, double V) {
  const auto value = [&](const VectorXd& z) {
    return loss.value(y, softmax(scores, z, beta)) + (z - omega).squaredNorm() / (2 * V);
  };
  VectorXd z = omega;
  for (int step = 0; step < 200; ++step) {
    const VectorXd p = softmax(scores, z, beta);
    const VectorXd gradient = beta * scores.F.transpose() * loss.slope(y, p) + (z - omega) / V;
    MatrixXd curvature = MatrixXd::Zero(p.size(), p.size());
    for (Eigen::Index first = 0; first < p.size(); first += scores.columns)
      curvature.block(first, first, scores.columns, scores.columns) = loss.curvature(p.segment(first, scores.columns));
    const MatrixXd hessian =
        beta * beta * scores.F.transpose() * curvature * scores.F + MatrixXd::Identity(z.size(), z.size()) / V;
    VectorXd move = -hessian.ldlt().solve(gradient);
    for (const double before = value(z); value(z + move) > before + 1e-12 && move.norm() > 1e-9;) move *= 0.5;
    z += move;
    if (move.norm() < 1e-9) break;
  }
  return z;
}

struct Average {
  double sum = 0, square = 0;
  int count = 0;
  void add(double x) { sum += x, square += x * x, ++count; }
  double mean() const { return sum / count; }
  double error() const { return std::sqrt((square / count - mean() * mean()) / count); }
};

/// Five standard errors: one figure in two million would be beyond by chance.
void expect_average(const Average& average, double scale, double value, const char* name) {
  EXPECT_NEAR(scale * average.mean(), value, 5 * scale * average.error()) << name;
}

void expect_brute_force(const PlainLoss& loss, const model::Problem& problem, const Scores& scores, const Overlaps& at,
                        int samples) {
  SCOPED_TRACE(model::tokens_text(problem) + " " + model::name(problem.labels));
  std::mt19937_64 generator(17);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  const auto draw = [&](Eigen::Index n) {
    return VectorXd(VectorXd::NullaryExpr(n, [&] { return normal(generator); }));
  };
  const double spread = std::sqrt(kQStar + problem.noise - at.m * at.m / at.q);
  const Eigen::Index K = scores.F.cols();
  Average q_hat, m_hat, V_hat, train, test;
  for (int i = 0; i < samples; ++i) {
    const VectorXd epsilon = draw(K), eta = draw(K), omega = std::sqrt(at.q) * epsilon;
    VectorXd y = softmax(scores, at.m / at.q * omega + spread * eta, problem.target_beta);
    if (problem.labels == model::Labels::sampled)
      for (int a = 0; a < scores.rows; ++a) {
        auto row = y.segment(a * scores.columns, scores.columns);
        double left = uniform(generator);
        int chosen = 0;
        while (chosen + 1 < scores.columns && left > row[chosen]) left -= row[chosen++];
        row.setZero();
        row[chosen] = 1;
      }
    const VectorXd z = proximal_point(loss, scores, y, omega, problem.beta, at.V), g = (z - omega) / at.V;
    const double along = g.dot(epsilon) / std::sqrt(at.q), across = g.dot(eta) / spread;
    q_hat.add(g.squaredNorm());
    m_hat.add(across);
    V_hat.add(at.m / at.q * across - along);
    train.add(loss.value(y, softmax(scores, z, problem.beta)));
    const VectorXd clean = at.m / at.q * omega + std::sqrt(kQStar - at.m * at.m / at.q) * eta;
    test.add(loss.value(softmax(scores, clean, problem.target_beta), softmax(scores, omega, problem.beta)));
  }
  const auto channel = make_output_channel(problem, kQStar, SobolRule{problem.tokens + problem.keys() > 4 ? 9 : 11});
  const auto result = channel->evaluate(at);
  const double gain = problem.symmetry() * problem.alpha;
  expect_average(q_hat, gain, result.conjugates.q_hat, "q_hat");
  expect_average(m_hat, gain, result.conjugates.m_hat, "m_hat");
  expect_average(V_hat, gain, result.conjugates.V_hat, "V_hat");
  expect_average(train, 1, result.train, "train");
  expect_average(test, 1, channel->test(at), "test");
}

model::Problem cross_entropy(int tokens, model::Labels labels) {
  model::Problem problem;
  problem.tokens = tokens;
  problem.alpha = 0.7;
  problem.beta = 1.3;
  problem.target_beta = 0.8;
  problem.noise = 0.3;
  problem.loss = model::Loss::cross_entropy;
  problem.labels = labels;
  return problem;
}

model::Problem crossed(int queries, int keys, model::Labels labels) {
  return samples::crossed(cross_entropy(queries, labels), queries, keys);
}

TEST(CrossEntropyChannel, IsWhatDrawnSequencesGive) {
  const Overlaps at{1.2, 0.9, 1.5};
  expect_brute_force(kCrossEntropy, cross_entropy(2, model::Labels::soft), self_scores(2), at, 20000);
  expect_brute_force(kCrossEntropy, cross_entropy(2, model::Labels::sampled), self_scores(2), at, 20000);
  expect_brute_force(kCrossEntropy, cross_entropy(3, model::Labels::sampled), self_scores(3), at, 8000);
  // A number of tokens known at run time only.
  expect_brute_force(kCrossEntropy, cross_entropy(5, model::Labels::soft), self_scores(5), at, 3000);
}

TEST(CrossEntropyChannel, IsWhatDrawnSequencesOfCrossAttentionGive) {
  const Overlaps at{1.2, 0.9, 1.5};
  expect_brute_force(kCrossEntropy, crossed(2, 2, model::Labels::soft), cross_scores(2, 2), at, 10000);
  expect_brute_force(kCrossEntropy, crossed(2, 2, model::Labels::sampled), cross_scores(2, 2), at, 20000);
  expect_brute_force(kCrossEntropy, crossed(2, 3, model::Labels::sampled), cross_scores(2, 3), at, 10000);
  expect_brute_force(kCrossEntropy, crossed(2, 5, model::Labels::soft), cross_scores(2, 5), at, 5000);
  expect_brute_force(kCrossEntropy, crossed(1, 6, model::Labels::sampled), cross_scores(1, 6), at, 10000);
}

TEST(EntryChannel, IsWhatDrawnRowsGive) {
  // One minimum: along a unit direction of z, ∂²p_1 is at most β² 3/(6√3), as no difference of scores varies by more
  // than 3, and 2β² 3/(6√3) = 0.98 < 1/V.
  const Overlaps at{1.2, 0.9, 0.8};
  for (const bool cross : {false, true})
    for (const int tokens : {2, 3, 5}) {
      model::Problem problem =
          cross ? crossed(1, tokens, model::Labels::soft) : cross_entropy(tokens, model::Labels::soft);
      problem.loss = model::Loss::square;
      problem.readout = model::Readout::entry;
      expect_brute_force(kEntry, problem, first_row(cross, tokens), at, 20000);
    }
}

/// The equations of a direct student of cross-attention: S = M/(V̂ + 2λ), and conjugates that drawn rows give at its
/// overlaps; with a temperature of its own.
TEST(DirectStudent, OfCrossAttentionSolvesBothOfItsEquations) {
  for (const int keys : {3, 5}) {
    model::Problem problem = crossed(2, keys, model::Labels::soft);
    problem.loss = model::Loss::square;
    problem.student = model::Student::direct;
    problem.lambda = 0.7;  // V < 1/(2λ): one minimum, as |y − p| |∂²p| ≤ √2 β² 2√2/(6√3) makes 1.3 < 1/V of it
    problem.target = model::Target::parse("spikes:2,1.6,0.6633249580710796");  // Q* = 1.5
    ASSERT_NEAR(problem.target.Q_star(), kQStar, 1e-12);
    constexpr double kAccuracy = 1e-3;
    const Solution solution = solve(problem, {kAccuracy, {}});
    ASSERT_TRUE(solution.diagnostics.converged) << solution.diagnostics.message;
    const auto& [q_hat, m_hat, V_hat, q_hat_a, V_hat_a] = solution.conjugates;
    const double V = 1 / (V_hat + 2 * problem.lambda);
    EXPECT_NEAR(solution.overlaps.V, V, 1e-6);
    EXPECT_NEAR(solution.overlaps.m, m_hat * kQStar * V, 1e-6);
    EXPECT_NEAR(solution.overlaps.q, (m_hat * m_hat * kQStar + q_hat) * V * V, 1e-6);
    model::Problem row = problem;
    row.tokens = 1, row.alpha = 2 * problem.alpha;
    expect_brute_force(kSquare, row, cross_scores(1, keys), solution.overlaps, 20000);
  }
}

/// E of the Moreau envelope, up to sampling: train + V q̂/(2 gain).
double mean_envelope(const OutputChannel& channel, const Overlaps& at, double gain, int replicate) {
  const auto result = channel.evaluate(at, replicate);
  return result.train + at.V * result.conjugates.q_hat / (2 * gain);
}

/// dM/dV = −|g|²/2 point by point holds for the global minimum only, jumps or not: q̂ = −2 gain d E M/dV.
void expect_envelope_falls_by_the_fluctuation(const model::Problem& problem) {
  constexpr double kStep = 1e-3;
  const auto channel = make_output_channel(problem, kQStar, SobolRule{9});
  const double gain = problem.symmetry() * problem.alpha;
  for (const double V : {0.1, 2.0, 30.0}) {
    const Overlaps at{1.2, 0.8, V};
    const auto envelope = [&](double scale) {
      return mean_envelope(*channel, {at.q, at.m, scale * V}, gain, OutputChannel::kAll);
    };
    const double slope = (envelope(1 + kStep) - envelope(1 - kStep)) / (2 * kStep * V);
    const double q_hat = channel->evaluate(at).conjugates.q_hat;
    EXPECT_NEAR(-2 * gain * slope, q_hat, 1e-3 * q_hat)
        << model::tokens_text(problem) << ' ' << model::name(problem.loss) << " V " << V;
  }
}

TEST(AnyChannel, FluctuationIsTheDerivativeOfTheEnvelopeInV) {
  for (const int tokens : {2, 3, 5}) {
    model::Problem problem = cross_entropy(tokens, model::Labels::soft);
    expect_envelope_falls_by_the_fluctuation(problem);
    problem.loss = model::Loss::square;
    problem.readout = model::Readout::entry;
    expect_envelope_falls_by_the_fluctuation(problem);
    model::Problem crossing = crossed(2, tokens, model::Labels::sampled);
    expect_envelope_falls_by_the_fluctuation(crossing);
    crossing.labels = model::Labels::soft;
    crossing.loss = model::Loss::square;
    expect_envelope_falls_by_the_fluctuation(crossing);
    crossing.readout = model::Readout::entry;
    expect_envelope_falls_by_the_fluctuation(crossing);
  }
}

TEST(AnyChannel, NoStudentIsTheLimitOfASmallOne) {
  const Overlaps small{1e-4, 0, 1e-4};
  for (const model::Problem& problem : {cross_entropy(2, model::Labels::soft), cross_entropy(3, model::Labels::sampled),
                                        crossed(2, 2, model::Labels::sampled), crossed(1, 4, model::Labels::soft)}) {
    SCOPED_TRACE(model::tokens_text(problem));
    const auto channel = make_output_channel(problem, kQStar, SobolRule{10});
    const auto zero = channel->evaluate_at_zero(), near = channel->evaluate(small);
    EXPECT_NEAR(near.train, zero.train, 2e-3 * zero.train);
    EXPECT_NEAR(near.conjugates.q_hat, zero.conjugates.q_hat, 6e-3 * zero.conjugates.q_hat);
    EXPECT_NEAR(near.conjugates.m_hat, zero.conjugates.m_hat, 6e-3 * zero.conjugates.m_hat);
    // log T for every label, of each row.
    const double rows = problem.tokens;
    EXPECT_NEAR(zero.train, rows * std::log(problem.keys()), 1e-12);
    EXPECT_NEAR(channel->test({}), rows * std::log(problem.keys()), 1e-12);
  }
}

model::Problem sign_labels(double noise) {
  model::Problem problem;
  problem.alpha = 0.7;
  problem.noise = noise;
  problem.head = model::Head::linear;
  problem.readout = model::Readout::score;
  problem.labels = model::Labels::sign;
  problem.loss = model::Loss::logistic;
  return problem;
}

/// log(1 + e^{−yu}) + (u − ω)²/(2V), by bisection of its derivative.
double sign_point(double y, double omega, double V) {
  double low = omega - V, high = omega + V;
  for (int step = 0; step < 100; ++step) {
    const double u = 0.5 * (low + high);
    (-y / (1 + std::exp(y * u)) + (u - omega) / V < 0 ? low : high) = u;
  }
  return 0.5 * (low + high);
}

TEST(SignChannel, IsWhatDrawnScoresGive) {
  std::mt19937_64 generator(19);
  std::normal_distribution<double> normal;
  for (const double noise : {0.0, 0.4})
    for (const Overlaps& at : {Overlaps{9, 3.3, 4}, Overlaps{0.5, 0.3, 30}, Overlaps{40, 7, 0.3}}) {
      const SignChannel channel(sign_labels(noise), kQStar);
      const double spread = std::sqrt(kQStar + noise - at.m * at.m / at.q);
      Average q_hat, m_hat, V_hat, train, test, wrong;
      for (int i = 0; i < 100000; ++i) {
        const double epsilon = normal(generator), eta = normal(generator), omega = std::sqrt(at.q) * epsilon;
        const double y = at.m / at.q * omega + spread * eta > 0 ? 1 : -1;
        const double clean = at.m / at.q * omega + std::sqrt(kQStar - at.m * at.m / at.q) * eta > 0 ? 1 : -1;
        const double u = sign_point(y, omega, at.V), g = (u - omega) / at.V;
        const double along = g * epsilon / std::sqrt(at.q), across = g * eta / spread;
        q_hat.add(g * g);
        m_hat.add(across);
        V_hat.add(at.m / at.q * across - along);
        train.add(std::log1p(std::exp(-y * u)));
        test.add(std::log1p(std::exp(-clean * omega)));
        wrong.add(clean * omega < 0 ? 1 : 0);
      }
      const auto result = channel.evaluate(at, OutputChannel::kAll, nullptr);
      const double gain = 2 * 0.7;
      expect_average(q_hat, gain, result.conjugates.q_hat, "q_hat");
      expect_average(m_hat, gain, result.conjugates.m_hat, "m_hat");
      expect_average(V_hat, gain, result.conjugates.V_hat, "V_hat");
      expect_average(train, 1, result.train, "train");
      expect_average(test, 1, channel.test(at, OutputChannel::kAll), "test");
      expect_average(wrong, 1, channel.loss_figures(at)->sign_error, "sign error");
    }
}

TEST(SignChannel, IsExactInItsIdentities) {
  // d E M/dV = −q̂/(2 gain), and Stein's lemma for V̂ = 2 gain ∂E M/∂q, with no sampling error; also where labels are a
  // sharp step of ω.
  for (const Overlaps& at : {Overlaps{9, 3.3, 4}, Overlaps{1e4, 120, 1e3}, Overlaps{2, 1.7320, 0.01}}) {
    const SignChannel channel(sign_labels(0), kQStar);
    constexpr double kGain = 1.4, kStep = 1e-4;
    const auto envelope = [&](const Overlaps& overlaps) {
      return mean_envelope(channel, overlaps, kGain, OutputChannel::kAll);
    };
    const auto result = channel.evaluate(at, OutputChannel::kAll, nullptr);
    const double V = kStep * at.V;
    const double in_V = (envelope({at.q, at.m, at.V + V}) - envelope({at.q, at.m, at.V - V})) / (2 * V);
    EXPECT_NEAR(-2 * kGain * in_V, result.conjugates.q_hat, 1e-6 * result.conjugates.q_hat);
    const double q = 1e-7 * at.q;
    const double in_q = (envelope({at.q + q, at.m, at.V}) - envelope({at.q - q, at.m, at.V})) / (2 * q);
    EXPECT_NEAR(2 * kGain * in_q, result.conjugates.V_hat, 2e-3 * result.conjugates.V_hat);
    const double m = 1e-7 * at.m;
    const double in_m = (envelope({at.q, at.m + m, at.V}) - envelope({at.q, at.m - m, at.V})) / (2 * m);
    EXPECT_NEAR(-kGain * in_m, result.conjugates.m_hat, 2e-3 * result.conjugates.m_hat);
  }
}

TEST(SignChannel, NoStudentIsTheLimitOfASmallOne) {
  const SignChannel channel(sign_labels(0.3), kQStar);
  const auto zero = channel.evaluate_at_zero(0), near = channel.evaluate({1e-10, 0, 1e-10}, 0, nullptr);
  EXPECT_NEAR(near.conjugates.q_hat, zero.conjugates.q_hat, 1e-8);
  EXPECT_NEAR(near.conjugates.m_hat, zero.conjugates.m_hat, 1e-8);
  EXPECT_NEAR(near.conjugates.V_hat, zero.conjugates.V_hat, 1e-8);
  EXPECT_NEAR(near.train, std::numbers::ln2, 1e-8);
  EXPECT_EQ(zero.train, std::numbers::ln2);
}

}  // namespace
}  // namespace attnlaw::theory
