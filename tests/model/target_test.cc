#include "attnlaw/model/target.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>

#include "attnlaw/base/file.h"
#include "attnlaw/base/matrix.h"
#include "attnlaw/base/npy.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::model {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }
double sum_of_squares(const std::vector<double>& values) {
  return std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
}

TEST(Target, SpecificationsRoundTrip) {
  for (const char* spec : {"wishart:0.5", "wishart:2", "wishart:0.1", "wishart:1e-05", "powerlaw:1.25,400",
                           "powerlaw:0.75,400,100", "spikes:100,3,2,0.5", "spikes:4,-1,2,-0.25,1e+30"}) {
    EXPECT_EQ(Target::parse(spec).spec(), spec);
  }
  EXPECT_EQ(Target().spec(), "wishart:0.5");
  EXPECT_EQ(Target::parse("powerlaw:1,10,10").spec(), "powerlaw:1,10");
}

TEST(Target, RejectsBadSpecificationsByName) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "got ''"},
      {"wishart", "wishart:KAPPA"},
      {"goe:1", "got 'goe:1'"},
      {"Wishart:1", "got 'Wishart:1'"},
      {"wishart:", "got ''"},
      {"wishart:0", "must be > 0, got '0'"},
      {"wishart:-1", "must be > 0, got '-1'"},
      {"wishart:nan", "finite number, got 'nan'"},
      {"wishart:inf", "finite number, got 'inf'"},
      {"wishart:1e999", "finite number, got '1e999'"},
      {"wishart:0.5x", "got '0.5x'"},
      {"wishart:0.5,1", "got '0.5,1'"},
      {"wishart: 0.5", "got ' 0.5'"},
      {"powerlaw:1", "powerlaw:GAMMA,D[,CUTOFF]"},
      {"powerlaw:1,2,3,4", "powerlaw:GAMMA,D[,CUTOFF]"},
      {"powerlaw:0.5,100", "must be > 1/2, got '0.5'"},
      {"powerlaw:nan,100", "got 'nan'"},
      {"powerlaw:inf,100", "got 'inf'"},
      {"powerlaw:1,0", "integer >= 1, got '0'"},
      {"powerlaw:1,-5", "integer >= 1, got '-5'"},
      {"powerlaw:1,10.5", "integer >= 1, got '10.5'"},
      {"powerlaw:1,10,0", "cutoff"},
      {"powerlaw:1,10,11", "at most D = 10, got 11"},
      {"spikes:10", "at least one spike"},
      {"spikes:0,1", "integer >= 1, got '0'"},
      {"spikes:2,1,2,3", "at most D = 2 spikes, got 3"},
      {"spikes:2,1,", "got ''"},
      {"spikes:2,inf", "got 'inf'"},
      {"file:", "with a path"},
  };
  for (const auto& bad : cases) {
    const std::string spec = bad.first;
    EXPECT_THAT([&] { Target::parse(spec); }, ThrowsMessage<std::invalid_argument>(HasSubstr(bad.second))) << spec;
  }
}

class FileTargets : public testing::Test {
 protected:
  FileTargets()
      : path_((std::filesystem::temp_directory_path() / ("attnlaw_target_" + std::to_string(getpid()) +
                                                         testing::UnitTest::GetInstance()->current_test_info()->name()))
                  .string()) {}
  ~FileTargets() override { std::filesystem::remove(path_); }

  Target parse(const std::string& content) const {
    base::write_atomically(path_, content);
    return Target::parse("file:" + path_);
  }

  std::string path_;
};

TEST_F(FileTargets, IgnoreCommentsAndEmptyLines) {
  const Target target = parse("# three eigenvalues\n 1.5 # the middle one\n\n3\r\n\t-2\t\n");
  EXPECT_EQ(target.eigenvalues(3, 0, 0), (std::vector<double>{3, 1.5, -2}));
  EXPECT_DOUBLE_EQ(target.Q_star(), (9 + 2.25 + 4) / 3);
  EXPECT_EQ(target.spec(), "file:" + path_);
}

TEST_F(FileTargets, NamePathAndLineOfWhatIsNotANumber) {
  for (const char* bad : {"two", "inf", "nan", "1 2", "1,5", "0x10", "1e999"}) {
    EXPECT_THAT([&] { parse(std::string("1\n2\n") + bad + "\n"); },
                ThrowsMessage<std::invalid_argument>(
                    AllOf(HasSubstr(path_ + ":3:"), HasSubstr("finite eigenvalue"), HasSubstr(bad))));
  }
}

TEST_F(FileTargets, AreNotEmpty) {
  EXPECT_THAT([&] { parse(""); },
              ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr(path_), HasSubstr("at least one"))));
  EXPECT_THROW(parse("# nothing\n\n"), std::invalid_argument);
}

TEST_F(FileTargets, ThatAreMissingAreFileErrors) {
  EXPECT_THAT([&] { Target::parse("file:" + path_); }, ThrowsMessage<base::FileError>(HasSubstr(path_)));
}

/// S of 4 x 4 with the eigenvalues 3, 1, 1, −2, as its rows and in NumPy's format.
struct KnownMatrix {
  static constexpr int kSize = 4;
  base::Matrix<double> S = base::Matrix<double>(kSize, kSize);

  KnownMatrix() {
    // A reflection has orthogonal eigenvectors.
    Eigen::Vector4d u(1, 2, 3, 4);
    const Eigen::Matrix4d Q = Eigen::Matrix4d::Identity() - 2 * u * u.transpose() / u.squaredNorm();
    S = Q * Eigen::Vector4d(3, 1, 1, -2).asDiagonal() * Q;
    S = (0.5 * (S + S.transpose())).eval();
  }
  std::string rows() const {
    std::string text = "# a symmetric matrix\n";
    for (int i = 0; i < kSize; ++i) text += fmt::format("{}\n", fmt::join(S.row(i), " "));
    return text;
  }
  std::string npy() const { return base::npy_bytes({S.data(), static_cast<std::size_t>(S.size())}, kSize, kSize); }
};

void expect_near(const std::vector<double>& found, const std::vector<double>& expected, double error) {
  EXPECT_THAT(found, testing::Pointwise(testing::DoubleNear(error), expected));
}

TEST_F(FileTargets, ASquareMatrixIsItsEigenvaluesOrItsSingularValues) {
  const KnownMatrix known;
  for (const std::string& content : {known.rows(), known.npy()}) {
    const Target target = parse(content);
    expect_near(target.eigenvalues(4, 0, 0), {3, 1, 1, -2}, 1e-14);
    EXPECT_EQ(target.spectrum().discrete()->atoms.size(), 3U) << "both ones are the same eigenvalue";
    EXPECT_NEAR(target.Q_star(), known.S.squaredNorm() / 4, 1e-14);
    const Target singular = Target::parse(target.spec(), MatrixValues::singular_values);
    expect_near(singular.eigenvalues(4, 0, 0), {3, 2, 1, 1}, 1e-14);
  }
  // The last content of the path counts, and one column remains a list, in both formats.
  expect_near(parse("2 0\n0 1\n").eigenvalues(2, 0, 0), {2, 1}, 1e-14);
  EXPECT_EQ(parse(base::npy_bytes(std::vector<double>{1, 5, 2}, 3, 1)).eigenvalues(3, 0, 0),
            (std::vector<double>{5, 2, 1}));
}

TEST_F(FileTargets, OfSelfAttentionAreSymmetricUpToTheRoundingOfFloats) {
  KnownMatrix known;
  known.S(0, 1) *= 1 + 1e-6;
  expect_near(parse(known.npy()).eigenvalues(4, 0, 0), {3, 1, 1, -2}, 1e-5);
  known.S(0, 1) *= 1.1;
  EXPECT_THAT([&] { parse(known.npy()); }, ThrowsMessage<std::invalid_argument>(
                                               AllOf(HasSubstr(path_), HasSubstr("symmetric"), HasSubstr("S[1,2]"))));
  const Target singular = Target::parse("file:" + path_, MatrixValues::singular_values);
  EXPECT_NEAR(singular.Q_star(), known.S.squaredNorm() / 4, 1e-14);
}

TEST_F(FileTargets, AMatrixOfFloatsHasThePrecisionOfFloats) {
  KnownMatrix known;
  known.S = known.S.cast<float>().cast<double>();
  const Target target = parse(known.npy());
  EXPECT_EQ(target.spectrum().discrete()->atoms.size(), 3U);
  EXPECT_THAT(target.note(), AllOf(HasSubstr("single precision"), HasSubstr("3 different ones instead of 4")));
}

TEST_F(FileTargets, OfOtherShapesAreRefusedByTheirShape) {
  for (const auto& [content, shape] : {std::pair{"1 0.5\n2 0.5\n3 0.5\n", "3 x 2"}, std::pair{"1 2 3\n", "1 x 3"}})
    EXPECT_THAT([&] { parse(content); },
                ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr(path_), HasSubstr(shape), HasSubstr("square"))));
}

TEST_F(FileTargets, OfAProblemCountByWhatItsAttentionTakes) {
  base::write_atomically(path_, "1 0.5\n-0.5 1\n");
  const nlohmann::json cross{
      {"target", "file:" + path_}, {"attention", "cross"}, {"alpha", 1}, {"lambda", 0.1}, {"head", "linear"}};
  Problem problem = problem_from_json(cross);
  EXPECT_NEAR(problem.target.Q_star(), 1.25, 1e-14);
  nlohmann::json self = cross;
  self["attention"] = "self";
  EXPECT_THROW(problem_from_json(self), std::invalid_argument);
  problem.attention = Attention::self;
  problem.student = Student::tied;
  EXPECT_THAT([&] { problem.validate(); }, ThrowsMessage<std::invalid_argument>(HasSubstr("eigenvalues")));
}

TEST(PowerLaw, HasUnitSecondMomentAndItsExponent) {
  const Target target = Target::parse("powerlaw:1.25,200,150");
  const std::vector<double> s = target.eigenvalues(200, 1, 2);
  EXPECT_NEAR(sum_of_squares(s) / 200, 1, 1e-12);
  EXPECT_NEAR(target.Q_star(), 1, 1e-12);
  EXPECT_NEAR(s[9] / s[0], std::pow(10.0, -1.25), 1e-12);
  EXPECT_GT(s[149], 0);
  EXPECT_EQ(s[150], 0);
}

TEST(DiscreteTargets, RepeatEachEigenvalueInLargerDimensions) {
  const Target target = Target::parse("spikes:4,2,1");
  EXPECT_EQ(target.eigenvalues(8, 0, 0), (std::vector<double>{2, 2, 1, 1, 0, 0, 0, 0}));
  EXPECT_DOUBLE_EQ(target.Q_star(), 5.0 / 4);
}

TEST(DiscreteTargets, NeedADimensionThatIsAMultipleOfTheirs) {
  const Target target = Target::parse("spikes:4,2,1");
  for (const std::size_t d : {0U, 2U, 6U}) {
    EXPECT_THAT(
        [&] { target.require_dimension(d); },
        ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr("multiple of D"), HasSubstr("got " + std::to_string(d)))));
    EXPECT_THROW(target.eigenvalues(d, 0, 0), std::invalid_argument);
  }
}

class WishartTargets : public testing::TestWithParam<double> {};

/// Mean √κ and second moment 1 + κ (exactly 1 + κ + 1/d at finite d), within the fluctuations O(1/d) of linear
/// statistics.
TEST_P(WishartTargets, HaveTheMomentsOfTheirLaw) {
  const double kappa = GetParam();
  constexpr std::size_t kDimension = 200;
  constexpr int kInstances = 20;
  const Target target = Target::parse("wishart:" + std::to_string(kappa));
  double mean = 0, second = 0;
  for (int i = 0; i < kInstances; ++i) {
    const std::vector<double> s = target.eigenvalues(kDimension, 5, static_cast<std::uint64_t>(i));
    ASSERT_EQ(s.size(), kDimension);
    ASSERT_TRUE(std::is_sorted(s.begin(), s.end(), std::greater<>()));
    mean += sum(s) / kDimension / kInstances;
    second += sum_of_squares(s) / kDimension / kInstances;
  }
  // The trace fluctuates by √(2/(r d)) of itself, the second moment by about twice that: allow five standard errors.
  const double error = 5 * std::sqrt(2 / (kappa * kDimension * kDimension * kInstances));
  EXPECT_NEAR(mean, std::sqrt(kappa), std::sqrt(kappa) * error);
  EXPECT_NEAR(second, 1 + kappa + 1.0 / kDimension, 2 * (1 + kappa) * error);
  EXPECT_NEAR(target.Q_star(), 1 + kappa, 1e-12);
}
INSTANTIATE_TEST_SUITE_P(Kappa, WishartTargets, testing::Values(0.1, 0.5, 1.0, 2.0));

TEST(Product, HasTheMomentsOfItsLaw) {
  // Free cumulants κ b^n of even order n in the jump b = 1/√κ: moments 1 and 1/κ + 2.
  for (const double kappa : {0.1, 0.5, 1.0, 2.0}) {
    const Target target = Target::parse("product:" + std::to_string(kappa));
    EXPECT_DOUBLE_EQ(target.Q_star(), 1);
    constexpr std::size_t kSize = 200;
    const std::vector<double> values = target.eigenvalues(kSize, 1, 0);
    ASSERT_EQ(values.size(), kSize);
    EXPECT_TRUE(std::is_sorted(values.rbegin(), values.rend()));
    double second = 0, fourth = 0;
    for (const double s : values) second += s * s / kSize, fourth += std::pow(s, 4) / kSize;
    // Fluctuations and corrections are of relative order 1/rank.
    const auto rank = std::min<std::ptrdiff_t>(kSize, std::lround(kappa * kSize));
    const double share = 0.02 + 3 / static_cast<double>(rank);
    EXPECT_NEAR(second, 1, share);
    EXPECT_NEAR(fourth, 2 + 1 / kappa, share * (2 + 1 / kappa));
    EXPECT_NEAR(values.front(), target.spectrum().hull().upper, share * values.front());
    EXPECT_EQ(std::count(values.begin(), values.end(), 0.0), static_cast<std::ptrdiff_t>(kSize) - rank);
    EXPECT_EQ(values, target.eigenvalues(kSize, 1, 0));
    EXPECT_NE(values, target.eigenvalues(kSize, 1, 1));
  }
  EXPECT_EQ(Target::parse("product:0.25").spec(), "product:0.25");
  EXPECT_THROW(Target::parse("product:0.001").eigenvalues(100, 1, 0), std::invalid_argument);
  EXPECT_THROW(Target::parse("product:-1"), std::invalid_argument);
  EXPECT_GT(Target::parse("product:1e12").bytes_needed(100), 1e16);
}

TEST(Wishart, HasRankRoundOfKappaD) {
  const std::vector<double> s = Target::parse("wishart:0.3").eigenvalues(10, 1, 1);
  EXPECT_GT(s[2], 0);
  for (std::size_t i = 3; i < 10; ++i) EXPECT_EQ(s[i], 0);
}

TEST(Wishart, DependsOnSeedAndInstanceAlone) {
  const Target target = Target::parse("wishart:0.5");
  EXPECT_EQ(target.eigenvalues(20, 1, 2), target.eigenvalues(20, 1, 2));
  EXPECT_NE(target.eigenvalues(20, 1, 2), target.eigenvalues(20, 1, 3));
  EXPECT_NE(target.eigenvalues(20, 1, 2), target.eigenvalues(20, 2, 2));
}

TEST(Wishart, NeedsRankOne) {
  const Target target = Target::parse("wishart:0.04");
  EXPECT_THAT([&] { target.require_dimension(10); },
              ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr("round(0.04 d) >= 1"), HasSubstr("got d = 10"))));
  EXPECT_NO_THROW(target.require_dimension(13));
}

/// Half of the eigenvalues 1, half 0, as an eigenvalue solver leaves them: scattered by its rounding.
Target projector(double rounding, bool as_floats) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / fmt::format("projector_{}_{}", rounding, ::getpid());
  std::ofstream file(path);
  for (int i = 0; i < 100; ++i) {
    const double value = (i < 50 ? 1 : 0) + rounding * std::sin(i + 1);
    file << (as_floats ? fmt::format("{:.9g}", static_cast<float>(value)) : fmt::format("{}", value)) << '\n';
  }
  file.close();
  return Target::parse("file:" + path.string());
}

TEST(Target, EigenvaluesEqualUpToTheRoundingOfTheirPrecisionAreOne) {
  for (const auto& [rounding, floats] : {std::pair{5e-16, false}, std::pair{3e-7, true}}) {
    const Target target = projector(rounding, floats);
    const auto& [atoms, weights] = *target.spectrum().discrete();
    ASSERT_EQ(atoms.size(), 2U);
    EXPECT_EQ(atoms[0], 0);
    EXPECT_NEAR(atoms[1], 1, rounding);
    EXPECT_EQ(target.note().empty(), !floats);
    EXPECT_EQ(target.doubt(), "");
  }
}

Target target_of(const std::vector<double>& eigenvalues) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / fmt::format("values_{}", ::getpid());
  std::ofstream file(path);
  for (const double value : eigenvalues) file << fmt::format("{}\n", value);
  file.close();
  Target target = Target::parse("file:" + path.string());
  std::filesystem::remove(path);
  return target;
}

/// As double precision tells the digits of a matrix that was computed in single precision, and then scaled.
TEST(Target, GroupsAsNarrowAsSinglePrecisionAreOneEigenvalue) {
  const Target target = projector(3e-7, false);
  const auto& [atoms, weights] = *target.spectrum().discrete();
  ASSERT_EQ(atoms.size(), 2U);
  EXPECT_EQ(atoms[0], 0);
  EXPECT_NEAR(weights[0], 0.5, 1e-12);
  EXPECT_THAT(target.note(), AllOf(HasSubstr("each group is counted as one"), HasSubstr("2 different ones instead")));
  EXPECT_EQ(target.doubt(), "");
  // Zeros of either sign are zeros.
  const Target signs = target_of({1, 0.5, 1.03e-7, -0.97e-7, 2.2e-8, -1.1e-7});
  EXPECT_EQ(signs.spectrum().discrete()->atoms, (std::vector<double>{0, 0.5, 1}));
}

TEST(Target, SaysWhereEigenvaluesMayBeEqual) {
  // A power law down to small eigenvalues: none of them has a gap around it.
  std::vector<double> values;
  for (int i = 1; i <= 3000; ++i) values.push_back(std::pow(i, -2.0));
  const Target target = target_of(values);
  EXPECT_GT(target.spectrum().discrete()->atoms.size(), 2900U);
  EXPECT_EQ(target.note(), "");
  EXPECT_THAT(target.doubt(), HasSubstr("Bayes recovery begins at 0."));
}

TEST(Target, TakesRanksOfTheRangeInWhichLawsAreKnown) {
  for (const std::string kind : {"wishart:", "product:"}) {
    for (const std::string kappa : {"1e300", "1e-300", "1.1e12", "0.9e-12"})
      EXPECT_THAT([&] { Target::parse(kind + kappa); },
                  ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr("1e-12 to 1e+12"), HasSubstr(kappa))));
    for (const std::string kappa : {"1e12", "1e-12"}) EXPECT_GT(Target::parse(kind + kappa).Q_star(), 0);
  }
}

}  // namespace
}  // namespace attnlaw::model
