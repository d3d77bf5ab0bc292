#include "attnlaw/model/problem.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "attnlaw/base/reject.h"

namespace attnlaw::model {
namespace {

using base::reject;
using Json = nlohmann::json;

void require_positive(double value, const char* key) {
  if (!std::isfinite(value) || value <= 0) reject("{} must be a finite number > 0, got {}", key, value);
}

void require_positive(double value, double largest, const char* key) {
  require_positive(value, key);
  if (value > largest) reject("{} must be at most {}, got {}", key, largest, value);
}

void require_usable(const Target& target) {
  const double Q_star = target.Q_star();
  if (Q_star > 0 && std::isfinite(Q_star)) return;
  reject("target {} must have a mean squared eigenvalue Q_star that is finite and > 0, got {}", target.spec(), Q_star);
}

/// Options of the command line that have one available value so far: written resolved, accepted with that value only.
const Json& fixed_options() {
  static const Json options = {{"attention", "self"}, {"loss", "square"}};
  return options;
}

void read(const Json& value, const std::string& key, double& out) {
  if (!value.is_number()) reject("{} must be a number, got {}", key, value.dump());
  out = value.get<double>();
}

void read(const Json& value, const std::string& key, int& out) {
  if (!value.is_number_integer()) reject("{} must be an integer, got {}", key, value.dump());
  // Compared as a double first: an unsigned value beyond int64 would wrap.
  const double number = value.get<double>();
  if (std::abs(number) > std::numeric_limits<int>::max()) reject("{} must fit in 32 bits, got {}", key, value.dump());
  out = value.get<int>();
}

std::string read_text(const Json& value, const std::string& key) {
  if (!value.is_string()) reject("{} must be a string, got {}", key, value.dump());
  return value.get<std::string>();
}

void read_lambda(const Json& value, Problem& problem) {
  if (value == "0+") {
    problem.lambda_rule = LambdaRule::ridgeless;
  } else if (value == "optimal") {
    problem.lambda_rule = LambdaRule::optimal;
  } else if (value == "edge") {
    problem.lambda_rule = LambdaRule::edge;
  } else if (value.is_number()) {
    problem.lambda_rule = LambdaRule::value;
    problem.lambda = value.get<double>();
  } else if (value.is_null()) {
    problem.lambda_rule = LambdaRule::none;
  } else {
    reject("lambda must be a number > 0, 0+, optimal or edge, got {}", value.dump());
  }
}

void read_option(Problem& problem, const std::string& key, const Json& value) {
  if (key == "tokens") return read(value, key, problem.tokens);
  if (key == "head") return void(problem.head = head_from_name(read_text(value, key)));
  if (key == "alpha") return read(value, key, problem.alpha);
  if (key == "lambda") return read_lambda(value, problem);
  if (key == "beta") return read(value, key, problem.beta);
  if (key == "target-beta") return read(value, key, problem.target_beta);
  if (key == "noise") return read(value, key, problem.noise);
  if (key == "target") return void(problem.target = Target::parse(read_text(value, key)));
  if (key == "student") return void(problem.student = student_from_name(read_text(value, key)));
  if (key == "width") return read(value, key, problem.width);
  const Json& fixed = fixed_options();
  if (!fixed.contains(key)) {
    reject(
        "unknown key '{}' in a problem; accepted: tokens, head, alpha, lambda, beta, target-beta, noise, target, "
        "attention, loss, student, width",
        key);
  }
  if (value != fixed[key]) reject("{} = {} is not available yet; accepted: {}", key, value.dump(), fixed[key].dump());
}

void require_valid_lambda(const Problem& problem) {
  if (problem.student == Student::bayes) {
    if (problem.lambda_rule != LambdaRule::none)
      reject("lambda has no meaning for the student bayes, which has no penalty; leave it out (got {})",
             lambda_text(problem));
    return;
  }
  if (problem.lambda_rule == LambdaRule::none)
    reject("lambda is required for the student {}: a number > 0, 0+, optimal or edge", name(problem.student));
  if (problem.lambda_rule == LambdaRule::edge && problem.student != Student::tied)
    reject("lambda = edge is a rule for the tied student, got student {}", name(problem.student));
  if (problem.lambda_rule != LambdaRule::value) return;
  if (problem.lambda == 0) reject("lambda must be > 0, got 0; the limit of a vanishing penalty is lambda = 0+");
  require_positive(problem.lambda, kMaxLambda, "lambda");
}

void require_valid_student(const Problem& problem) {
  require_positive(problem.width, "width");
  if (problem.student != Student::tied && problem.width != 1)
    reject("width is a property of the tied student; it must be 1 with student {}, got {}", name(problem.student),
           problem.width);
  if (problem.student == Student::bayes && problem.beta != problem.target_beta)
    reject("beta must equal target-beta with student bayes, which knows how labels are made; got {} and {}",
           problem.beta, problem.target_beta);
  if (problem.head != Head::hardmax) return;
  if (problem.student != Student::bayes)
    reject("head hardmax is available for student bayes only, got student {}; accepted heads: softmax, linear",
           name(problem.student));
  if (problem.tokens != 2) reject("tokens must be 2 with head hardmax, got {}", problem.tokens);
  if (problem.noise != 0) reject("noise must be 0 with head hardmax, got {}", problem.noise);
}

}  // namespace

void Problem::validate() const {
  if (head != Head::linear && tokens < 2) {
    reject("tokens must be an integer >= 2 with head {} (one entry alone is always 1), got {}", name(head), tokens);
  }
  if (tokens < 1) reject("tokens must be an integer >= 1, got {}", tokens);
  if (tokens > kMaxTokens) reject("tokens must be an integer <= {}, got {}", kMaxTokens, tokens);
  require_positive(alpha, kMaxAlpha, "alpha");
  require_valid_lambda(*this);
  require_positive(beta, "beta");
  require_positive(target_beta, "target-beta");
  if (head == Head::linear && beta != 1)
    reject("beta must be 1 with head linear, which has no temperature, got {}", beta);
  if (head == Head::linear && target_beta != 1) {
    reject("target-beta must be 1 with head linear, which has no temperature, got {}", target_beta);
  }
  require_valid_student(*this);
  if (!std::isfinite(noise) || noise < 0) reject("noise must be a finite number >= 0, got {}", noise);
  require_usable(target);
}

nlohmann::json to_json(const Problem& problem) {
  Json document = fixed_options();
  document["tokens"] = problem.tokens;
  document["head"] = name(problem.head);
  document["alpha"] = problem.alpha;
  switch (problem.lambda_rule) {
    case LambdaRule::value:
      document["lambda"] = problem.lambda;
      break;
    case LambdaRule::none:
      document["lambda"] = nullptr;
      break;
    default:
      document["lambda"] = lambda_text(problem);
  }
  document["beta"] = problem.beta;
  document["target-beta"] = problem.target_beta;
  document["noise"] = problem.noise;
  document["target"] = problem.target.spec();
  document["student"] = name(problem.student);
  document["width"] = problem.width;
  return document;
}

Problem problem_from_json(const nlohmann::json& document) {
  if (!document.is_object()) reject("a problem must be an object of options, got {}", document.dump());
  Problem problem;
  problem.lambda_rule = LambdaRule::none;  // unless given
  for (const auto& [key, value] : document.items()) read_option(problem, key, value);
  if (!document.contains("alpha")) reject("alpha is required in a problem: a finite number > 0");
  problem.validate();
  return problem;
}

int Problem::observed_score_count() const {
  switch (head) {
    case Head::softmax:
      return score_count() - 1;
    case Head::linear:
      return score_count();
    case Head::hardmax:
      break;
  }
  return 0;
}

std::string lambda_text(const Problem& problem) {
  switch (problem.lambda_rule) {
    case LambdaRule::value:
      return fmt::format("{}", problem.lambda);
    case LambdaRule::ridgeless:
      return "0+";
    case LambdaRule::optimal:
      return "optimal";
    case LambdaRule::edge:
      return "edge";
    case LambdaRule::none:
      break;
  }
  return "none";
}

std::string name(Head head) {
  switch (head) {
    case Head::softmax:
      return "softmax";
    case Head::linear:
      return "linear";
    case Head::hardmax:
      break;
  }
  return "hardmax";
}

Head head_from_name(const std::string& name) {
  if (name == "softmax") return Head::softmax;
  if (name == "linear") return Head::linear;
  if (name == "hardmax") return Head::hardmax;
  reject("head must be softmax, linear or hardmax, got '{}'", name);
}

std::string name(Student student) {
  switch (student) {
    case Student::tied:
      return "tied";
    case Student::direct:
      return "direct";
    case Student::direct_general:
      return "direct-general";
    case Student::bayes:
      break;
  }
  return "bayes";
}

Student student_from_name(const std::string& name) {
  if (name == "tied") return Student::tied;
  if (name == "direct") return Student::direct;
  if (name == "direct-general") return Student::direct_general;
  if (name == "bayes") return Student::bayes;
  reject("student must be tied, direct, direct-general or bayes, got '{}'", name);
}

}  // namespace attnlaw::model
