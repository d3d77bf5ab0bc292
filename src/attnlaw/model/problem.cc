#include "attnlaw/model/problem.h"

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
  static const Json options = {{"attention", "self"}, {"loss", "square"}, {"student", "tied"}, {"width", 1}};
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

void read_option(Problem& problem, const std::string& key, const Json& value) {
  if (key == "tokens") return read(value, key, problem.tokens);
  if (key == "head") return void(problem.head = head_from_name(read_text(value, key)));
  if (key == "alpha") return read(value, key, problem.alpha);
  if (key == "lambda") return read(value, key, problem.lambda);
  if (key == "beta") return read(value, key, problem.beta);
  if (key == "target-beta") return read(value, key, problem.target_beta);
  if (key == "noise") return read(value, key, problem.noise);
  if (key == "target") return void(problem.target = Target::parse(read_text(value, key)));
  const Json& fixed = fixed_options();
  if (!fixed.contains(key)) {
    reject(
        "unknown key '{}' in a problem; accepted: tokens, head, alpha, lambda, beta, target-beta, noise, target, "
        "attention, loss, student, width",
        key);
  }
  if (value != fixed[key]) reject("{} = {} is not available yet; accepted: {}", key, value.dump(), fixed[key].dump());
}

}  // namespace

void Problem::validate() const {
  if (head == Head::softmax && tokens < 2) {
    reject("tokens must be an integer >= 2 with head softmax (one entry alone is always 1), got {}", tokens);
  }
  if (tokens < 1) reject("tokens must be an integer >= 1, got {}", tokens);
  if (tokens > kMaxTokens) reject("tokens must be an integer <= {}, got {}", kMaxTokens, tokens);
  require_positive(alpha, kMaxAlpha, "alpha");
  if (lambda == 0) reject("lambda must be > 0, got 0: the ridgeless limit is not available yet");
  require_positive(lambda, kMaxLambda, "lambda");
  require_positive(beta, "beta");
  require_positive(target_beta, "target-beta");
  if (head == Head::linear && beta != 1)
    reject("beta must be 1 with head linear, which has no temperature, got {}", beta);
  if (head == Head::linear && target_beta != 1) {
    reject("target-beta must be 1 with head linear, which has no temperature, got {}", target_beta);
  }
  if (!std::isfinite(noise) || noise < 0) reject("noise must be a finite number >= 0, got {}", noise);
  require_usable(target);
}

nlohmann::json to_json(const Problem& problem) {
  Json document = fixed_options();
  document["tokens"] = problem.tokens;
  document["head"] = name(problem.head);
  document["alpha"] = problem.alpha;
  document["lambda"] = problem.lambda;
  document["beta"] = problem.beta;
  document["target-beta"] = problem.target_beta;
  document["noise"] = problem.noise;
  document["target"] = problem.target.spec();
  return document;
}

Problem problem_from_json(const nlohmann::json& document) {
  if (!document.is_object()) reject("a problem must be an object of options, got {}", document.dump());
  for (const char* required : {"alpha", "lambda"}) {
    if (!document.contains(required)) reject("{} is required in a problem: a finite number > 0", required);
  }
  Problem problem;
  for (const auto& [key, value] : document.items()) read_option(problem, key, value);
  problem.validate();
  return problem;
}

std::string name(Head head) { return head == Head::softmax ? "softmax" : "linear"; }

Head head_from_name(const std::string& name) {
  if (name == "softmax") return Head::softmax;
  if (name == "linear") return Head::linear;
  reject("head must be softmax or linear, got '{}'", name);
}

}  // namespace attnlaw::model
