/// Tests of what a spectral start tells: closed forms, the numbers of docs/theory/lofi.md, sampled matrices.
#include "attnlaw/model/spectral_start.h"

#include <gtest/gtest.h>

#include <cmath>

#include "attnlaw/base/random.h"
#include "attnlaw/matrix_laws/optimal_denoiser.h"
#include "decompositions.h"

namespace attnlaw::model {
namespace {

using matrix_laws::Spectrum;
using matrix_laws::WishartSpectrum;

TEST(SpectralStarts, HaveTheCosinesOfTheNote) {
  struct Row {
    double kappa, variance, linear, positive, best, estimation;
  };
  for (const Row& row : {Row{.5, 1.25, .7386, .8183, .8357, .4525}, Row{.5, 1.491, .7082, .7981, .8172, .4982},
                         Row{.5, .375, .8944, .9230, .9305, .2011}, Row{.1, 2.75, .5345, .6621, .7879, .4171}}) {
    const WishartSpectrum target{row.kappa, 1};
    const SpectralStarts starts = spectral_starts(target, row.variance);
    const double Q_star = 1 + row.kappa;
    EXPECT_NEAR(starts.linear.cosine, 1 / std::sqrt(1 + row.variance / Q_star), 1e-9);
    // The law is certified to 1e-13; the note's last digit is off by one in places.
    EXPECT_NEAR(starts.linear.cosine, row.linear, 1e-4);
    EXPECT_NEAR(starts.positive.cosine, row.positive, 1e-4);
    EXPECT_NEAR(starts.best.cosine, row.best, 1e-4);
    EXPECT_NEAR(starts.best.m, starts.best.q, 1e-9);
    EXPECT_NEAR(starts.estimation, row.estimation, 1e-4);
    const matrix_laws::OptimalDenoiser denoiser(target, row.variance);
    EXPECT_NEAR(starts.estimation, denoiser.mean_square_error(), 1e-9);
  }
}

TEST(SpectralStarts, TheNoiseIsThatOfTheLabels) {
  EXPECT_NEAR(spectral_start_variance(1.5, 0, .3, 2), 1.25, 1e-12);
  EXPECT_NEAR(spectral_start_variance(1.5, 0, .3, 2, .8), 1.25 / .8, 1e-12);
  Problem problem;
  problem.tokens = 3;
  problem.alpha = .2;
  problem.noise = .5;
  EXPECT_NEAR(spectral_start_variance(problem, 1.5), 2 / (2 * .2 * 5), 1e-12);
  problem.head = Head::linear;
  EXPECT_NEAR(spectral_start_variance(problem, 1.5), 2 / (2 * .2 * 6), 1e-12);
}

TEST(SpectralStarts, LabelsThatShowNoScoreAreRefused) {
  Problem problem;
  problem.head = Head::hardmax;
  EXPECT_THROW(spectral_start_variance(problem, 1.5), std::invalid_argument);
  EXPECT_THROW(spectral_start_variance(1.5, 0, .3, 0), std::invalid_argument);
  EXPECT_THROW(spectral_start_variance(0, 0, .3, 2), std::invalid_argument);
  EXPECT_THROW(spectral_start_variance(1.5, -1, .3, 2), std::invalid_argument);
  EXPECT_THROW(spectral_start_variance(1.5, 0, .3, 2, 1.1), std::invalid_argument);
}

Problem of_student(Student student) {
  Problem problem;
  problem.student = student;
  problem.alpha = .3;
  if (student == Student::bayes) problem.lambda_rule = LambdaRule::none;
  return problem;
}

/// E S* f(R) = E f(R)² says that no multiple of the start is nearer to S*.
TEST(SpectralStarts, AreTheNearestMultiples) {
  for (const Student student : {Student::direct, Student::direct_general, Student::bayes}) {
    const Problem problem = of_student(student);
    const SpectralStart start = spectral_start(problem, problem.target.spectrum());
    EXPECT_NEAR(start.m, start.q, 1e-9);
  }
  const Problem problem = of_student(Student::direct);
  EXPECT_NEAR(spectral_shrinkage(problem), 1.5 / 2.75, 1e-12);
}

TEST(SpectralStarts, StudentsWithATemperatureOfTheirOwnStartAtTheirOwnScale) {
  for (const Student student : {Student::tied, Student::direct}) {
    Problem problem = of_student(student);
    const SpectralStart one = spectral_start(problem, problem.target.spectrum());
    problem.beta = 2;
    const SpectralStart two = spectral_start(problem, problem.target.spectrum());
    EXPECT_NEAR(two.q, one.q / 4, 1e-12);
    EXPECT_NEAR(two.m, one.m / 2, 1e-12);
    EXPECT_NEAR(two.cosine, one.cosine, 1e-12);
  }
}

/// More columns than there are positive eigenvalues change nothing; with fewer the start is that of a sampled matrix.
TEST(SpectralStarts, AStudentOfSmallWidthKeepsTheLargestEigenvalues) {
  constexpr int d = 300;
  Problem problem = of_student(Student::tied);
  const std::vector<double> eigenvalues = problem.target.eigenvalues(d, 1, 0);
  const Spectrum target = Spectrum::from_eigenvalues(eigenvalues);
  const double full = spectral_start(problem, target).q;
  const double variance = spectral_start_variance(problem, target.second_moment());
  Eigen::MatrixXd Z(d, d);
  base::NormalStream(7, 1).fill(0, std::span(Z.data(), static_cast<std::size_t>(Z.size())));
  Eigen::MatrixXd R = std::sqrt(variance / (2.0 * d)) * (Z + Z.transpose());
  for (int i = 0; i < d; ++i) R(i, i) += eigenvalues[static_cast<std::size_t>(i)];
  const test::Eigensystem system = test::eigensystem(R);
  double previous = 0;
  for (const double width : {.1, .3, .5}) {
    problem.width = width;
    const SpectralStart start = spectral_start(problem, target);
    const int kept = static_cast<int>(std::lround(width * d));
    const Eigen::VectorXd x = system.values.tail(kept);
    const Eigen::MatrixXd U = system.vectors.rightCols(kept), S = U * x.asDiagonal() * U.transpose();
    double m = 0;
    for (int i = 0; i < d; ++i) m += S(i, i) * eigenvalues[static_cast<std::size_t>(i)] / d;
    // One matrix scatters by about 1/d.
    EXPECT_NEAR(start.q, S.squaredNorm() / d, 4.0 / d * start.q);
    EXPECT_NEAR(start.m, m, 4.0 / d * start.m);
    EXPECT_GT(start.q, previous);
    previous = start.q;
  }
  EXPECT_LT(previous, full);
  problem.width = .9;
  EXPECT_NEAR(spectral_start(problem, target).q, full, 1e-9);
}

}  // namespace
}  // namespace attnlaw::model
