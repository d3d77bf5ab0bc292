/// Describes the fields of a problem, and reads and writes its JSON documents by them.

#include <fmt/format.h>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/base/json_text.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/model/custom_loss.h"
#include "attnlaw/model/problem.h"
#include "attnlaw/model/spectral_penalty.h"

namespace attnlaw::model {
namespace {

using base::Kind;
using base::reject;
using Json = nlohmann::json;

constexpr base::Named<Attention> kAttentions[] = {{Attention::self, "self"}, {Attention::cross, "cross"}};
constexpr base::Named<Head> kHeads[] = {
    {Head::softmax, "softmax"}, {Head::linear, "linear"}, {Head::hardmax, "hardmax"}};
constexpr base::Named<Readout> kReadouts[] = {
    {Readout::rows, "rows"}, {Readout::entry, "entry"}, {Readout::score, "score"}};
constexpr base::Named<Labels> kLabels[] = {
    {Labels::soft, "soft"}, {Labels::sampled, "sampled"}, {Labels::sign, "sign"}};
constexpr base::Named<Loss> kLosses[] = {
    {Loss::square, "square"}, {Loss::cross_entropy, "cross-entropy"}, {Loss::logistic, "logistic"}};
constexpr base::Named<Student> kStudents[] = {{Student::tied, "tied"},
                                              {Student::direct, "direct"},
                                              {Student::direct_general, "direct-general"},
                                              {Student::untied, "untied"},
                                              {Student::bayes, "bayes"}};

/// The rules by which theory finds λ, as documents write them.
constexpr base::Named<LambdaRule> kFoundLambdas[] = {
    {LambdaRule::ridgeless, "0+"}, {LambdaRule::optimal, "optimal"}, {LambdaRule::edge, "edge"}};

std::vector<std::string> found_lambda_names() {
  std::vector<std::string> names;
  for (const auto& [rule, name] : kFoundLambdas) names.emplace_back(name);
  return names;
}

Json tokens_json(const Problem& problem) { return problem.cross() ? Json(tokens_text(problem)) : Json(problem.tokens); }

void read_tokens(Problem& problem, const Json& value) {
  if (!problem.cross()) {
    if (value.is_string())
      reject("tokens must be an integer with attention = self (T1,T2 with attention = cross), got {}",
             base::json_text(value));
    return base::read_value(value, "tokens", problem.tokens);
  }
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  const std::vector<std::string_view> counts = base::split(text, ',');
  const auto queries = base::number_in<int>(counts.front()), keys = base::number_in<int>(counts.back());
  if (counts.size() != 2 || !queries || !keys)
    reject("tokens must be two numbers T1,T2, queries and keys, with attention = cross, as \"2,3\"; got {}",
           base::json_text(value));
  problem.tokens = *queries;
  problem.key_tokens = *keys;
}

Json lambda_json(const Problem& problem) {
  if (problem.lambda_rule == LambdaRule::none) return nullptr;
  if (problem.lambda_rule == LambdaRule::value) return problem.lambda;
  return base::name_in(kFoundLambdas, problem.lambda_rule);
}

void read_lambda(Problem& problem, const Json& value) {
  for (const auto& [rule, text] : kFoundLambdas)
    if (value == text) return void(problem.lambda_rule = rule);
  if (!value.is_number() && !value.is_null())
    reject("lambda must be a number > 0, 0+, optimal or edge, got {}{}", base::json_text(value),
           value.is_string() ? base::suggestion(value.get<std::string>(), found_lambda_names()) : "");
  problem.lambda_rule = value.is_null() ? LambdaRule::none : LambdaRule::value;
  if (value.is_number()) problem.lambda = value.get<double>();
}

Json target_json(const Problem& problem) { return problem.target.spec(); }

void read_target(Problem& problem, const Json& value) {
  problem.target = Target::parse(base::read_text(value, "target"), problem.matrix_values());
}

bool is_custom(const std::string& text) { return text.starts_with(kCustomPrefix); }

/// A penalty that everybody can name, in place of that of the student.
bool has_named_penalty(const Problem& problem) {
  return problem.custom_penalty && !is_custom(problem.custom_penalty->name);
}

Json penalty_json(const Problem& problem) {
  return has_named_penalty(problem) ? Json(problem.custom_penalty->name) : Json();
}

void read_penalty(Problem& problem, const Json& value) {
  if (value.is_null()) return;
  if (problem.custom_penalty)
    reject("penalty {} and the penalty {} behind the loss exclude each other", base::json_text(value),
           problem.custom_penalty->name);
  problem.custom_penalty = spectral_penalty(base::read_text(value, "penalty"));
}

/// What is minimised: a loss, and behind a + a custom penalty. Custom ones are known by name to the process alone that
/// has made them.
Json loss_json(const Problem& problem) {
  std::string text = problem.custom_loss ? problem.custom_loss->name : std::string(name(problem.loss));
  if (problem.custom_penalty && !has_named_penalty(problem)) text += "+" + problem.custom_penalty->name;
  return text;
}

void read_loss(Problem& problem, const Json& value) {
  const std::string text = base::read_text(value, "loss");
  const std::size_t plus = text.find('+');
  const std::string loss = text.substr(0, plus);
  if (is_custom(loss))
    problem.custom_loss = published_loss(loss);
  else if (plus == std::string::npos || !loss.empty())
    problem.loss = base::value_of<Loss>("loss", loss);
  if (plus != std::string::npos) problem.custom_penalty = published_penalty(text.substr(plus + 1));
}

/// The tables of the loss are those of documents that anybody can read.
base::FieldOf<Problem> loss_field() {
  auto made = base::field(
      "loss", &Problem::loss,
      {.doc = "what is minimised", .otherwise = "square; cross-entropy for sampled labels, logistic for signs"});
  made.get = [](const void* object) { return loss_json(*static_cast<const Problem*>(object)); };
  return std::move(made).read_by(read_loss);
}

/// The spectrum of a narrower student has a mass that 1 − width rounds away.
constexpr double kLeastWidth = 1e-12;

}  // namespace

const base::Description& describe(const Problem*) {
  using P = Problem;
  static const base::Description description{
      "one learning problem: what is learned, from how many data, by which student",
      {base::field("attention", &P::attention, {.doc = "queries and keys of one sequence, or of two"}),
       base::custom<P>("tokens", {Kind::value}, tokens_json, read_tokens,
                       {.symbol = "T",
                        .doc = "tokens per sequence; with attention cross T1,T2: queries and keys",
                        .accepts = "an integer from 1 (2 unless the head is linear) to 16; T1,T2 with attention cross",
                        .otherwise = "2; 2,2 with attention cross",
                        .value_name = "T"}),
       base::field("head", &P::head,
                   {.doc = "output nonlinearity; hardmax for student bayes with T = 2",
                    .otherwise = "softmax; linear for labels sign"}),
       base::field("readout", &P::readout,
                   {.doc = "what is labelled: all rows, one entry of the softmax, or one score",
                    .otherwise = "rows; score for labels sign"}),
       base::field("labels", &P::labels,
                   {.doc = "the outputs themselves, one-hot rows drawn from them, or the sign of a score"}),
       loss_field(),
       base::custom<P>("penalty", {Kind::text}, penalty_json, read_penalty,
                       {.doc = "what λ multiplies, of the eigenvalues of S",
                        .accepts = kSpectralPenalties,
                        .otherwise = "that of the student: trace, its nuclear norm, or frobenius",
                        .value_name = "SPEC"})
           .when(has_named_penalty),
       base::field("alpha", &P::alpha,
                   {.symbol = "α",
                    .unit = "n/d²",
                    .range = {0, kMaxAlpha, true},
                    .doc = "sequences per squared dimension",
                    .required = true,
                    .accepts = "a number > 0"}),
       base::custom<P>("lambda", {Kind::value}, lambda_json, read_lambda,
                       {.symbol = "λ",
                        .range = {0, std::numeric_limits<double>::infinity(), true},
                        .doc = "penalty: a number > 0, 0+ (its limit), optimal (least test error) or edge (noise just "
                               "trained away); none for student bayes",
                        .accepts = "a number > 0, 0+ (its limit), optimal (least test error) or edge",
                        .otherwise = "required",
                        .value_name = "L"})
           .words(found_lambda_names()),
       base::field("beta", &P::beta,
                   {.symbol = "β",
                    .range = {0, std::numeric_limits<double>::infinity(), true},
                    .doc = "inverse temperature of the student"}),
       base::field("target_beta", &P::target_beta,
                   {.symbol = "β*",
                    .range = {0, std::numeric_limits<double>::infinity(), true},
                    .doc = "inverse temperature of the labels"}),
       base::field("noise", &P::noise, {.symbol = "Δ", .range = {0}, .doc = "index noise of the labels"}),
       base::custom<P>(
           "target", {Kind::text}, target_json, read_target,
           {.symbol = "S*",
            .doc = "wishart:KAPPA, product:KAPPA, powerlaw:GAMMA,D[,CUTOFF], spikes:D,s1,s2,… or file:PATH",
            .otherwise = "wishart:0.5; product:0.5 with attention cross, where the others list singular values",
            .value_name = "SPEC"}),
       base::field("student", &P::student,
                   {.doc = "who learns: S = W Wᵀ, S by its entries, any S, S = W_Q W_Kᵀ, or the posterior mean",
                    .otherwise = "tied; untied with attention cross"}),
       base::field(
           "width", &P::width,
           {.symbol = "κ", .unit = "m_h/d", .range = {kLeastWidth}, .doc = "width of the tied student; 1 is full"})}};
  return description;
}

nlohmann::json to_json(const Problem& problem) { return base::json_of(problem); }

Problem default_problem(const Json& document) {
  Problem problem;
  problem.lambda_rule = LambdaRule::none;
  if (document.contains("attention")) base::read_value(document["attention"], "attention", problem.attention);
  if (problem.cross()) {
    problem.student = Student::untied;
    problem.target = Target::parse("product:0.5");
  }
  if (const auto loss = document.find("loss"); loss != document.end() && loss->is_string()) {
    const std::string text = loss->get<std::string>();
    if (is_custom(text) && !published_loss(text.substr(0, text.find('+')))->softmax()) problem.head = Head::linear;
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

Problem problem_from_json(const nlohmann::json& document) {
  if (!document.is_object()) reject("a problem must be an object of options, got {}", base::json_text(document));
  Problem problem = default_problem(document);
  base::read(document, problem, "a problem");
  problem.validate();
  return problem;
}

std::string tokens_text(const Problem& problem) {
  return problem.cross() ? fmt::format("{},{}", problem.tokens, problem.key_tokens) : std::to_string(problem.tokens);
}

std::string penalty_text(const Problem& problem) {
  return problem.custom_penalty ? problem.custom_penalty->name : "own";
}

std::string lambda_text(const Problem& problem) {
  const Json lambda = lambda_json(problem);
  return lambda.is_null() ? "none" : lambda.is_string() ? lambda.get<std::string>() : fmt::format("{}", problem.lambda);
}

std::span<const base::Named<Attention>> names_table(Attention) { return kAttentions; }
std::span<const base::Named<Head>> names_table(Head) { return kHeads; }
std::span<const base::Named<Readout>> names_table(Readout) { return kReadouts; }
std::span<const base::Named<Labels>> names_table(Labels) { return kLabels; }
std::span<const base::Named<Loss>> names_table(Loss) { return kLosses; }
std::span<const base::Named<Student>> names_table(Student) { return kStudents; }

}  // namespace attnlaw::model
