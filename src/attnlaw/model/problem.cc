#include "attnlaw/model/problem.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

#include "attnlaw/base/names.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::model {
namespace {

using base::name_in;
using base::Named;
using base::reject;
using base::value_in;
using Json = nlohmann::json;

void require_positive(double value, const char* key) {
  if (!std::isfinite(value) || value <= 0) reject("{} must be a finite number > 0, got {}", key, value);
}

void require_positive(double value, double largest, const char* key) {
  require_positive(value, key);
  if (value > largest) reject("{} must be at most {}, got {}", key, largest, value);
}

void require_usable(const Target& target, bool cross) {
  if (cross && target.is_wishart())
    reject("target must be product:KAPPA, powerlaw:..., spikes:... or file:PATH with attention = cross, got {}",
           target.spec());
  if (!cross && target.is_product())
    reject("target must be wishart:KAPPA, powerlaw:..., spikes:... or file:PATH with attention = self, got {}",
           target.spec());
  if (cross && target.spectrum().discrete() && target.spectrum().hull().lower < 0)
    reject("target {} must have singular values >= 0 with attention = cross, got {}", target.spec(),
           target.spectrum().hull().lower);
  const double Q_star = target.Q_star();
  if (Q_star > 0 && std::isfinite(Q_star)) return;
  reject("target {} must have a mean squared eigenvalue Q_star that is finite and > 0, got {}", target.spec(), Q_star);
}

constexpr Named<Attention> kAttentions[] = {{Attention::self, "self"}, {Attention::cross, "cross"}};
constexpr Named<Head> kHeads[] = {{Head::softmax, "softmax"}, {Head::linear, "linear"}, {Head::hardmax, "hardmax"}};
constexpr Named<Readout> kReadouts[] = {{Readout::rows, "rows"}, {Readout::entry, "entry"}, {Readout::score, "score"}};
constexpr Named<Labels> kLabels[] = {{Labels::soft, "soft"}, {Labels::sampled, "sampled"}, {Labels::sign, "sign"}};
constexpr Named<Loss> kLosses[] = {
    {Loss::square, "square"}, {Loss::cross_entropy, "cross-entropy"}, {Loss::logistic, "logistic"}};
constexpr Named<Student> kStudents[] = {{Student::tied, "tied"},
                                        {Student::direct, "direct"},
                                        {Student::direct_general, "direct-general"},
                                        {Student::untied, "untied"},
                                        {Student::bayes, "bayes"}};

/// Rules that theory finds λ by.
constexpr Named<LambdaRule> kFoundLambdas[] = {
    {LambdaRule::ridgeless, "0+"}, {LambdaRule::optimal, "optimal"}, {LambdaRule::edge, "edge"}};

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

/// T, or "T1,T2".
void read_tokens(const Json& value, Problem& problem) {
  if (!problem.cross()) {
    if (value.is_string())
      reject("tokens must be an integer with attention = self (T1,T2 with attention = cross), got {}", value.dump());
    return read(value, "tokens", problem.tokens);
  }
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  const std::vector<std::string_view> counts = base::split(text, ',');
  const auto queries = base::number_in<int>(counts.front()), keys = base::number_in<int>(counts.back());
  if (counts.size() != 2 || !queries || !keys)
    reject("tokens must be two numbers T1,T2, queries and keys, with attention = cross, as \"2,3\"; got {}",
           value.dump());
  problem.tokens = *queries;
  problem.key_tokens = *keys;
}

void read_lambda(const Json& value, Problem& problem) {
  for (const auto& [rule, text] : kFoundLambdas)
    if (value == text) return void(problem.lambda_rule = rule);
  if (!value.is_number() && !value.is_null())
    reject("lambda must be a number > 0, 0+, optimal or edge, got {}", value.dump());
  problem.lambda_rule = value.is_null() ? LambdaRule::none : LambdaRule::value;
  if (value.is_number()) problem.lambda = value.get<double>();
}

void read_option(Problem& problem, const std::string& key, const Json& value) {
  if (key == "attention") return;  // read first: others depend on it
  if (key == "tokens") return read_tokens(value, problem);
  if (key == "head") return void(problem.head = head_from_name(read_text(value, key)));
  if (key == "readout") return void(problem.readout = readout_from_name(read_text(value, key)));
  if (key == "labels") return void(problem.labels = labels_from_name(read_text(value, key)));
  if (key == "loss") return void(problem.loss = loss_from_name(read_text(value, key)));
  if (key == "alpha") return read(value, key, problem.alpha);
  if (key == "lambda") return read_lambda(value, problem);
  if (key == "beta") return read(value, key, problem.beta);
  if (key == "target-beta") return read(value, key, problem.target_beta);
  if (key == "noise") return read(value, key, problem.noise);
  if (key == "target") return void(problem.target = Target::parse(read_text(value, key)));
  if (key == "student") return void(problem.student = student_from_name(read_text(value, key)));
  if (key == "width") return read(value, key, problem.width);
  reject(
      "unknown key '{}' in a problem; accepted: attention, tokens, head, readout, labels, loss, alpha, lambda, beta, "
      "target-beta, noise, target, student, width",
      key);
}

void require_valid_lambda(const Problem& problem) {
  if (!problem.penalised()) {
    if (problem.lambda_rule != LambdaRule::none)
      reject("lambda has no meaning for the student bayes, which has no penalty; leave it out (got {})",
             lambda_text(problem));
    return;
  }
  if (problem.lambda_rule == LambdaRule::none)
    reject("lambda is required for the student {}: a number > 0, 0+, optimal or edge", name(problem.student));
  if (problem.lambda_rule == LambdaRule::edge && !problem.soft_threshold())
    reject("lambda = edge is a rule for the student tied, and for untied with cross-attention; got student {}",
           name(problem.student));
  if (problem.untied_self() && problem.lambda_rule != LambdaRule::value)
    reject("lambda must be a number > 0 for the student untied of self-attention, got {}", lambda_text(problem));
  if (problem.lambda_rule != LambdaRule::value) return;
  if (problem.lambda == 0) reject("lambda must be > 0, got 0; the limit of a vanishing penalty is lambda = 0+");
  require_positive(problem.lambda, kMaxLambda, "lambda");
  // Below, rounding is all that is left of the penalty beside the loss.
  constexpr double kLeastLambda = 1e-12;
  if (problem.lambda < kLeastLambda)
    reject("lambda must be at least {}, got {}; the limit of a vanishing penalty is lambda = 0+", kLeastLambda,
           problem.lambda);
}

void require_valid_student(const Problem& problem) {
  require_positive(problem.width, "width");
  if (problem.student != Student::tied && problem.width != 1)
    reject("width is a property of the tied student; it must be 1 with student {}, got {}", name(problem.student),
           problem.width);
  if (problem.cross() && problem.student != Student::untied && problem.student != Student::direct)
    reject("student must be untied or direct with attention = cross, got {}", name(problem.student));
  if (problem.student == Student::bayes && problem.beta != problem.target_beta)
    reject("beta must equal target-beta with student bayes, which knows how labels are made; got {} and {}",
           problem.beta, problem.target_beta);
  if (problem.head != Head::hardmax) return;
  if (problem.cross()) reject("head must be softmax or linear with attention = cross, got hardmax");
  if (problem.student != Student::bayes)
    reject("head hardmax is available for student bayes only, got student {}; accepted heads: softmax, linear",
           name(problem.student));
  if (problem.tokens != 2) reject("tokens must be 2 with head hardmax, got {}", problem.tokens);
  if (problem.noise != 0) reject("noise must be 0 with head hardmax, got {}", problem.noise);
}

void require_valid_tokens(const Problem& problem) {
  if (problem.head != Head::linear && problem.keys() < 2) {
    reject("tokens must be {} with head {} (a row of one entry is always 1: nothing is observed), got {}",
           problem.cross() ? "T1,T2 with T2 >= 2" : "an integer >= 2", name(problem.head), tokens_text(problem));
  }
  for (const int tokens : {problem.tokens, problem.keys()}) {
    if (tokens < 1) reject("tokens must be integers >= 1, got {}", tokens);
    if (tokens > kMaxTokens) reject("tokens must be integers <= {}, got {}", kMaxTokens, tokens);
  }
}

/// Refuses `got` unless it is the one value that goes with `cause`.
template <class Value>
void require_with(const std::string& cause, const char* key, Value accepted, Value got) {
  if (got != accepted) reject("{} must be {} with {}, got {}", key, name(accepted), cause, name(got));
}

/// Readout, labels and loss that go together. What was probably chosen comes first: the rest has a default beside it.
void require_valid_loss(const Problem& problem) {
  const auto& [head, readout, labels, loss] = std::tie(problem.head, problem.readout, problem.labels, problem.loss);
  if (labels == Labels::sign) {
    require_with("labels sign", "head", Head::linear, head);
    require_with("labels sign", "readout", Readout::score, readout);
    require_with("labels sign", "loss", Loss::logistic, loss);
  }
  if (labels == Labels::sampled) {
    require_with("labels sampled", "head", Head::softmax, head);
    require_with("labels sampled", "readout", Readout::rows, readout);
    require_with("labels sampled", "loss", Loss::cross_entropy, loss);
  }
  if (loss == Loss::logistic) require_with("loss logistic", "labels", Labels::sign, labels);
  if (loss == Loss::cross_entropy) {
    require_with("loss cross-entropy", "head", Head::softmax, head);
    require_with("loss cross-entropy", "readout", Readout::rows, readout);
  }
  if (readout == Readout::entry) require_with("readout entry", "head", Head::softmax, head);
  if (readout == Readout::score) require_with("readout score", "head", Head::linear, head);
  constexpr int kLargestOutcomes = 4;
  if (labels == Labels::sampled && !problem.cross() && problem.tokens > kLargestOutcomes)
    reject(
        "tokens must be at most {} with labels sampled and self-attention, whose theory sums over T^T labels, got {}",
        kLargestOutcomes, problem.tokens);
  if (problem.lambda_rule != LambdaRule::ridgeless || problem.linear_when_fitted()) return;
  if (labels != Labels::soft)
    reject(
        "lambda must be > 0 with labels {}: while such labels can be separated, the loss falls for ever as S grows, "
        "and a student without penalty has no minimiser; got 0+",
        name(labels));
  reject("lambda must be > 0 with readout entry and {} tokens, whose level sets are curved; got 0+", problem.keys());
}

/// Two students learn from the outputs themselves by their squared distance, and in no other way.
void require_plain_student(const Problem& problem) {
  if (problem.student != Student::bayes && !problem.two_sectors()) return;
  const std::string student = fmt::format("student {}{} (others: tied, direct, untied with attention = cross)",
                                          name(problem.student), problem.untied_self() ? " of self-attention" : "");
  require_with(student, "labels", Labels::soft, problem.labels);
  require_with(student, "loss", Loss::square, problem.loss);
  require_with(student, "readout", Readout::rows, problem.readout);
}

}  // namespace

void Problem::validate() const {
  require_valid_tokens(*this);
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
  require_plain_student(*this);
  require_valid_loss(*this);
  if (!std::isfinite(noise) || noise < 0) reject("noise must be a finite number >= 0, got {}", noise);
  require_usable(target, cross());
}

namespace {

/// The problem that a document means where it says nothing, given what it says about attention and labels.
Problem defaults(const Json& document) {
  Problem problem;
  problem.lambda_rule = LambdaRule::none;
  if (document.contains("attention"))
    problem.attention = attention_from_name(read_text(document["attention"], "attention"));
  if (problem.cross()) {
    problem.student = Student::untied;
    problem.target = Target::parse("product:0.5");
  }
  const auto labels = document.find("labels");
  if (labels != document.end() && *labels == "sampled") problem.loss = Loss::cross_entropy;
  if (labels != document.end() && *labels == "sign") {
    problem.head = Head::linear;
    problem.readout = Readout::score;
    problem.loss = Loss::logistic;
  }
  return problem;
}

Json lambda_json(const Problem& problem) {
  if (problem.lambda_rule == LambdaRule::none) return nullptr;
  if (problem.lambda_rule == LambdaRule::value) return problem.lambda;
  return name_in(kFoundLambdas, problem.lambda_rule);
}

}  // namespace

nlohmann::json to_json(const Problem& problem) {
  Json document;
  document["attention"] = name(problem.attention);
  document["tokens"] = problem.cross() ? Json(tokens_text(problem)) : Json(problem.tokens);
  document["head"] = name(problem.head);
  document["readout"] = name(problem.readout);
  document["labels"] = name(problem.labels);
  document["loss"] = name(problem.loss);
  document["alpha"] = problem.alpha;
  document["lambda"] = lambda_json(problem);
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
  Problem problem = defaults(document);
  for (const auto& [key, value] : document.items()) read_option(problem, key, value);
  if (!document.contains("alpha")) reject("alpha is required in a problem: a finite number > 0");
  problem.validate();
  return problem;
}

int Problem::observed_score_count() const {
  if (readout != Readout::rows) return 1;
  switch (head) {
    case Head::softmax:
      return cross() ? tokens * (key_tokens - 1) : score_count() - 1;
    case Head::linear:
      return score_count();
    case Head::hardmax:
      break;
  }
  return 0;
}

matrix_laws::Spectrum Problem::law_of(const matrix_laws::Spectrum& spectrum) const {
  return cross() ? matrix_laws::symmetrised(spectrum) : spectrum;
}

std::string tokens_text(const Problem& problem) {
  return problem.cross() ? fmt::format("{},{}", problem.tokens, problem.key_tokens) : std::to_string(problem.tokens);
}

std::string lambda_text(const Problem& problem) {
  const Json lambda = lambda_json(problem);
  return lambda.is_null() ? "none" : lambda.is_string() ? lambda.get<std::string>() : fmt::format("{}", problem.lambda);
}

std::string name(Attention attention) { return name_in(kAttentions, attention); }
std::string name(Head head) { return name_in(kHeads, head); }
std::string name(Readout readout) { return name_in(kReadouts, readout); }
std::string name(Labels labels) { return name_in(kLabels, labels); }
std::string name(Loss loss) { return name_in(kLosses, loss); }
std::string name(Student student) { return name_in(kStudents, student); }

Attention attention_from_name(const std::string& name) { return value_in(kAttentions, "attention", name); }
Head head_from_name(const std::string& name) { return value_in(kHeads, "head", name); }
Readout readout_from_name(const std::string& name) { return value_in(kReadouts, "readout", name); }
Labels labels_from_name(const std::string& name) { return value_in(kLabels, "labels", name); }
Loss loss_from_name(const std::string& name) { return value_in(kLosses, "loss", name); }
Student student_from_name(const std::string& name) { return value_in(kStudents, "student", name); }

}  // namespace attnlaw::model
