#include "attnlaw/model/problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace attnlaw::model {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Problem with(const std::function<void(Problem&)>& change) {
  Problem problem;
  change(problem);
  return problem;
}

/// A problem whose message names the key, what is accepted and the value.
struct BadValue {
  Problem problem;
  const char* key;
  const char* accepted;
  const char* value;
};

TEST(Problem, NamesTheFirstValueOutOfRange) {
  const BadValue cases[] = {
      {with([](Problem& p) { p.alpha = 0; }), "alpha", "> 0", "got 0"},
      {with([](Problem& p) { p.alpha = -1; }), "alpha", "> 0", "got -1"},
      {with([](Problem& p) { p.alpha = kNaN; }), "alpha", "a finite number > 0", "got nan"},
      {with([](Problem& p) { p.alpha = kInfinity; }), "alpha", "finite", "got inf"},
      {with([](Problem& p) { p.lambda = -0.1; }), "lambda", "> 0", "got -0.1"},
      {with([](Problem& p) { p.lambda = 0; }), "lambda", "the limit of a vanishing penalty is lambda = 0+", "got 0"},
      {with([](Problem& p) { p.lambda = 1e-13; }), "lambda", "at least 8.16e-13", "got 1e-13"},
      {with([](Problem& p) { p.lambda = kNaN; }), "lambda", "finite", "got nan"},
      {with([](Problem& p) { p.tokens = 1; }), "tokens", ">= 2", "got 1"},
      {with([](Problem& p) { p.tokens = -3; }), "tokens", ">= 2", "got -3"},
      {with([](Problem& p) { p.tokens = 0, p.head = Head::linear; }), "tokens", ">= 1", "got 0"},
      {with([](Problem& p) { p.tokens = 17; }), "tokens", "<= 16", "got 17"},
      {with([](Problem& p) { p.tokens = 1000, p.head = Head::linear; }), "tokens", "<= 16", "got 1000"},
      {with([](Problem& p) { p.alpha = 1.5e6; }), "alpha", "at most 1000000", "got 1500000"},
      {with([](Problem& p) { p.lambda = 1e300; }), "lambda", "at most 1000000", "got 1e+300"},
      {with([](Problem& p) { p.target = Target::parse("spikes:4,0"); }), "target spikes:4,0", "finite and > 0",
       "got 0"},
      {with([](Problem& p) { p.target = Target::parse("spikes:4,1e200"); }), "target spikes:4,1e+200", "finite", "inf"},
      {with([](Problem& p) { p.beta = 0; }), "beta", "> 0", "got 0"},
      {with([](Problem& p) { p.target_beta = kNaN; }), "target_beta", "> 0", "got nan"},
      {with([](Problem& p) { p.head = Head::linear, p.beta = 2; }), "beta", "must be 1 with head linear", "got 2"},
      {with([](Problem& p) { p.head = Head::linear, p.target_beta = 2; }), "target_beta", "must be 1", "got 2"},
      {with([](Problem& p) { p.noise = -1; }), "noise", ">= 0", "got -1"},
      {with([](Problem& p) { p.noise = kInfinity; }), "noise", "finite", "got inf"},
      {with([](Problem& p) { p.width = 0; }), "width", ">= 1e-12", "got 0"},
      {with([](Problem& p) { p.width = -0.5; }), "width", ">= 1e-12", "got -0.5"},
      {with([](Problem& p) { p.width = 0.5, p.student = Student::direct; }), "width", "must be 1 with student direct",
       "got 0.5"},
      {with([](Problem& p) { p.student = Student::bayes; }), "lambda", "leave it out", "got 0.05"},
      {with([](Problem& p) { p.student = Student::bayes, p.lambda_rule = LambdaRule::none, p.beta = 2; }), "beta",
       "must equal target_beta", "got 2 and 1"},
      {with([](Problem& p) { p.lambda_rule = LambdaRule::none; }), "lambda", "a number > 0, 0+, optimal or edge",
       "tied"},
      {with([](Problem& p) { p.head = Head::hardmax; }), "hardmax", "student bayes only", "student tied"},
      {with([](Problem& p) {
         p.head = Head::hardmax, p.student = Student::bayes, p.lambda_rule = LambdaRule::none, p.tokens = 3;
       }),
       "tokens", "must be 2 with head hardmax", "got 3"},
  };
  for (const BadValue& bad : cases) {
    EXPECT_THAT(
        [&] { bad.problem.validate(); },
        ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr(bad.key), HasSubstr(bad.accepted), HasSubstr(bad.value))));
  }
}

TEST(Problem, AcceptsOneTokenWithTheLinearHead) {
  EXPECT_NO_THROW(with([](Problem& p) { p.head = Head::linear, p.tokens = 1; }).validate());
}

TEST(Problem, AcceptsTheLargestValues) {
  for (const Head head : {Head::softmax, Head::linear}) {
    EXPECT_NO_THROW(with([&](Problem& p) { p.head = head, p.tokens = kMaxTokens; }).validate());
  }
  EXPECT_NO_THROW(with([](Problem& p) { p.alpha = kMaxAlpha, p.lambda = kMaxLambda; }).validate());
}

TEST(Problem, HasAScorePerUnorderedPairOfTokens) {
  EXPECT_EQ(with([](Problem& p) { p.tokens = 4; }).score_count(), 10);
}

TEST(ProblemJson, WritesAllOptionsResolved) {
  const nlohmann::json document = to_json(Problem{});
  EXPECT_EQ(document,
            nlohmann::json::parse(R"({"tokens": 2, "head": "softmax", "alpha": 1.0, "lambda": 0.05, "beta": 1.0,
    "target_beta": 1.0, "noise": 0.0, "target": "wishart:0.5", "attention": "self", "readout": "rows", "labels": "soft",
    "loss": "square", "student": "tied", "width": 1.0})"));
}

TEST(ProblemJson, LambdaIsANumberALimitOrARule) {
  const auto read = [](const char* lambda) {
    return problem_from_json({{"alpha", 1}, {"lambda", nlohmann::json::parse(lambda)}});
  };
  EXPECT_EQ(read("0.25").lambda_rule, LambdaRule::value);
  EXPECT_EQ(read("0.25").lambda, 0.25);
  EXPECT_EQ(read("\"0+\"").lambda_rule, LambdaRule::ridgeless);
  EXPECT_EQ(read("\"optimal\"").lambda_rule, LambdaRule::optimal);
  EXPECT_EQ(to_json(read("\"0+\""))["lambda"], "0+");
  const Problem bayes = problem_from_json({{"alpha", 1}, {"student", "bayes"}});
  EXPECT_EQ(bayes.lambda_rule, LambdaRule::none);
  EXPECT_TRUE(to_json(bayes)["lambda"].is_null());
  EXPECT_EQ(to_json(problem_from_json(to_json(bayes))), to_json(bayes));
  EXPECT_EQ(to_json(problem_from_toml(to_toml(bayes))), to_json(bayes));
}

TEST(Problem, SoftmaxHidesACommonShiftOfAllScores) {
  for (const auto& [tokens, observed] : {std::pair{2, 2}, {3, 5}, {4, 9}, {5, 14}})
    EXPECT_EQ(with([&, T = tokens](Problem& p) { p.tokens = T; }).observed_score_count(), observed);
  EXPECT_EQ(with([](Problem& p) { p.tokens = 1, p.head = Head::linear; }).observed_score_count(), 1);
}

TEST(ProblemJson, TakesDefaultsForWhatIsMissing) {
  const Problem problem = problem_from_json({{"alpha", 2}, {"lambda", 0.5}});
  EXPECT_EQ(problem.alpha, 2);
  EXPECT_EQ(problem.tokens, 2);
  EXPECT_EQ(problem.target.spec(), "wishart:0.5");
}

TEST(ProblemJson, RejectsWhatItDoesNotUnderstand) {
  const std::pair<const char*, const char*> cases[] = {
      {R"([1, 2])", "must be an object"},
      {R"({"lambda": 1})", "alpha is required"},
      {R"({"alpha": 1})", "lambda is required"},
      {R"({"alpha": 1, "lambda": 1, "gamma": 3})", "unknown key 'gamma'"},
      {R"({"alpha": "1", "lambda": 1})", "alpha must be a number, got \"1\""},
      {R"({"alpha": null, "lambda": 1})", "alpha must be a number, got null"},
      {R"({"alpha": 1, "lambda": 1, "tokens": 2.5})", "tokens must be an integer, got 2.5"},
      {R"({"alpha": 1, "lambda": 1, "tokens": 4294967298})", "tokens must fit in 32 bits, got 4294967298"},
      {R"({"alpha": 1, "lambda": 1, "tokens": 18446744073709551615})", "tokens must fit in 32 bits"},
      {R"({"alpha": 1, "lambda": 1, "head": "relu"})", "head must be softmax, linear or hardmax, got 'relu'"},
      {R"({"alpha": 1, "lambda": 1, "head": 3})", "head must be a string, got 3"},
      {R"({"alpha": 1, "lambda": 1, "target": "goe:1"})", "got 'goe:1'"},
      {R"({"alpha": 1, "lambda": 1, "attention": "both"})", "attention must be self or cross, got 'both'"},
      {R"({"alpha": 1, "lambda": 1, "tokens": "2,3"})",
       "tokens must be an integer with attention = self (T1,T2 with attention = cross), got \"2,3\""},
      {R"({"alpha": 1, "lambda": 1, "attention": "cross", "tokens": 2})",
       "tokens must be two numbers T1,T2, queries and keys, with attention = cross, as \"2,3\"; got 2"},
      {R"({"alpha": 1, "lambda": 1, "attention": "cross", "tokens": "2,1"})", "T1,T2 with T2 >= 2"},
      {R"({"alpha": 1, "lambda": 1, "attention": "cross", "student": "tied"})", "student must be untied or direct"},
      {R"({"alpha": 1, "lambda": 1, "attention": "cross", "tokens": "2,2", "target": "wishart:1"})",
       "target must be product:KAPPA, powerlaw:..., spikes:... or file:PATH with attention = cross, got wishart:1"},
      {R"({"alpha": 1, "lambda": 1, "attention": "cross", "tokens": "2,2", "target": "spikes:5,2,-1"})",
       "must have singular values >= 0 with attention = cross, got -1"},
      {R"({"alpha": 1, "lambda": 1, "target": "product:1"})",
       "target must be wishart:KAPPA, powerlaw:..., spikes:... or file:PATH with attention = self, got product:1"},
      {R"({"alpha": 1, "lambda": 1, "attention": "cross", "head": "hardmax"})",
       "head must be softmax or linear with attention = cross, got hardmax"},
      {R"({"alpha": 1, "lambda": "0+", "labels": "sampled"})", "has no minimiser; got 0+"},
      {R"({"alpha": 1, "lambda": 1, "student": "bayes"})", "lambda has no meaning for the student bayes"},
      {R"({"alpha": 1, "lambda": 1, "student": "free"})",
       "student must be tied, direct, direct-general, untied or bayes, got 'free'"},
      {R"({"alpha": 1, "lambda": "small"})", "lambda must be a number > 0, 0+, optimal or edge, got \"small\""},
      {R"({"alpha": 1, "lambda": "egde"})", "got \"egde\"; did you mean 'edge'?"},
      {R"({"alpha": 1, "lambda": 1, "target": "spike:4,1"})", "got 'spike:4,1'; did you mean 'spikes'?"},
      {R"({"alpha": 1, "lambda": 1, "width": 0})", "width must be a finite number >= 1e-12, got 0"},
      {R"({"alpha": -1, "lambda": 1})", "alpha must be a finite number > 0, got -1"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_THAT([&] { problem_from_json(nlohmann::json::parse(text)); },
                ThrowsMessage<std::invalid_argument>(HasSubstr(message)));
  }
}

TEST(ProblemJson, NamesTheValueThatGoesWithTheOthers) {
  const std::pair<nlohmann::json, const char*> cases[] = {
      {{{"labels", "sign"}, {"loss", "square"}}, "loss must be logistic with labels sign, got square"},
      {{{"labels", "sign"}, {"head", "softmax"}}, "head must be linear with labels sign, got softmax"},
      {{{"labels", "sign"}, {"readout", "rows"}}, "readout must be score with labels sign, got rows"},
      {{{"labels", "sampled"}, {"loss", "square"}}, "loss must be cross-entropy with labels sampled, got square"},
      {{{"labels", "sampled"}, {"head", "linear"}}, "head must be softmax with labels sampled, got linear"},
      {{{"labels", "sampled"}, {"readout", "entry"}}, "readout must be rows with labels sampled, got entry"},
      {{{"loss", "logistic"}}, "labels must be sign with loss logistic, got soft"},
      {{{"loss", "cross-entropy"}, {"head", "linear"}}, "head must be softmax with loss cross-entropy, got linear"},
      {{{"loss", "cross-entropy"}, {"readout", "entry"}}, "readout must be rows with loss cross-entropy, got entry"},
      {{{"readout", "entry"}, {"head", "linear"}}, "head must be softmax with readout entry, got linear"},
      {{{"readout", "score"}}, "head must be linear with readout score, got softmax"},
      {{{"student", "untied"}, {"loss", "cross-entropy"}},
       "loss must be square with student untied of self-attention (others: tied, direct, untied with attention = "
       "cross), got cross-entropy"},
      {{{"student", "direct-general"}, {"labels", "sign"}}, "labels must be soft with student direct-general"},
      {{{"student", "direct-general"}, {"readout", "entry"}}, "readout must be rows with student direct-general"},
  };
  for (const auto& [options, message] : cases) {
    nlohmann::json document{{"alpha", 1}, {"lambda", 1}};
    document.update(options);
    EXPECT_THAT([&] { problem_from_json(document); }, ThrowsMessage<std::invalid_argument>(HasSubstr(message)));
  }
}

TEST(ProblemToml, IsTheSameDocument) {
  const Problem problem =
      problem_from_toml("alpha = 2\nlambda = 1e-2\ntokens = 3\ntarget = 'spikes:10,2,1'\nwidth = 1.0\n");
  EXPECT_EQ(problem.alpha, 2);
  EXPECT_EQ(problem.lambda, 0.01);
  EXPECT_EQ(problem.tokens, 3);
  EXPECT_EQ(problem.target.spec(), "spikes:10,2,1");
}

TEST(ProblemToml, NamesTheLineOfASyntaxError) {
  EXPECT_THAT([] { problem_from_toml("alpha = 1\nlambda = = 2\n"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("line 2")));
}

TEST(ProblemToml, RejectsWrongTypesAndValues) {
  EXPECT_THAT([] { problem_from_toml("alpha = [1]\nlambda = 1"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("alpha must be a string or a number")));
  EXPECT_THAT([] { problem_from_toml("alpha = 1\nlambda = 1\nattention = 'cross'\ntokens = [2, 3]"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("two numbers stand in a string, as \"2,3\"")));
  EXPECT_THAT([] { problem_from_toml("alpha = true\nlambda = 1"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("alpha must be a number, got true")));
  EXPECT_THAT([] { problem_from_toml("alpha = inf\nlambda = 1"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("alpha must be a finite number > 0, got inf")));
  EXPECT_THAT([] { problem_from_toml("alpha = 1\nlambda = 1\nbatch = 3"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("unknown key 'batch'")));
}

/// Positive doubles over the whole range of exponents.
rc::Gen<double> positive() {
  return rc::gen::map(
      rc::gen::pair(rc::gen::inRange<std::int64_t>(1, std::int64_t(1) << 53), rc::gen::inRange(-300, 300)),
      [](const std::pair<std::int64_t, int>& p) { return std::ldexp(static_cast<double>(p.first), p.second); });
}

rc::Gen<double> positive_up_to(double largest) {
  return rc::gen::map(positive(), [=](double x) { return std::min(x, largest); });
}

RC_GTEST_PROP(Problem, SurvivesJsonAndTomlToTheLastBit, ()) {
  Problem problem;
  problem.alpha = *positive_up_to(kMaxAlpha);
  problem.lambda = std::max(1e-12, *positive_up_to(kMaxLambda));  // smaller ones are refused
  problem.noise = *positive();
  problem.head = *rc::gen::element(Head::softmax, Head::linear);
  problem.tokens = *rc::gen::inRange(2, kMaxTokens + 1);
  if (problem.head == Head::softmax) {
    problem.beta = *positive();
    problem.target_beta = *positive();
  }
  problem.target = Target::parse("wishart:" + nlohmann::json(std::max(1e-12, *positive_up_to(1e12))).dump());
  const nlohmann::json document = to_json(problem);
  RC_ASSERT(to_json(problem_from_json(nlohmann::json::parse(document.dump()))) == document);
  RC_ASSERT(to_json(problem_from_toml(to_toml(problem))) == document);
}

}  // namespace
}  // namespace attnlaw::model
