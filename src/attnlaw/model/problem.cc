#include "attnlaw/model/problem.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>

#include "attnlaw/base/fields/description.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/model/custom_loss.h"
#include "attnlaw/model/custom_penalty.h"

namespace attnlaw::model {
namespace {

using base::reject;

void require_usable(const Problem& problem) {
  const Target& target = problem.target;
  const bool cross = problem.cross();
  if (cross && target.is_wishart())
    reject("target must be product:KAPPA, powerlaw:..., spikes:... or file:PATH with attention = cross, got {}",
           target.spec());
  if (!cross && target.is_product())
    reject("target must be wishart:KAPPA, powerlaw:..., spikes:... or file:PATH with attention = self, got {}",
           target.spec());
  if (target.of_matrix().value_or(problem.matrix_values()) != problem.matrix_values())
    reject("target {} is a matrix, which counts by its {} with attention = {}: parse it so", target.spec(),
           cross ? "singular values" : "eigenvalues", cross ? "cross" : "self");
  if (cross && target.spectrum().discrete() && target.spectrum().hull().lower < 0)
    reject("target {} must have singular values >= 0 with attention = cross, got {}", target.spec(),
           target.spectrum().hull().lower);
  const double Q_star = target.Q_star();
  if (Q_star > 0 && std::isfinite(Q_star)) return;
  reject("target {} must have a mean squared eigenvalue Q_star that is finite and > 0, got {}", target.spec(), Q_star);
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
  base::require_in({0, problem.largest_lambda(), true}, "lambda", problem.lambda);
  // A smaller penalty would drown in the rounding of the loss.
  const double least = 1e-12 * std::min(1.0, problem.lambda_unit());
  if (problem.lambda < least)
    reject("lambda must be at least {:.3g}, got {}; the limit of a vanishing penalty is lambda = 0+", least,
           problem.lambda);
}

void require_valid_student(const Problem& problem) {
  if (problem.student != Student::tied && problem.width != 1)
    reject("width is a property of the tied student; it must be 1 with student {}, got {}", name(problem.student),
           problem.width);
  if (problem.cross() && problem.student != Student::untied && problem.student != Student::direct)
    reject("student must be untied or direct with attention = cross, got {}", name(problem.student));
  if (problem.student == Student::bayes && problem.beta != problem.target_beta)
    reject("beta must equal target_beta with student bayes, which knows how labels are made; got {} and {}",
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

/// Throws unless `got` is the one value that goes with `cause`.
template <class Value>
void require_with(const std::string& cause, const char* key, Value accepted, Value got) {
  if (got != accepted) reject("{} must be {} with {}, got {}", key, name(accepted), cause, name(got));
}

/// Throws unless readout, labels and loss go together. Labels are checked first, because users choose them and the rest
/// follows by default.
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
  if (problem.lambda_rule != LambdaRule::ridgeless || problem.linear_when_fitted() || problem.custom_loss) return;
  if (labels != Labels::soft)
    reject(
        "lambda must be > 0 with labels {}: while such labels can be separated, the loss falls for ever as S grows, "
        "and a student without penalty has no minimiser; got 0+",
        name(labels));
  reject("lambda must be > 0 with readout entry and {} tokens, whose level sets are curved; got 0+", problem.keys());
}

/// Throws if the student is one of those that only learn from the outputs themselves, by their squared distance, and
/// the problem asks for something else.
void require_plain_student(const Problem& problem) {
  if (problem.student != Student::bayes && !problem.two_sectors()) return;
  const std::string student = fmt::format("student {}{} (others: tied, direct, untied with attention = cross)",
                                          name(problem.student), problem.untied_self() ? " of self-attention" : "");
  require_with(student, "labels", Labels::soft, problem.labels);
  require_with(student, "loss", Loss::square, problem.loss);
  require_with(student, "readout", Readout::rows, problem.readout);
}

/// Throws unless a custom loss goes with the rest of its problem.
void require_valid_custom_loss(const Problem& problem) {
  if (!problem.custom_loss) return;
  const CustomLoss& loss = *problem.custom_loss;
  const std::string cause = fmt::format("a loss of the coordinates {}", name(loss.coordinates));
  if (!loss.function) reject("a custom loss must have a function, got {} without", loss.name);
  if (loss.labels == CustomLabels::function && !loss.label_function)
    reject("a custom loss with labels function must have a label_function, got {} without", loss.name);
  require_with(cause, "head", loss.softmax() ? Head::softmax : Head::linear, problem.head);
  require_with("a custom loss", "readout", Readout::rows, problem.readout);
  require_with("a custom loss", "labels", Labels::soft, problem.labels);
  require_with("a custom loss", "loss", Loss::square, problem.loss);
  if (loss.labels == CustomLabels::sampled && !loss.softmax())
    reject("labels sampled need the coordinates row or rows, got {}", name(loss.coordinates));
  if (loss.labels == CustomLabels::sign && loss.coordinates != Coordinates::score)
    reject("labels sign need the coordinates score, got {}", name(loss.coordinates));
  const int rows = loss.coordinates == Coordinates::rows ? problem.tokens : 1;
  constexpr double kMostOutcomes = 256;
  if (loss.labels == CustomLabels::sampled && std::pow(problem.keys(), rows) > kMostOutcomes)
    reject("labels sampled of {} rows of {} keys are {:.0f}, and the theory sums over all of them; accepted {:.0f}",
           rows, problem.keys(), std::pow(problem.keys(), rows), kMostOutcomes);
  if (!problem.penalised() || problem.two_sectors())
    reject("student must be tied, direct, or untied with attention = cross with a custom loss, got {}",
           name(problem.student));
  if (problem.lambda_rule == LambdaRule::ridgeless)
    reject("lambda must be > 0 with a custom loss, of which no limit is known; got 0+");
}

/// Throws unless a custom penalty goes with the rest of its problem.
void require_valid_custom_penalty(const Problem& problem) {
  if (!problem.custom_penalty) return;
  if (!problem.custom_penalty->function)
    reject("a custom penalty must have a function, got {} without", problem.custom_penalty->name);
  if (!problem.penalised() || problem.two_sectors())
    reject("student must be tied, direct, or untied with attention = cross with penalty {}, got {}",
           problem.custom_penalty->name, name(problem.student));
  if (problem.width != 1)
    reject("width must be 1 with penalty {}, got {}", problem.custom_penalty->name, problem.width);
  if (problem.lambda_rule != LambdaRule::value)
    reject("lambda must be a number > 0 with penalty {}, got {}", problem.custom_penalty->name, lambda_text(problem));
}

}  // namespace

void Problem::validate() const {
  require_valid_tokens(*this);
  base::require_in_ranges(describe(this), this);
  require_usable(*this);
  require_valid_lambda(*this);
  if (head == Head::linear && beta != 1)
    reject("beta must be 1 with head linear, which has no temperature, got {}", beta);
  if (head == Head::linear && target_beta != 1) {
    reject("target_beta must be 1 with head linear, which has no temperature, got {}", target_beta);
  }
  require_valid_student(*this);
  require_plain_student(*this);
  require_valid_loss(*this);
  require_valid_custom_loss(*this);
  require_valid_custom_penalty(*this);
}

double Problem::lambda_unit() const {
  if (labels == Labels::sign) return 1;  // the loss alone sets the scale of S
  const double Q_star = target.Q_star(), size = beta_ratio() * std::sqrt(Q_star);
  const bool square = student == Student::direct || student == Student::direct_general;
  if (head == Head::linear) return square ? 1 : std::sqrt(Q_star + noise);
  // Losses of outputs that are nearly linear are of second order in their fields; beyond, of order 1.
  const double largest_loss = std::min(1.0, target_beta * target_beta * (Q_star + noise));
  return largest_loss / (square ? size * size : size);
}

double Problem::largest_lambda() const { return kMaxLambda * std::max(1.0, lambda_unit()); }

int Problem::observed_score_count() const {
  if (custom_loss) return static_cast<int>(visible_scores(*this).cols());
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

}  // namespace attnlaw::model
