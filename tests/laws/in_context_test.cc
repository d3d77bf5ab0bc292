/// In-context regression: the tables of docs/theory/in_context_learning.md to the digits printed there, closed forms
/// against arithmetic of 60 digits, and identities between routes.

#include "attnlaw/laws/in_context/in_context.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_bin_float.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "attnlaw/laws/in_context/baselines.h"
#include "attnlaw/laws/in_context/traces.h"
#include "attnlaw/matrix_laws/standard_laws.h"
#include "laws/in_context_model.h"

namespace attnlaw::laws {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

InContextPrediction predict(double context, double tasks, double sequences, double noise, double lambda) {
  return predict_in_context(model_of(context, tasks, sequences, noise, lambda));
}

/// Expects six significant digits: half a unit of the last one.
void expect_printed(double value, double printed) {
  const double unit = printed == 0 ? 1e-300 : std::pow(10, std::floor(std::log10(std::abs(printed))) - 5);
  EXPECT_NEAR(value, printed, 0.5000001 * unit);
}

// ------------------------------------------------------------------------------------------------ reference tables

struct Reference {
  double context, tasks, sequences, noise, lambda, ridge, training_tasks, new_tasks, train, trace, squared_norm;
};

constexpr Reference kReferences[] = {
    {2, 0.5, 2.5, 0.1, 0.01, 0.016459, 0.476733, 1.13378, 0.175983, 0.348497, 0.471467},
    {2, 2, 0.5, 0.1, 0, 1.39833, 1.11288, 1.25928, 0, 0.303337, 0.494161},
    {1, 1, 1, 0.2, 0.1, 0.489367, 1.7413, 2.14749, 0.0727116, 0.294568, 0.698469},
    {10, 0.5, 3, 0.1, 0, 0, 0.224947, 1.0658, 0.0999766, 0.454226, 0.787618},
    {10, 2, 3, 0.1, 0, 0, 0.288686, 0.373426, 0.128305, 0.84052, 0.859879},
    {5, 0.3, 0.7, 0.01, 0, 0.13881, 0.258256, 1.34716, 0, 0.263433, 0.718827},
    {5, 4, 1.5, 0.05, 0.05, 0.123574, 0.477918, 0.546916, 0.0782417, 0.711374, 0.760053},
    {0.5, 1, 2, 0.25, 0.1, 0.189625, 1.51273, 1.80878, 0.420698, 0.223929, 0.287611},
    {1, 0.2, 0.5, 1, 0.05, 2.6035, 2.68366, 3.41981, 0.000989808, 0.0989229, 0.539217},
    {4, 1.5, 4, 0.1, 0, 0, 0.378423, 0.537711, 0.212863, 0.668428, 0.607503},
    {10, kInf, 2, 0.1, 0, 0, 0.398198, 0.398198, 0.0995495, 0.900901, 0.990991},
    {3, kInf, 0.8, 0.1, 0.1, 0.651454, 1.04167, 1.04167, 0.024545, 0.495511, 0.682458},
    {100, 0.5, 3, 0.1, 0, 0, 0.158161, 3.05432, 0.0702939, 0.494617, 2.91153},
    {1000, 0.5, 0.5, 0.1, 0, 0.0337208, 1.67556, 3.60143, 0, 0.48369, 3.465},
    {2, 2, 1, 0.1, 0.0001, 0.0113159, 23.3928, 28.5406, 0.00182686, 0.561642, 18.4283},
    {10, 1, 1e6, 0.1, 0, 0, 0.179069, 0.329731, 0.179069, 0.718808, 0.601214},
    {10000, 1, 1e6, 0.1, 0, 0, 0.100109, 0.105362, 0.100109, 0.989567, 0.984387},
    {5, 4, 4, 0.05, 0.05, 0.0653586, 0.280566, 0.316258, 0.164199, 0.747052, 0.628398},
    {0.1, 0.1, 0.1, 0, 1e-8, 98.2447, 0.931902, 1.08492, 9.65499e-21, 0.00839202, 0.00924622},
    {50, 20, 8, 0.01, 0.001, 0.00114267, 0.0340242, 0.0342858, 0.0260585, 0.978052, 0.960979}};

TEST(InContextLaw, ReferenceTable) {
  for (const Reference& row : kReferences) {
    SCOPED_TRACE(testing::Message() << row.context << " " << row.tasks << " " << row.sequences << " " << row.lambda);
    const InContextPrediction p = predict(row.context, row.tasks, row.sequences, row.noise, row.lambda);
    expect_printed(p.ridge, row.ridge);
    expect_printed(p.training_tasks, row.training_tasks);
    expect_printed(p.new_tasks, row.new_tasks);
    expect_printed(p.train, row.train);
    expect_printed(p.trace, row.trace);
    expect_printed(p.squared_norm, row.squared_norm);
  }
}

TEST(InContextLaw, TransitionInTheNumberOfTasks) {
  constexpr double kTasks[] = {.1, .2, .5, .8, 1, 1.2, 2, 5, kInf};
  constexpr double kNew10[] = {1.010753, .921024, .652849, .424637, .329730, .277176, .218565, .202329, .199099};
  constexpr double kTraining10[] = {.110867, .121415, .149965, .170632, .179069, .184321, .192457, .197039, .199099};
  constexpr double kNew100[] = {1.001097, .902190, .605496, .312424, .161755, .120136, .111399, .110932, .110880};
  constexpr double kTraining100[] = {.101099, .102194, .105441, .108475, .109905, .110449, .110768, .110851, .110880};
  constexpr double kSixDecimals = 0.5000001e-6, kMany = 1e12;
  for (std::size_t i = 0; i < std::size(kTasks); ++i) {
    SCOPED_TRACE(kTasks[i]);
    const InContextPrediction ten = predict(10, kTasks[i], kMany, .1, 0),
                              hundred = predict(100, kTasks[i], kMany, .1, 0);
    EXPECT_NEAR(ten.new_tasks, kNew10[i], kSixDecimals);
    EXPECT_NEAR(ten.training_tasks, kTraining10[i], kSixDecimals);
    EXPECT_NEAR(hundred.new_tasks, kNew100[i], kSixDecimals);
    EXPECT_NEAR(hundred.training_tasks, kTraining100[i], kSixDecimals);
    EXPECT_NEAR(predict(10, kTasks[i], kInf, .1, 0).new_tasks, ten.new_tasks, 1e-10);
  }
}

TEST(InContextLaw, DescentInTheNumberOfSequences) {
  constexpr double kSequences[] = {.1, .3, .45, .5, .55, .7, .9, 1.1, 1.5, 3};
  constexpr double kTraining10[] = {.978732, .798942, .732028, .726983, .733251,
                                    .857585, 2.04953, 2.07715, .566497, .283248};
  constexpr double kNew10[] = {1.03322, .930251, .90448, .914127, .938183, 1.17099, 3.37821, 3.9072, .97375, .423728};
  constexpr double kTraining4[] = {.856128, .572781, 1.1182, 4.92284, 1.19949,
                                   .583174, 1.12554, 1.1006, .300165, .150082};
  constexpr double kNew4[] = {1.01391, .907232, 1.46039, 10.0962, 102.776, 607.477, 3639.99, 4549.55, 910.391, 228.048};
  for (std::size_t i = 0; i < std::size(kSequences); ++i) {
    SCOPED_TRACE(kSequences[i]);
    const InContextPrediction few = predict(10, 1.5, kSequences[i], .1, 0),
                              many = predict(1e4, .5, kSequences[i], .1, 0);
    expect_printed(few.training_tasks, kTraining10[i]);
    expect_printed(few.new_tasks, kNew10[i]);
    expect_printed(many.training_tasks, kTraining4[i]);
    expect_printed(many.new_tasks, kNew4[i]);
  }
}

TEST(InContextLaw, OptimalPenalties) {
  struct Row {
    double context, tasks, sequences, noise, lambda_new, new_tasks, lambda_training, training_tasks, limit, ridge;
  };
  constexpr Row kRows[] = {{2, .5, 2.5, .1, 1.04151, .873175, .45522, .379179, 1.15978, .184429},
                           {10, .5, 3, .1, .29245, .713049, .13523, .185241, 1.0658, .110976},
                           {10, 2, 3, .1, .06589, .351202, .09691, .267662, .373426, .110976},
                           {2, 2, .5, .1, 2.25939, .946008, 1.63215, .844707, 1.25928, .184429},
                           {100, .5, 3, .1, .13748, .639791, .05091, .126245, 3.05432, .101009},
                           {10, kInf, 5, .01, .02466, .126314, .02466, .126314, .127168, .0111097}};
  constexpr double kFiveDecimals = 0.5000001e-5;
  for (const Row& row : kRows) {
    SCOPED_TRACE(testing::Message() << row.context << " " << row.tasks);
    InContextModel model = model_of(row.context, row.tasks, row.sequences, row.noise, 0);
    expect_printed(predict_in_context(model).new_tasks, row.limit);
    expect_printed(predict_in_context(model).baselines.ridge, row.ridge);
    model.lambda = optimal_lambda(model, InContextTest::new_tasks);
    EXPECT_NEAR(model.lambda, row.lambda_new, kFiveDecimals);
    expect_printed(predict_in_context(model).new_tasks, row.new_tasks);
    model.lambda = optimal_lambda(model, InContextTest::training_tasks);
    EXPECT_NEAR(model.lambda, row.lambda_training, kFiveDecimals);
    expect_printed(predict_in_context(model).training_tasks, row.training_tasks);
  }
}

TEST(InContextLaw, CovariancesAndTests) {
  const auto with = [](InContextModel model, const char* training, const char* test) {
    model.covariance = TaskCovariance::parse(training);
    model.test_covariance = TaskCovariance::parse(test);
    return model;
  };
  InContextModel reversed = with(model_of(2, 1.5, 2, .1, .02), "list:1.6,0.4", "list:0.4,1.6");
  InContextModel longer = with(model_of(2, 1.5, 2, .1, .02), "list:1.6,0.4", "list:1,1");
  longer.test_context = 8;
  InContextModel noisier = with(model_of(4, .5, .6, .1, 0), "list:1.8,0.2", "isotropic");
  noisier.test_noise = .5;
  const InContextModel degenerate = with(model_of(5, kInf, 3, .1, .1), "list:2,1,0", "isotropic");
  InContextModel isotropic = model_of(2, .5, 2.5, .1, .01);
  isotropic.test_context = 20;
  struct Row {
    InContextModel model;
    double training_tasks, new_tasks;
  };
  for (const auto& [model, training_tasks, new_tasks] :
       {Row{reversed, .697832, 1.21419}, Row{longer, .697832, .811304}, Row{noisier, .661438, 1.97988},
        Row{degenerate, .300161, .669909}, Row{isotropic, .476733, .900404}}) {
    const InContextPrediction p = predict_in_context(model);
    expect_printed(p.training_tasks, training_tasks);
    expect_printed(p.new_tasks, new_tasks);
  }
}

// ------------------------------------------------------------------------------------------------- high precision

using Wide = boost::multiprecision::number<boost::multiprecision::cpp_bin_float<60>>;

struct WideErrors {
  Wide ridge, training_tasks, new_tasks, train, variance;
  Wide unseen, shrinkage, context, new_variance, training_shrinkage, training_context, training_variance;
};

/// The law by its definitions in 60 digits: the resolvent from its quadratic, every other trace by a difference of it
/// and of its derivative, the root by bisection.
class WideLaw {
 public:
  explicit WideLaw(const InContextModel& m)
      : kappa_(m.tasks), tau_(m.sequences), rho_(m.noise), lambda_(m.lambda), x_((1 + Wide(m.noise)) / m.context) {}

  WideErrors errors() const {
    WideErrors e;
    e.ridge = root();
    const Wide xi = e.ridge, s = x_ + xi;
    const auto [m, m1] = resolvent(s);
    const Wide r1 = m - s * m1, p2 = 1 - 2 * s * m + s * s * m1, b1 = r1 + x_ * m1;
    const Wide kept = xi > 0 ? Wide(lambda_ / xi) : Wide(1 - 1 / tau_);
    const Wide df2 = p2 + 2 * x_ * r1 + x_ * x_ * m1, free = 1 - df2 / tau_;
    e.training_tasks = (rho_ + s * s * r1 + x_ * p2) / free;
    e.train = kept * kept * e.training_tasks;
    e.variance = e.training_tasks / tau_ * b1;
    e.new_tasks = rho_ + s * s * m1 + x_ * p2 + (1 + x_) * e.variance;
    e.unseen = kappa_ < 1 ? Wide(1 - kappa_) : Wide(0);
    e.shrinkage = s * s * m1 - e.unseen;
    e.context = e.training_context = x_ * p2;
    e.new_variance = (1 + x_) * e.variance;
    e.training_shrinkage = s * s * r1;
    e.training_variance = e.training_tasks / tau_ * df2;
    return e;
  }

 private:
  /// m = (1/d) tr (R+s)⁻¹ solves m(s + 1/(1 + m/κ)) = 1; m1 = −dm/ds.
  std::pair<Wide, Wide> resolvent(const Wide& s) const {
    // s m²/κ + (s + 1 − 1/κ) m − 1 = 0
    const Wide a = s / kappa_, b = s + 1 - 1 / kappa_;
    const Wide m = (sqrt(b * b + 4 * a) - b) / (2 * a);
    return {m, (m * m / kappa_ + m) / (2 * a * m + b)};
  }
  Wide excess(const Wide& xi) const {
    const Wide m = resolvent(x_ + xi).first;
    return tau_ - 1 + xi * m - tau_ * lambda_ / xi;
  }
  Wide root() const {
    if (lambda_ == 0 && tau_ >= 1) return 0;
    Wide low = lambda_ > 0 ? lambda_ : Wide("1e-60"), high = lambda_ + (1 + x_) / tau_;
    for (int i = 0; i < 500; ++i) {
      const Wide middle = sqrt(low * high);
      (excess(middle) > 0 ? high : low) = middle;
    }
    return sqrt(low * high);
  }

  Wide kappa_, tau_, rho_, lambda_, x_;
};

/// The same for a list of eigenvalues, by other unknowns than those of the law: σ = s/φ, for which φ = 1 − df(σ)/κ and
/// s are explicit, and one bisection finds σ and ξ at once. The bias by its difference.
class WideCovarianceLaw {
 public:
  explicit WideCovarianceLaw(const InContextModel& m)
      : kappa_(m.tasks), tau_(m.sequences), rho_(m.noise), rho_test_(m.noise_of_test()), lambda_(m.lambda) {
    const std::vector<double> test = paired_values(m.covariance, m.covariance_of_test());
    Wide test_mean = 0;
    for (std::size_t i = 0; i < test.size(); ++i) {
      list_.push_back({m.covariance.values[i], m.covariance.weights[i], test[i]});
      mean_ += list_[i].c * list_[i].weight;
      test_mean += list_[i].test * list_[i].weight;
    }
    x_ = (mean_ + rho_) / m.context;
    x_test_ = (test_mean + rho_test_) / m.context_of_test();
  }

  WideErrors errors() const {
    const Wide nu = unseen_ridge(), sigma = root(nu), phi = dressing(sigma), s = sigma * phi;
    WideErrors e;
    e.ridge = lambda_ == 0 && tau_ >= 1 ? Wide(0) : Wide(s - x_);
    const auto mean = [&](const auto& of) {
      return sum([&](const Item& item) { return of(item, Wide(1 / (phi * (item.c + sigma)))); });
    };
    const Wide c1 = mean([](const Item& i, const Wide& q) { return Wide(i.c * q * q); });
    const Wide c2 = mean([](const Item& i, const Wide& q) { return Wide(i.c * i.c * q * q); });
    const Wide stiffness = kappa_ - phi * phi * c2, derivative = phi * phi * c1 / stiffness;
    const Wide r1 = infinite() ? Wide(c1) : Wide(kappa_ * derivative);
    const Wide p2 = phi * phi * (infinite() ? Wide(c2) : Wide(c2 + s * s * c1 * c1 / stiffness));
    const Wide rate = infinite() ? Wide(0) : derivative;
    const Wide m1 = mean([&](const Item& i, const Wide& q) { return Wide(q * q * (1 + rate * i.c)); });
    const Wide test_m = mean([](const Item& i, const Wide& q) { return Wide(i.test * q); });
    const Wide test_m1 = mean([&](const Item& i, const Wide& q) { return Wide(i.test * q * q * (1 + rate * i.c)); });
    const Wide df2 = p2 + 2 * x_ * r1 + x_ * x_ * m1, kept = e.ridge > 0 ? Wide(lambda_ / e.ridge) : Wide(1 - 1 / tau_);
    e.training_tasks = (rho_ + s * s * r1 + x_ * p2) / (1 - df2 / tau_);
    e.train = kept * kept * e.training_tasks;
    e.variance = e.training_tasks / tau_ * (r1 + x_ * m1);
    e.unseen = sum([&](const Item& i) { return Wide(i.test * (i.c > 0 ? Wide(nu / (i.c + nu)) : Wide(1))); });
    e.shrinkage = s * s * test_m1 - e.unseen;
    e.context = x_test_ * p2;
    e.new_variance = x_test_ * e.variance + e.training_tasks / tau_ * (test_m - e.ridge * test_m1);
    e.new_tasks = rho_test_ + s * s * test_m1 + e.context + e.new_variance;
    e.training_shrinkage = s * s * r1;
    e.training_context = x_ * p2;
    e.training_variance = e.training_tasks / tau_ * df2;
    return e;
  }

 private:
  struct Item {
    Wide c, weight, test;
  };
  static constexpr int kHalvings = 400;

  bool infinite() const { return isinf(kappa_); }
  template <class Of>
  Wide sum(const Of& of) const {
    Wide result = 0;
    for (const Item& item : list_) result += item.weight * of(item);
    return result;
  }
  Wide freedom(const Wide& sigma) const {
    return sum([&](const Item& i) { return i.c > 0 ? Wide(i.c / (i.c + sigma)) : Wide(0); });
  }
  Wide dressing(const Wide& sigma) const { return infinite() ? Wide(1) : Wide(1 - freedom(sigma) / kappa_); }
  template <class Above>
  static Wide bisect(Wide low, Wide high, const Above& above) {
    for (int i = 0; i < kHalvings; ++i) {
      const Wide middle = sqrt(low * high);
      (above(middle) ? high : low) = middle;
    }
    return high;
  }
  Wide unseen_ridge() const {
    if (kappa_ >= freedom(0)) return 0;
    return bisect(Wide("1e-40"), Wide("1e40"), [&](const Wide& nu) { return freedom(nu) < kappa_; });
  }
  Wide root(const Wide& nu) const {
    const Wide high = x_ + lambda_ + (mean_ + x_) / tau_ + (infinite() ? Wide(0) : Wide(mean_ / kappa_));
    return bisect(nu > 0 ? nu : Wide("1e-40"), high, [&](const Wide& sigma) {
      const Wide phi = dressing(sigma), xi = sigma * phi - x_;
      if (lambda_ == 0 && tau_ >= 1) return xi > 0;
      if (!(phi > 0 && xi > 0)) return false;
      const Wide m = sum([&](const Item& i) { return Wide(1 / (phi * (i.c + sigma))); });
      return tau_ - 1 + xi * m - tau_ * lambda_ / xi > 0;
    });
  }

  Wide kappa_, tau_, rho_, rho_test_, lambda_, x_, x_test_, mean_ = 0;
  std::vector<Item> list_;
};

double relative_error(double value, const Wide& exact) {
  if (exact == 0) return std::abs(value);
  return std::abs(static_cast<double>((Wide(value) - exact) / exact));
}

double worst_error(const InContextModel& model) {
  const InContextPrediction p = predict_in_context(model);
  const WideErrors exact = model.covariance.isotropic() ? WideLaw(model).errors() : WideCovarianceLaw(model).errors();
  return std::max({relative_error(p.ridge, exact.ridge), relative_error(p.training_tasks, exact.training_tasks),
                   relative_error(p.new_tasks, exact.new_tasks), relative_error(p.train, exact.train),
                   relative_error(p.variance, exact.variance), relative_error(p.new_parts.unseen, exact.unseen),
                   relative_error(p.new_parts.shrinkage, exact.shrinkage),
                   relative_error(p.new_parts.context, exact.context),
                   relative_error(p.new_parts.variance, exact.new_variance),
                   relative_error(p.training_parts.shrinkage, exact.training_shrinkage),
                   relative_error(p.training_parts.context, exact.training_context),
                   relative_error(p.training_parts.variance, exact.training_variance)});
}

/// Random points of a wide range, every tenth next to κ = 1 and every eleventh at it.
double worst_of_random_points(int count) {
  std::mt19937_64 engine(1);
  std::uniform_real_distribution<double> uniform;
  const auto between = [&](double from, double to) {
    return std::exp(std::log(from) + uniform(engine) * std::log(to / from));
  };
  double worst = 0;
  for (int i = 0; i < count; ++i) {
    InContextModel model = model_of(between(1e-4, 1e4), between(1e-4, 1e4), between(1e-4, 1e4), between(1e-4, 20), 0);
    if (i % 10 == 0) model.tasks = 1 + 1e-9 * (uniform(engine) - 0.5);
    if (i % 11 == 0) model.tasks = 1;
    if (i % 13 == 0) model.noise = 0;
    if (i % 2 == 0) model.lambda = between(1e-11, 1e3);
    const double error = worst_error(model);
    EXPECT_LT(error, 1e-10) << model.context << " " << model.tasks << " " << model.sequences << " " << model.noise
                            << " " << model.lambda;
    worst = std::max(worst, error);
  }
  return worst;
}

TEST(InContextLaw, KeepsItsDigitsEverywhere) { EXPECT_LT(worst_of_random_points(300), 1e-10); }
TEST(InContextLaw, KeepsItsDigitsAtTenThousandPointsSlow) { EXPECT_LT(worst_of_random_points(10000), 1e-10); }

TEST(InContextLaw, KeepsItsDigitsAtTheExtremes) {
  for (const InContextModel& model :
       {model_of(1e12, .5, 3, .1, 1e-3), model_of(1e12, 2, .5, .1, 0), model_of(1e-8, 1, 1, 1, 1),
        model_of(10, 1, 1 + 1e-9, .1, 0), model_of(10, 1, 1 - 1e-9, .1, 0), model_of(10, 1e9, 2, .1, 0),
        model_of(10, 1e-9, 2, .1, .1), model_of(10, .5, 1e9, 0, 1e-9), model_of(10, .5, .5, .1, 1e-14),
        model_of(1e6, .5, .5, 1e-9, 0), model_of(3, 1 + 1e-12, 2, .1, 0), model_of(1e-3, 2, 1e-12, 0, 1),
        model_of(1e-12, 1e-12, 1e-12, 0, 1)})
    EXPECT_LT(worst_error(model), 1e-10) << model.context << " " << model.tasks << " " << model.sequences;
}

/// By bisection in arithmetic of 90 digits.
TEST(InContextLaw, KeepsItsDigitsOfFewSequences) {
  const InContextPrediction p = predict(10, kInf, 1e-9, .1, 1e-3);
  EXPECT_NEAR(p.ridge, 1.109999998891000e9, 1e-3);
  EXPECT_NEAR(p.training_tasks, 1.099999999298198, 1e-13);
  EXPECT_NEAR(p.train, 8.927846777828229e-25, 1e-36);
}

TEST(InContextLaw, KeepsItsDigitsForCovariances) {
  std::mt19937_64 engine(2);
  std::uniform_real_distribution<double> uniform;
  const auto between = [&](double from, double to) {
    return std::exp(std::log(from) + uniform(engine) * std::log(to / from));
  };
  constexpr int kPoints = 20;
  for (const auto& [training, test] :
       {std::pair{"list:1.8,0.2", "list:0.3,1"}, std::pair{"list:1e6,1e-6", "isotropic"},
        std::pair{"powerlaw:1.5,6", "powerlaw:1.5,6"}, std::pair{"list:2@1,1@2,0@1", "isotropic"}})
    for (int i = 0; i < kPoints; ++i) {
      // Long contexts of few tasks bring s near 0 where R has directions without a task.
      InContextModel model = model_of(between(1e-2, 1e6), between(.05, 20), between(1e-2, 1e3), between(1e-4, 2), 0);
      if (i % 2 == 0) model.lambda = between(1e-9, 10);
      if (i % 5 == 0) model.tasks = kInf;
      model.covariance = TaskCovariance::parse(training);
      model.test_covariance = TaskCovariance::parse(test);
      if (i % 3 == 0) model.test_context = 2 * model.context;
      EXPECT_LT(worst_error(model), 1e-10) << training << " " << model.context << " " << model.tasks << " "
                                           << model.sequences << " " << model.noise << " " << model.lambda;
    }
}

// ------------------------------------------------------------------------------------------------------ identities

std::vector<InContextModel> some_models() {
  std::vector<InContextModel> models;
  for (const Reference& row : kReferences)
    models.push_back(model_of(row.context, row.tasks, row.sequences, row.noise, row.lambda));
  return models;
}

TEST(InContextTraces, AreThoseOfMarchenkoPastur) {
  for (const double kappa : {.2, 1.0, 3.0})
    for (const double s : {.05, .7, 4.0}) {
      const TaskTraces t = TaskGram(kappa, {}, {1})(s);
      const auto law = matrix_laws::marchenko_pastur({kappa, 1 / std::sqrt(kappa)});
      double m = 0, p1 = 0, m1 = 0, r1 = 0, p2 = 0;
      const auto add = [&](double r, double weight) {
        const double inverse = weight / (r + s);
        m += inverse, p1 += r * inverse, m1 += inverse / (r + s), r1 += r * inverse / (r + s);
        p2 += r * r * inverse / (r + s);
      };
      for (const auto& atom : law.atoms()) add(atom.x, atom.mass);
      for (const auto& node : law.quadrature(std::vector{s / 4, s, 4 * s}).nodes) add(node.x, node.weight);
      EXPECT_NEAR(t.m, m, 1e-11);
      EXPECT_NEAR(t.p1, p1, 1e-11);
      EXPECT_NEAR(t.m1, m1, 1e-10);
      EXPECT_NEAR(t.r1, r1, 1e-11);
      EXPECT_NEAR(t.p2, p2, 1e-11);
    }
}

TEST(InContextTraces, OfACovarianceAreClosedFormsWhereItIsTheIdentity) {
  TaskCovariance halves = TaskCovariance::parse("list:1,1");
  for (const double kappa : {.2, 1.0, 3.0, kInf})
    for (const double s : {1e-6, .05, .7, 40.0}) {
      const TaskTraces a = TaskGram(kappa, {}, {.7})(s), b = TaskGram(kappa, halves, {.4, 1})(s);
      for (const auto trace : {&TaskTraces::m, &TaskTraces::p1, &TaskTraces::m1, &TaskTraces::r1, &TaskTraces::p2,
                               &TaskTraces::test_m1, &TaskTraces::test_r1})
        EXPECT_NEAR(b.*trace / (a.*trace), 1, 1e-10) << kappa << " " << s;
    }
}

/// The effective regularisation of arXiv:2405.11751: ξ M(x+ξ) − τλ/ξ = 1 − τ, with the resolvent M of tasks by
/// quadrature; without the term of λ at λ → 0+.
TEST(InContextLaw, PublishedEquationOfTheRidge) {
  int checked = 0;
  for (const InContextModel& model : some_models()) {
    const InContextPrediction p = predict_in_context(model);
    if (p.ridge == 0) continue;
    const double s = model.context_noise() + p.ridge, tau = model.sequences;
    double m = std::isinf(model.tasks) ? 1 / (1 + s) : 0;
    if (std::isfinite(model.tasks)) {
      const auto law = matrix_laws::marchenko_pastur({model.tasks, 1 / std::sqrt(model.tasks)});
      for (const auto& atom : law.atoms()) m += atom.mass / (atom.x + s);
      for (const auto& node : law.quadrature(std::vector{s / 4, s, 4 * s}).nodes) m += node.weight / (node.x + s);
    }
    EXPECT_NEAR(p.ridge * m - tau * model.lambda / p.ridge, 1 - tau, 1e-10 * (1 + tau)) << model.context;
    ++checked;
  }
  EXPECT_GE(checked, 10);
}

TEST(InContextLaw, GeneralisedCrossValidation) {
  for (const InContextModel& model : some_models()) {
    if (model.lambda == 0) continue;
    const InContextPrediction p = predict_in_context(model);
    const double x = model.context_noise();
    const TaskTraces t = TaskGram(model.tasks, model.covariance, {1})(x + p.ridge);
    const double freedom = 1 - (t.p1 + x * t.m) / model.sequences;
    EXPECT_NEAR(freedom, model.lambda / p.ridge, 1e-13);
    if (freedom < 1e-6) continue;  // a difference of close numbers
    EXPECT_NEAR(p.train / (freedom * freedom * p.training_tasks), 1, 1e-8);
  }
}

TEST(InContextLaw, PartsSumUpToTheErrors) {
  const auto sum = [](const InContextParts& p) { return p.noise + p.unseen + p.shrinkage + p.context + p.variance; };
  for (const InContextModel& model : some_models()) {
    const InContextPrediction p = predict_in_context(model);
    EXPECT_NEAR(sum(p.new_parts) / p.new_tasks, 1, 1e-13);
    EXPECT_NEAR(sum(p.training_parts) / p.training_tasks, 1, 1e-13);
    EXPECT_NEAR(p.distance, 1 - 2 * p.trace + p.squared_norm, 1e-11 * (1 + p.squared_norm));
  }
}

TEST(InContextLaw, WithoutRepetitionNewTasksAreTrainingTasks) {
  for (const double sequences : {.4, 2.0, 30.0}) {
    for (const double lambda : {0.0, .3}) {
      const InContextPrediction p = predict(3, kInf, sequences, .2, lambda);
      EXPECT_NEAR(p.new_tasks / p.training_tasks, 1, 1e-12);
    }
    const double x = 1.2 / 3, floor = .2 + x / (1 + x);
    const double limit = sequences > 1 ? floor * sequences / (sequences - 1)
                                       : (1.2 - sequences * (2 - sequences) / (1 + x)) / (1 - sequences);
    EXPECT_NEAR(predict(3, kInf, sequences, .2, 0).new_tasks / limit, 1, 1e-12);
    EXPECT_NEAR(optimal_lambda(model_of(3, kInf, sequences, .2, 0), InContextTest::new_tasks) /
                    (floor * (1 + x) * (1 + x) / sequences),
                1, 1e-5);
  }
}

/// Without repetition and for C = c the best λ is (ρ + cx/(c+x))(c+x)²/(c²τ), far out in short and in noisy contexts.
TEST(InContextLaw, FindsTheBestPenaltyAtTheExtremes) {
  // Errors are known to some 1e-14 of themselves, so that those within twice that of the least cannot be told apart:
  // with the relative curvature c in log λ this is a distance of 2 √(1e-14/c).
  constexpr double kRounding = 1e-14, kStep = 1;
  for (const char* covariance : {"isotropic", "list:0.01", "list:100"})
    for (const double context : {1e-4, .1, 1e4})
      for (const double noise : {0.0, 1.0})
        for (const double sequences : {.1, 1.0, 1e3}) {
          InContextModel model = model_of(context, kInf, sequences, 0, 0);
          model.covariance = TaskCovariance::parse(covariance);
          const double c = model.covariance.mean();
          model.noise = c * noise;
          const double x = model.context_noise(), sum = c + x;
          const double expected = (model.noise + c * x / sum) * sum * sum / (c * c * sequences);
          const auto error = [&](double lambda) {
            model.lambda = lambda;
            return predict_in_context(model).new_tasks;
          };
          const double least = error(expected),
                       sides = error(expected * std::exp(kStep)) + error(expected / std::exp(kStep)),
                       curvature = (sides - 2 * least) / (least * kStep * kStep);
          const double found = 2 * std::sqrt(kRounding / curvature);
          for (const auto test : {InContextTest::new_tasks, InContextTest::training_tasks})
            EXPECT_NEAR(std::log(optimal_lambda(model, test) / expected), 0, found)
                << covariance << " " << context << " " << noise << " " << sequences;
        }
}

TEST(InContextLaw, BestPenaltyHasTheUnitsOfTasks) {
  for (const double unit : {1e-4, 1e4})
    for (const double tasks : {.3, 2.0}) {
      InContextModel model = model_of(.5, tasks, 2, .2, 0);
      model.covariance = TaskCovariance::parse("list:1.6,0.4");
      InContextModel scaled = model;
      scaled.noise *= unit;
      scaled.covariance.values = {1.6 * unit, .4 * unit};
      for (const auto test : {InContextTest::new_tasks, InContextTest::training_tasks})
        EXPECT_NEAR(optimal_lambda(scaled, test) / (unit * optimal_lambda(model, test)), 1, 1e-5)
            << unit << " " << tasks;
    }
}

/// Where it is the limit 0+ without a formula, the error is that of the limit.
TEST(InContextLaw, BestPenaltyOfPerfectContextsVanishes) {
  InContextModel model = model_of(kInf, .5, 2, 0, 0);
  model.lambda = optimal_lambda(model, InContextTest::training_tasks);
  EXPECT_LT(model.lambda, 1e-10);
  EXPECT_NEAR(predict_in_context(model).new_tasks, .5, 1e-14);
  EXPECT_NEAR(predict_in_context(model).training_tasks, 0, 1e-14);
}

TEST(InContextLaw, ManyTasksTendToNewOnes) {
  double last = kInf;
  for (const double tasks : {1e2, 1e3, 1e4}) {
    const double gap = std::abs(predict(3, tasks, 2, .2, .1).new_tasks - predict(3, kInf, 2, .2, .1).new_tasks);
    EXPECT_LT(gap, 0.2 * last);
    last = gap;
  }
}

TEST(InContextLaw, TransitionIsAtAsManyTasksAsDimensions) {
  constexpr double kLong = 1e8;
  for (const double tasks : {.2, .5, .9, 1.3, 4.0}) {
    const InContextPrediction p = predict(kLong, tasks, kInf, .1, 0);
    EXPECT_NEAR(p.new_tasks, .1 + std::max(1 - tasks, 0.0), 1e-6);
    EXPECT_NEAR(p.training_tasks, .1, 1e-6);
    EXPECT_NEAR(p.new_parts.unseen, std::max(1 - tasks, 0.0), 1e-15);
  }
  // At the transition itself, and its rounding by S = √(ε² + 4x).
  const double x = 1.1 / kLong;
  EXPECT_NEAR((predict(kLong, 1, kInf, .1, 0).new_tasks - .1) / (std::sqrt(x) / 2), 1, 1e-3);
  const double epsilon = 1e-4, S = std::sqrt(epsilon * epsilon + 4 * x);
  EXPECT_NEAR((predict(kLong, 1 + epsilon, kInf, .1, 0).new_tasks - .1) / ((S - epsilon) * (S - epsilon) / (4 * S)), 1,
              1e-3);
}

TEST(InContextLaw, LongContextsHurtWithoutAPenalty) {
  const double rho = .1, tau = 3;
  for (const double context : {1e5, 1e6}) {
    EXPECT_NEAR(predict(context, .5, tau, rho, 0).new_tasks / (rho * .5 * context / ((1 + rho) * (tau - 1))), 1, 0.01);
    EXPECT_NEAR(predict(context, 1, tau, rho, 0).new_tasks / (rho * std::sqrt(context / (1 + rho)) / (tau - 1)), 1,
                0.05);
    EXPECT_NEAR(predict(context, 2, tau, rho, 0).new_tasks, rho * (1 + 2 / ((2 - 1) * (tau - 1))), 1e-4);
    EXPECT_NEAR(predict(context, .5, tau, rho, 0).training_tasks, rho * tau / (tau - 1), 1e-4);
  }
  EXPECT_NEAR(predict(1e6, .5, tau, rho, .1).new_tasks, predict(1e8, .5, tau, rho, .1).new_tasks, 1e-4);
}

TEST(InContextLaw, PeaksAtAsManySequencesAsUnknownsAndAsTasks) {
  EXPECT_EQ(predict(10, .5, 1, .1, 0).new_tasks, kInf);
  EXPECT_EQ(predict(10, .5, 1, .1, 0).training_tasks, kInf);
  const InContextPrediction near = predict(10, .5, 1, .1, 1e-8);
  const TaskTraces t = TaskGram(.5, {}, {1})(.11);
  EXPECT_NEAR(near.ridge / std::sqrt(1e-8 / t.m), 1, 1e-3);
  EXPECT_NEAR(near.training_tasks * 2 * std::sqrt(1e-8 * t.m) / (.1 + .11 - .11 * .11 * t.m), 1, 1e-3);
  // The second one, of κd² unknowns, in long contexts.
  const double x = 1.1e-8;
  const InContextPrediction second = predict(1e8, .5, .5, .1, 0);
  EXPECT_NEAR(second.training_tasks / (.1 / (2 * std::sqrt(x))), 1, 1e-2);
  EXPECT_NEAR(second.new_tasks / second.training_tasks, 2 * .5 / (1 - .5), 2e-2);
}

TEST(InContextLaw, PenaltiesTendToTheirLimit) {
  for (const double sequences : {.6, 2.0}) {
    const InContextPrediction limit = predict(3, .5, sequences, .2, 0);
    EXPECT_NEAR(predict(3, .5, sequences, .2, 1e-10).new_tasks / limit.new_tasks, 1, 1e-8);
    EXPECT_NEAR(predict(3, .5, sequences, .2, 1e-10).training_tasks / limit.training_tasks, 1, 1e-8);
  }
  // The strongest penalty, and no sequences at all, answer nothing.
  EXPECT_NEAR(predict(3, .5, 2, .2, 1e9).new_tasks, 1.2, 1e-7);
  EXPECT_NEAR(predict(3, .5, 1e-9, .2, 0).training_tasks, 1.2, 1e-7);
}

TEST(InContextLaw, MoreSequencesAndTokensHelpAtTheBestPenalty) {
  const auto best = [](double context, double sequences) {
    InContextModel model = model_of(context, .8, sequences, .1, 0);
    model.lambda = optimal_lambda(model, InContextTest::training_tasks);
    return predict_in_context(model).training_tasks;
  };
  for (double sequences = .1; sequences < 20; sequences *= 1.7) EXPECT_LT(best(3, 1.7 * sequences), best(3, sequences));
  for (double context = .1; context < 20; context *= 1.7) EXPECT_LT(best(1.7 * context, 2), best(context, 2));
}

TEST(InContextLaw, TestsAreLinearInTheTestCovariance) {
  InContextModel model = model_of(2, 1.5, 2, .1, .02);
  model.covariance = TaskCovariance::parse("list:1.6@3,0.4@1");
  // Both context noise and bias depend on C_te linearly, so that errors of unit vectors add up.
  const auto error = [&](const char* spec) {
    model.test_covariance = TaskCovariance::parse(spec);
    return predict_in_context(model).new_tasks;
  };
  const double first = error("list:1@3,0@1"), second = error("list:0@3,1@1"), both = error("list:2@3,5@1");
  model.test_covariance.reset();
  const double x0 = .1 / 2, none = .1 + x0 * predict_in_context(model).squared_norm;
  EXPECT_NEAR(both - none, 2 * (first - none) + 5 * (second - none), 1e-10);
}

TEST(InContextLaw, UnitsOfTasksScaleErrors) {
  InContextModel model = model_of(2, 1.5, 2, .1, .02), scaled = model_of(2, 1.5, 2, .4, .08);
  scaled.covariance = TaskCovariance::parse("list:4");
  const InContextPrediction a = predict_in_context(model), b = predict_in_context(scaled);
  EXPECT_NEAR(b.new_tasks / a.new_tasks, 4, 1e-10);
  EXPECT_NEAR(b.training_tasks / a.training_tasks, 4, 1e-10);
  EXPECT_NEAR(b.squared_norm / a.squared_norm, 1, 1e-10);
}

TEST(InContextLaw, UnseenDirectionsOfACovariance) {
  InContextModel model = model_of(1e9, .4, kInf, .1, 1e-9);
  model.covariance = TaskCovariance::parse("list:1.8,0.2");
  const InContextPrediction p = predict_in_context(model);
  EXPECT_NEAR(p.new_parts.shrinkage, 0, 1e-6);
  EXPECT_NEAR(p.new_tasks, .1 + p.new_parts.unseen, 1e-6);
  EXPECT_LT(p.new_parts.unseen, 1 - .4);  // strong directions are learned first
  model.tasks = .6;
  model.covariance = TaskCovariance::parse("list:2,0");
  EXPECT_NEAR(predict_in_context(model).new_parts.unseen, 0, 1e-12);
  model.test_covariance = TaskCovariance::parse("isotropic");
  EXPECT_NEAR(predict_in_context(model).new_parts.unseen, 0.5, 1e-12);
}

// ------------------------------------------------------------------------------------------------------- baselines

TEST(InContextBaselines, RidgeOfEqualEigenvaluesIsTheClosedForm) {
  const TaskCovariance halves = TaskCovariance::parse("list:1,1");
  for (const double context : {.2, 1.0, 4.0})
    for (const double noise : {0.0, .1, 3.0})
      EXPECT_NEAR(ridge_error(halves, context, noise), ridge_error({}, context, noise), noise > 0 ? 1e-12 : 1e-6);
  EXPECT_EQ(ridge_error({}, .3, 0), .7);
  EXPECT_EQ(ridge_error({}, kInf, .3), .3);
}

TEST(InContextBaselines, NothingBeatsTheRidgeOnNewTasks) {
  for (const InContextModel& model : some_models()) {
    const InContextPrediction p = predict_in_context(model);
    EXPECT_GT(p.new_tasks, p.baselines.ridge);
    EXPECT_LE(p.generalisation(), 1);
  }
}

TEST(InContextBaselines, LargestOfNormalNumbers) {
  EXPECT_NEAR(mean_of_largest(1), 0, 1e-10);
  EXPECT_NEAR(mean_of_largest(2), 1 / std::sqrt(M_PI), 1e-10);
  EXPECT_NEAR(mean_of_largest(3), 1.5 / std::sqrt(M_PI), 1e-10);
  EXPECT_NEAR(mean_of_largest(100), 2.50759, 1e-5);
}

TEST(InContextBaselines, MemoryLocksOnAWrongTask) {
  constexpr double kThreeDecimals = 0.5e-3;
  EXPECT_NEAR(memory_error(50, 2, .5, .1), 1.686, kThreeDecimals);
  EXPECT_NEAR(memory_error(100, 2, .5, .1), 1.765, kThreeDecimals);
  EXPECT_NEAR(memory_error(200, 2, .5, .1), 1.836, kThreeDecimals);
  EXPECT_NEAR(memory_error(400, 2, .5, .1), 1.895, kThreeDecimals);
  EXPECT_EQ(predict(2, .5, 3, .1, .1).baselines.memory_new, 2.1);
  EXPECT_EQ(predict(2, .5, 3, .1, .1).baselines.memory_training, .1);
}

/// Outside of its range the expansion has errors below the ridge, or negative ones.
TEST(InContextBaselines, MemoryIsNeverBetterThanTheRidge) {
  EXPECT_TRUE(std::isnan(memory_error(10, 100, 1000, .1)));
  for (const double d : {10.0, 100.0, 1000.0})
    for (const double context : {.1, 1.0, 10.0, 100.0})
      for (const double tasks : {.5, 5.0, 500.0})
        EXPECT_FALSE(memory_error(d, context, tasks, .1) < ridge_error({}, context, .1));
}

TEST(InContextPhase, ThreeOfThem) {
  EXPECT_EQ(predict(100, 5, 100, .1, .01).phase(), InContextPhase::generalises);
  EXPECT_EQ(predict(100, .2, 100, .1, .01).phase(), InContextPhase::memorises);
  EXPECT_EQ(predict(.1, .2, .1, .1, .01).phase(), InContextPhase::neither);
}

// --------------------------------------------------------------------------------------------------------- extremes

/// At every corner of what is accepted all figures are numbers, and parts sum up to their errors.
TEST(InContextLaw, HasNumbersAtTheEndsOfItsRanges) {
  const std::vector<double> ratios{1e-12, 1, 1e12, kInf}, noises{0, 1e-100, 1e12}, penalties{0, 1e-100, 1, 1e100};
  const auto is_error = [](double error, const InContextParts& parts) {
    const double sum = parts.noise + parts.unseen + parts.shrinkage + parts.context + parts.variance;
    return error >= 0 && (error == sum || std::abs(error - sum) <= 1e-9 * error);
  };
  for (const char* covariance : {"isotropic", "list:1e12,1e-100", "list:2e-12,0"})
    for (const double context : ratios)
      for (const double tasks : ratios)
        for (const double sequences : ratios)
          for (const double noise : noises)
            for (const double lambda : penalties) {
              InContextModel model = model_of(context, tasks, sequences, noise, lambda);
              model.covariance = TaskCovariance::parse(covariance);
              const bool limitless = lambda == 0 && std::isinf(context) && !(tasks > 1 && model.covariance.full_rank());
              if (limitless) continue;
              const InContextPrediction p = predict_in_context(model);
              SCOPED_TRACE(fmt::format("{} context {} tasks {} sequences {} noise {} lambda {}", covariance, context,
                                       tasks, sequences, noise, lambda));
              EXPECT_TRUE(is_error(p.new_tasks, p.new_parts)) << p.new_tasks;
              EXPECT_TRUE(is_error(p.training_tasks, p.training_parts)) << p.training_tasks;
              // Only at n = d² without a penalty is an error infinite.
              EXPECT_TRUE(std::isfinite(p.new_tasks) || (sequences == 1 && lambda == 0)) << p.new_tasks;
              EXPECT_TRUE(p.train >= 0 && p.squared_norm >= 0 && p.distance >= 0 && std::isfinite(p.trace));
              EXPECT_TRUE(std::isfinite(p.baselines.ridge) && std::isfinite(p.baselines.memory_training));
            }
}

/// Without noise and in infinite contexts nothing is left of the errors, also where n = d² sequences just determine the
/// layer.
TEST(InContextLaw, AnErrorWithoutBiasStaysZero) {
  for (const double sequences : {.999, 1.0, 1.001}) {
    const InContextPrediction p = predict(kInf, 2, sequences, 0, 0);
    EXPECT_NEAR(p.new_tasks, 0, sequences < 1 ? 2e-3 : 0);
    EXPECT_NEAR(p.training_tasks, 0, sequences < 1 ? 2e-3 : 0);
  }
  EXPECT_TRUE(std::isinf(predict(kInf, 2, 1, .1, 0).new_tasks));
}

/// Other contexts and labels in the test are those of new tasks: training tasks come as in training.
TEST(InContextBaselines, TrainingTasksComeAsInTraining) {
  InContextModel model = model_of(4, kInf, 2, .1, .05);
  model.test_context = 1;
  model.test_noise = .4;
  const InContextPrediction p = predict_in_context(model);
  EXPECT_EQ(p.baselines.memory_training, ridge_error({}, 4, .1));
  EXPECT_EQ(p.baselines.memory_new, ridge_error({}, 1, .4));
  EXPECT_EQ(p.training_tasks, predict(4, kInf, 2, .1, .05).training_tasks);
  model.tasks = .5;
  EXPECT_EQ(predict_in_context(model).baselines.memory_training, .1);
}

/// A penalty without bound leaves nothing of the layer: it answers 0.
TEST(InContextLaw, AnswersNothingUnderTheLargestPenalty) {
  for (const double tasks : {1e-12, 1.0, kInf}) {
    const InContextPrediction p = predict(2, tasks, 3, .1, 1e100);
    EXPECT_NEAR(p.new_tasks, p.baselines.nothing, 1e-12);
    EXPECT_NEAR(p.training_tasks, 1.1, 1e-12);
    EXPECT_NEAR(p.distance, 1, 1e-12);
  }
}

/// The best penalty is found within the range of penalties wherever a model is valid.
TEST(InContextLaw, FindsTheBestPenaltyAtTheEndsOfItsRanges) {
  for (const double context : {1e-12, 1.0, 1e12})
    for (const double tasks : {1e-12, 1.0, 1e12})
      for (const double sequences : {1e-12, 1.0, 1e12, kInf})
        for (const double noise : {0.0, 1e12}) {
          InContextModel model = model_of(context, tasks, sequences, noise, 1);
          model.lambda = optimal_lambda(model, InContextTest::training_tasks);
          EXPECT_LE(predict_in_context(model).training_tasks, (1 + noise) * (1 + 1e-9));
          model.lambda = optimal_lambda(model, InContextTest::new_tasks);
          const InContextPrediction best = predict_in_context(model);
          EXPECT_LE(best.new_tasks, best.baselines.nothing * (1 + 1e-9))
              << context << ' ' << tasks << ' ' << sequences << ' ' << noise << " at " << model.lambda;
        }
}

// -------------------------------------------------------------------------------------------------------- bad input

TEST(InContextLaw, RefusesWhatHasNoLaw) {
  const auto refuses = [](const InContextModel& model, const char* text) {
    EXPECT_THAT([&] { predict_in_context(model); }, ThrowsMessage<std::invalid_argument>(HasSubstr(text)));
  };
  refuses(model_of(1, 0, 1, .1, .1), "tasks must be a number from 1e-12 to 1e+12, or inf, got 0");
  refuses(model_of(1, 1, -1, .1, .1), "sequences must be");
  refuses(model_of(NAN, 1, 1, .1, .1), "context must be");
  refuses(model_of(1, 1, 1, -.1, .1), "noise must be 0 or a number from 1e-100 to 1e+12, got -0.1");
  refuses(model_of(1, 1, 1, .1, kInf), "lambda must be");
  refuses(model_of(1e300, 1, 1, .1, .1), "context must be a number from 1e-12 to 1e+12, or inf, got 1e+300");
  refuses(model_of(1, 1, 1, .1, 1e160), "got 1e+160");
  refuses(model_of(kInf, 1, 1, .1, 0), "context = inf");
  EXPECT_NO_THROW(predict(kInf, 2, 2, .1, 0));
  EXPECT_NO_THROW(predict(kInf, .5, 2, .1, .1));
}

TEST(TaskCovariance, SaysWhatItTakes) {
  const auto refuses = [](const char* spec, const char* text) {
    EXPECT_THAT([&] { TaskCovariance::parse(spec); }, ThrowsMessage<std::invalid_argument>(HasSubstr(text)));
  };
  refuses("wishart:2", "isotropic, list:");
  refuses("list:1,-1", "0 or from 1e-100 to 1e+12, got -1");
  refuses("list:0,0", "needs a mean eigenvalue of 1e-12 or more, got 0");
  refuses("list:1@0", "weights of a task covariance must be > 0");
  refuses("list:1@2@3", "C or C@W");
  refuses("powerlaw:1", "powerlaw:GAMMA,D");
  refuses("powerlaw:1,0", "from 1 to 1e6");
  // However the weights round, a covariance without zeros has rank 1, and as many tasks leave nothing unseen.
  EXPECT_EQ(TaskGram(1, TaskCovariance::parse("powerlaw:1,9"), std::vector<double>(9, 1.0)).unseen(), 0);
  const TaskCovariance law = TaskCovariance::parse("powerlaw:1,3");
  EXPECT_NEAR(law.mean(), 1, 1e-14);
  EXPECT_NEAR(law.values[0] / law.values[2], 3, 1e-14);
  EXPECT_THAT([] { paired_values(TaskCovariance::parse("list:1,2"), TaskCovariance::parse("list:1,2,3")); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("as many eigenvalues")));
}

}  // namespace
}  // namespace attnlaw::laws
