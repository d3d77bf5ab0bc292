#pragma once
/// Groups of options of the command line, as texts, and what each group becomes. Included by arguments.cc alone: CLI11
/// is slow to compile.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.h"
#include "attnlaw/base/file.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/model/problem_file.h"
#include "attnlaw/study/grid.h"

namespace attnlaw::legacy {

/// The number that takes up a whole text, after a plus sign or not; nothing if there is none. Anything a double can
/// hold passes here; ranges are the model's business.
template <class Number>
std::optional<Number> number_in(const std::string& text) {
  const bool plus = text.starts_with('+') && !text.starts_with("+-");
  return base::number_in<Number>(std::string_view(text).substr(plus ? 1 : 0));
}

template <class Number>
Number parse_number(const std::string& option, const std::string& text) {
  if (const auto value = number_in<Number>(text)) return *value;
  throw std::invalid_argument(
      fmt::format("{} takes {}, got '{}'", option, std::is_integral_v<Number> ? "a whole number" : "a number", text));
}

inline std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> fields;
  for (std::size_t first = 0; first <= text.size();) {
    const std::size_t comma = std::min(text.find(',', first), text.size());
    fields.push_back(text.substr(first, comma - first));
    first = comma + 1;
  }
  return fields;
}

/// FROM,TO,N as a grid. A geometric one needs FROM > 0.
inline std::vector<double> parse_grid(const std::string& option, const std::string& text, study::Spacing spacing,
                                      int least_count = 2) {
  const std::vector<std::string> fields = split_at_commas(text);
  if (fields.size() != 3)
    throw std::invalid_argument(fmt::format("{} takes FROM,TO,N, as in 0.1,2,20; got '{}'", option, text));
  const int count = parse_number<int>("N of " + option, fields[2]);
  if (count < least_count)
    throw std::invalid_argument(fmt::format("N of {} must be at least {}, got {}", option, least_count, count));
  try {
    return study::grid(parse_number<double>("FROM of " + option, fields[0]),
                       parse_number<double>("TO of " + option, fields[1]), count, spacing);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("{} '{}': {}", option, text, error.what()));
  }
}

/// Adds an option whose text becomes a number, kept only if it was given.
template <class Number>
void add_number(CLI::App& app, const std::string& name, std::optional<Number>& target, const std::string& help) {
  app.add_option_function<std::string>(
         name, [name, &target](const std::string& text) { target = parse_number<Number>(name, text); }, help)
      ->type_name(std::is_integral_v<Number> ? "N" : "X");
}

inline void add_text(CLI::App& app, const std::string& name, std::optional<std::string>& target,
                     const std::string& type, const std::string& help) {
  app.add_option(name, target, help)->type_name(type);
}

/// One of a few words; the choices are also what completion offers.
inline void add_choice(CLI::App& app, const std::string& name, std::optional<std::string>& target,
                       const std::vector<std::string>& choices, const std::string& help) {
  app.add_option(name, target, help)->type_name(fmt::format("{}", fmt::join(choices, "|")));
}

inline std::string one_of(const std::string& option, const std::optional<std::string>& given,
                          const std::vector<std::string>& choices) {
  const std::string value = given.value_or(choices.front());
  if (std::find(choices.begin(), choices.end(), value) == choices.end())
    throw std::invalid_argument(fmt::format("{} takes {}, got '{}'", option, fmt::join(choices, ", "), value));
  return value;
}

/// Those of the named options that stand on the command line: what a command has no use for.
inline std::vector<std::string> given_among(const CLI::App& app, std::vector<std::string> names) {
  std::erase_if(names, [&](const std::string& name) { return app.count(name) == 0; });
  return names;
}

struct CommonOptions {
  std::optional<std::string> format;
  std::optional<std::string> output;
  std::optional<int> threads;
  std::optional<std::uint64_t> seed;
  bool quiet = false;

  static inline const std::vector<std::string> kFormats{"table", "json", "csv"};

  void add(CLI::App& app) {
    add_choice(app, "--format", format, kFormats, "form of the result (default table)");
    add_text(app, "--output", output, "FILE", "write the result to FILE, whole or not at all");
    add_number(app, "--threads", threads, "threads to use (default 0: all)");
    add_number(app, "--seed", seed, "key of all random numbers of experiments (default 0)");
    app.add_flag("--quiet", quiet, "no progress bar");
  }

  /// `unread`: options given that the command has no use for.
  Common resolve(std::vector<std::string> unread = {}) const {
    static const std::map<std::string, Format> formats{
        {"table", Format::table}, {"json", Format::json}, {"csv", Format::csv}};
    Common common{formats.at(one_of("--format", format, kFormats)),
                  output.value_or(""),
                  threads.value_or(0),
                  seed.value_or(0),
                  quiet,
                  std::move(unread)};
    if (common.threads < 0)
      throw std::invalid_argument(fmt::format("--threads takes 0 (all) or more, got {}", common.threads));
    if (output && output->empty()) throw std::invalid_argument("--output takes a file name, got ''");
    return common;
  }
};

struct ProblemOptions {
  std::optional<std::string> file, attention, tokens, head, readout, labels, loss, target, student, lambda;
  std::optional<double> alpha, beta, target_beta, noise, width;

  /// `alpha_need` and `lambda_need`: what the help says about leaving them out.
  void add(CLI::App& app, const std::string& alpha_need = "required", const std::string& lambda_need = "required") {
    add_text(app, "--problem", file, "FILE",
             "read the problem from a TOML or JSON file; options given here override it");
    add_choice(app, "--attention", attention, {"self", "cross"},
               "queries and keys of one sequence, or of two (default self)");
    add_text(app, "--tokens", tokens, "T",
             "tokens per sequence (default 2); with --attention cross T1,T2: queries and keys (default 2,2)");
    add_choice(app, "--head", head, {"softmax", "linear", "hardmax"},
               "output nonlinearity (default softmax); hardmax for student bayes with T = 2");
    add_choice(app, "--readout", readout, {"rows", "entry", "score"},
               "what is labelled: all rows, one entry of the softmax, or one score (default rows)");
    add_choice(app, "--labels", labels, {"soft", "sampled", "sign"},
               "the outputs themselves, one-hot rows drawn from them, or the sign of a score (default soft)");
    add_choice(app, "--loss", loss, {"square", "cross-entropy", "logistic"},
               "what is minimised (default square; cross-entropy for sampled labels, logistic for signs)");
    add_number(app, "--alpha", alpha, "n/d², sequences per squared dimension (" + alpha_need + ")");
    add_text(app, "--lambda", lambda, "L",
             "penalty: a number > 0, 0+ (its limit), optimal (least test error) or edge (noise just trained away); "
             "none for student bayes (" +
                 lambda_need + ")");
    add_number(app, "--beta", beta, "inverse temperature of the student (default 1)");
    add_number(app, "--target-beta", target_beta, "inverse temperature of the labels (default 1)");
    add_number(app, "--noise", noise, "index noise Δ (default 0)");
    add_text(app, "--target", target, "SPEC",
             "wishart:KAPPA, product:KAPPA, powerlaw:GAMMA,D[,CUTOFF], spikes:D,s1,s2,… or file:PATH (default "
             "wishart:0.5; product:0.5 with --attention cross, where the others list singular values)");
    add_choice(app, "--student", student, {"tied", "direct", "direct-general", "untied", "bayes"},
               "who learns: S = W Wᵀ, S by its entries, any S, S = W_Q W_Kᵀ, or the posterior mean (default tied; "
               "untied with --attention cross)");
    add_number(app, "--width", width, "m_h/d of the tied student (default 1: full)");
  }

  /// The keys given, in the file or as options, which override it.
  nlohmann::json given() const {
    nlohmann::json document = nlohmann::json::object();
    if (file) document = read(*file);
    const auto put = [&](const char* key, const auto& value) {
      if (value) document[key] = *value;
    };
    if (tokens) {
      const auto number = number_in<int>(*tokens);
      document["tokens"] = number ? nlohmann::json(*number) : nlohmann::json(*tokens);
    }
    put("attention", attention);
    put("head", head);
    put("readout", readout);
    put("labels", labels);
    put("loss", loss);
    put("alpha", alpha);
    put("beta", beta);
    put("target_beta", target_beta);
    put("noise", noise);
    put("target", target);
    put("student", student);
    put("width", width);
    if (lambda) {
      const auto number = number_in<double>(*lambda);
      document["lambda"] = number ? nlohmann::json(*number) : nlohmann::json(*lambda);
    } else if (student == "bayes") {
      document.erase("lambda");  // that of a file belongs to the student it overrides
    }
    return document;
  }

  /// `fallback`: keys that a command can do without, and the value to take then.
  model::Problem resolve(const nlohmann::json& fallback = nlohmann::json::object()) const {
    nlohmann::json document = given();
    const bool penalised = document.value("student", nlohmann::json("tied")) != "bayes";
    for (const auto& [key, value] : fallback.items())
      if (!document.contains(key) && (key != "lambda" || penalised)) document[key] = value;
    if (!document.contains("alpha")) throw std::invalid_argument("--alpha is required: a number > 0");
    if (!document.contains("lambda") && penalised)
      throw std::invalid_argument(
          "--lambda is required: a number > 0, 0+ (its limit), optimal (least test error) or edge");
    return model::problem_from_json(document);
  }

 private:
  static nlohmann::json read(const std::string& path) {
    const std::string text = base::read_text(path);
    try {
      if (!path.ends_with(".json")) return model::with_target_beside(path, model::json_from_toml(text));
      const nlohmann::json document = nlohmann::json::parse(text);
      // A document that this program wrote carries its problem inside.
      const nlohmann::json problem = document.contains("problem") ? document["problem"] : document;
      if (!problem.is_object()) throw std::invalid_argument("a problem is a JSON object");
      return model::with_target_beside(path, problem);
    } catch (const std::exception& error) {
      throw std::invalid_argument(fmt::format("{}: {}", path, error.what()));
    }
  }
};

/// 90, 90s, 15m or 2h, in seconds.
struct TheoryOptions {
  std::optional<double> accuracy;

  void add(CLI::App& app) {
    add_number(app, "--accuracy", accuracy, "largest relative sampling error of the theory (default 1e-3)");
  }

  theory::SolveOptions resolve() const {
    theory::SolveOptions options;
    if (accuracy) options.accuracy = *accuracy;
    theory::require_valid(options);
    return options;
  }
};

struct ExperimentOptions {
  std::optional<std::string> d, trainer, init, precision;
  std::optional<int> instances, max_iterations;
  std::optional<double> tolerance;

  static inline const std::vector<std::string> kTrainers{"lbfgs", "adam", "fista", "gamp"};
  static inline const std::vector<std::string> kPrecisions{"single", "double"};
  static inline const std::vector<std::string> kInits{"random", "spectral"};

  void add(CLI::App& app, const std::string& d_type, const std::string& d_help) {
    add_text(app, "--d", d, d_type, d_help);
    add_number(app, "--instances", instances, "independent targets and data sets at each d (default 4)");
    add_choice(app, "--trainer", trainer, kTrainers, "how to train (default lbfgs; gamp for student bayes)");
    add_choice(app, "--init", init, kInits,
               "where to begin: as the trainer does by itself, or what labels tell at once");
    add_choice(app, "--precision", precision, kPrecisions, "of data and products (default single)");
    add_number(app, "--tolerance", tolerance, "KKT residual to reach (default 1e-5 in double, see docs for single)");
    add_number(app, "--max-iterations", max_iterations, "of the trainer (default 20000)");
  }

  /// Any option of experiments was given, --d included.
  bool any() const { return d || trainer || init || precision || instances || max_iterations || tolerance; }

  Experiments resolve(const model::Problem& problem) const {
    Experiments experiments;
    if (d)
      for (const std::string& field : split_at_commas(*d)) experiments.d.push_back(parse_number<int>("--d", field));
    experiments.options.trainer = trainer ? experiment::trainer_from_name(one_of("--trainer", trainer, kTrainers))
                                          : experiment::trainers_for(problem).front();
    experiments.options.initialisation = experiment::initialisation_from_name(one_of("--init", init, kInits));
    experiments.options.precision = experiment::precision_from_name(one_of("--precision", precision, kPrecisions));
    if (instances) experiments.options.instances = *instances;
    if (max_iterations) experiments.options.max_iterations = *max_iterations;
    if (tolerance && !(*tolerance > 0))
      throw std::invalid_argument(
          fmt::format("--tolerance takes a number > 0 (without it: the default of the precision), got {}", *tolerance));
    if (tolerance) experiments.options.tolerance = *tolerance;
    return experiments;
  }
};

struct SoftmaxLawOptions {
  std::optional<double> beta, rho, tau;
  std::optional<std::string> tokens, refine;
  std::optional<int> length, simulate, instances;

  static inline const std::vector<std::string> kTokens{"orthonormal", "gaussian"};
  static inline const std::vector<std::string> kRefinements{"none", "tail", "head"};

  void add(CLI::App& app) {
    add_number(app, "--beta", beta, "inverse temperature: standard deviation of the logits (required)");
    add_number(app, "--rho", rho, "T/m, tokens over head dimension (required)");
    add_choice(app, "--tokens", tokens, kTokens, "model of the tokens (default orthonormal)");
    add_number(app, "--tau", tau, "T/d, tokens over embedding dimension (required for gaussian)");
    add_number(app, "--simulate", simulate, "T: simulate attention with so many tokens");
    add_number(app, "--instances", instances, "independent weights and tokens to simulate (default 4)");
    add_number(app, "--length", length, "T of refinement and diagnosis without a simulation (default 1000)");
    add_choice(app, "--refine", refine, kRefinements,
               "law refined for T tokens: heavy tail of the entries, or small head (default none)");
  }

  SoftmaxLawArguments resolve() const {
    constexpr int kInstances = 4;
    static const std::map<std::string, laws::Refinement> refinements{
        {"none", laws::Refinement::none}, {"tail", laws::Refinement::tail}, {"head", laws::Refinement::head}};
    SoftmaxLawArguments arguments;
    if (!beta) throw std::invalid_argument("--beta is required: a number > 0");
    if (!rho) throw std::invalid_argument("--rho is required: a number > 0");
    const bool gaussian = one_of("--tokens", tokens, kTokens) == "gaussian";
    if (gaussian && !tau) throw std::invalid_argument("--tau is required for gaussian tokens: a number > 0");
    if (instances && !simulate) throw std::invalid_argument("--instances needs --simulate T, a number of tokens");
    if (length && simulate) throw std::invalid_argument("--simulate T says what T is: leave out --length");
    if (instances && *instances < 1)
      throw std::invalid_argument(fmt::format("--instances takes 1 or more, got {}", *instances));
    arguments.parameters = {*beta, *rho, gaussian ? laws::TokenModel::gaussian : laws::TokenModel::orthonormal,
                            tau.value_or(0)};
    arguments.refinement = refinements.at(one_of("--refine", refine, kRefinements));
    if (simulate) arguments.instances = instances.value_or(kInstances);
    if (length) arguments.length = *length;
    if (simulate) arguments.length = *simulate;
    laws::linear_model(arguments.parameters, arguments.refinement, arguments.length);
    laws::dimensions_of(arguments.parameters, arguments.length);
    return arguments;
  }
};

/// Attention pooling: the model by its scalars, or by sequences and weights.
struct PoolingOptions {
  std::optional<double> delta, gamma, mu2, alpha, kappa;
  std::optional<std::string> weights, profile;
  std::optional<int> length, d, instances;
  bool uncentred = false, fixed_length = false, own_scores = false;

  void add(CLI::App& app) {
    add_number(app, "--delta", delta, "δ = d/V, dimension over vocabulary (required)");
    add_number(app, "--gamma", gamma, "γ = d/N, dimension over sequences (required)");
    add_number(app, "--mu2", mu2, "|μ|², strength of the signal (required)");
    add_number(app, "--alpha-pool", alpha, "α = wᵀRw (required without --profile)");
    add_number(app, "--kappa-pool", kappa, "κ = |w|² (default 1)");
    add_text(app, "--profile", profile, "SPEC",
             "instead of α and κ, how positions carry the signal: power:R0,B, markov:RHO or file:PATH");
    add_text(app, "--weights", weights, "SPEC", "mean, harmonic, attention:TAU, optimal or file:PATH (default mean)");
    add_number(app, "--length", length, "L, tokens of a sequence (required with --profile unless a file gives it)");
    add_number(app, "--d", d, "simulate at this dimension");
    add_number(app, "--instances", instances, "vocabularies to draw (default 4)");
    app.add_flag("--uncentred", uncentred, "do not subtract the mean of the pooled vectors");
    app.add_flag("--fixed-length", fixed_length, "also the bulk of sequences of just this length, and its distance");
    app.add_flag("--own-scores", own_scores,
                 "simulate attention:TAU with the scores of each sequence, not their limit");
  }

  laws::PoolingModel model(const std::optional<laws::PooledSequences>& sequences) const {
    laws::PoolingModel model;
    model.ratios = {required("--delta", delta, "d/V, a number > 0"), required("--gamma", gamma, "d/N, a number > 0")};
    model.mu2 = required("--mu2", mu2, "the strength of the signal, a number >= 0");
    model.alpha_pool = sequences ? sequences->scalars.alpha
                                 : required("--alpha-pool", alpha, "a number >= 0 (or --profile and --weights)");
    model.kappa_pool = sequences ? sequences->scalars.kappa : kappa.value_or(1);
    laws::require_valid(model);
    return model;
  }

  std::optional<laws::PooledSequences> sequences() const {
    if (!profile) {
      if (weights || length) throw std::invalid_argument("--weights and --length need --profile beside them");
      return std::nullopt;
    }
    if (alpha || kappa)
      throw std::invalid_argument("--alpha-pool and --kappa-pool follow from --profile and --weights: leave them out");
    if (length && *length < 1) throw std::invalid_argument(fmt::format("--length must be at least 1, got {}", *length));
    std::optional<std::size_t> tokens;
    if (length) tokens = static_cast<std::size_t>(*length);
    auto correlations = laws::SignCorrelations::parse(*profile, tokens);
    const std::string spec = weights.value_or("mean");
    std::vector<double> values = laws::parse_weights(spec, correlations);
    const laws::PoolingScalars scalars = laws::pooling_scalars(values, correlations);
    return laws::PooledSequences{*profile, spec, std::move(correlations), std::move(values), scalars};
  }

  std::optional<laws::PoolingExperimentOptions> experiment(const Common& common) const {
    if (!d) {
      if (instances) throw std::invalid_argument("--instances needs --d, a dimension to simulate at");
      if (own_scores) throw std::invalid_argument("--own-scores needs --d, a dimension to simulate at");
      return std::nullopt;
    }
    if (!profile) throw std::invalid_argument("--d needs --profile: what sequences to draw");
    if (*d < 2) throw std::invalid_argument(fmt::format("--d must be at least 2, got {}", *d));
    laws::PoolingExperimentOptions options;
    options.d = static_cast<std::size_t>(*d);
    options.instances = instances.value_or(options.instances);
    options.centred = !uncentred;
    options.fixed_length = fixed_length;
    if (own_scores) options.own_scores = laws::attention_tau(weights.value_or("mean"));
    options.seed = common.seed;
    options.threads = common.threads;
    return options;
  }

 private:
  static double required(const char* name, const std::optional<double>& value, const char* what) {
    if (!value) throw std::invalid_argument(fmt::format("{} is required: {}", name, what));
    return *value;
  }
};

/// Fine-tuning by an adapter, and what was pre-trained.
struct AdapterOptions {
  std::optional<double> alpha, omega, lambda, noise, beta, accuracy;
  std::optional<int> tokens;
  std::optional<std::string> head, alphas;
  std::optional<double> e_pre, q_pre, m_pre;
  ProblemOptions pretraining;
  std::optional<int> d, instances, max_iterations;
  std::optional<double> tolerance;
  std::optional<std::string> start;

  static inline const std::vector<std::string> kHeads{"softmax", "linear"};
  static inline const std::vector<std::string> kStarts{"spectral", "informed"};

  void add(CLI::App& app) {
    add_number(app, "--alpha-ft", alpha, "n/d, sequences of fine-tuning per dimension (required)");
    add_number(app, "--omega", omega, "strength of the rank-one term to learn (default 1)");
    add_number(app, "--lambda-ft", lambda, "penalty (λ/2)|w|² of the adapter (default 0.1)");
    add_number(app, "--noise", noise, "index noise Δ of the labels (default 0)");
    add_number(app, "--tokens", tokens, "T, tokens per sequence (default 2; softmax takes 2 alone)");
    add_choice(app, "--head", head, kHeads, "output nonlinearity (default softmax)");
    add_number(app, "--beta", beta, "inverse temperature (default 1)");
    add_text(app, "--alpha-range", alphas, "FROM,TO,N", "also a curve over alpha-ft (equal ratios)");
    add_number(app, "--accuracy", accuracy, "largest relative sampling error of the theory (default 1e-3)");
    add_pretraining(app);
    add_number(app, "--d", d, "fine-tune at this embedding dimension, beside the theory");
    add_number(app, "--instances", instances, "independent pre-trained students and data sets (default 4)");
    add_choice(app, "--start", start, kStarts, "of the adapter: from the data, or the answer (default spectral)");
    add_number(app, "--tolerance", tolerance, "relative gradient to reach (default 1e-6)");
    add_number(app, "--max-iterations", max_iterations, "of L-BFGS (default 5000)");
  }

  /// Any option of experiments was given, --d included.
  bool experiments() const { return d || instances || start || tolerance || max_iterations; }

  laws::LoraTask task() const {
    if (!alpha) throw std::invalid_argument("--alpha-ft is required: sequences per dimension, a number > 0");
    laws::LoraTask task;
    task.head = base::value_of<model::Head>("head", one_of("--head", head, kHeads));
    task.alpha = *alpha;
    task.tokens = tokens.value_or(task.tokens);
    task.omega = omega.value_or(task.omega);
    task.lambda = lambda.value_or(task.lambda);
    task.noise = noise.value_or(task.noise);
    task.beta = beta.value_or(task.beta);
    task.validate();
    return task;
  }

  /// Sets what was pre-trained: overlaps, or a problem.
  void resolve_pretraining(const laws::LoraTask& task, LoraArguments& arguments) const {
    const bool problem = pretraining.alpha || pretraining.file;
    if (int{problem} + int{e_pre.has_value()} + int{q_pre || m_pre} != 1)
      throw std::invalid_argument(
          "what was pre-trained is given in one of three ways: --e-pre X; --q-pre X with --m-pre Y; or a problem to "
          "solve, --alpha A with --lambda L or --student bayes");
    if (q_pre.has_value() != m_pre.has_value())
      throw std::invalid_argument("--q-pre and --m-pre need each other: Tr S_pre²/d and Tr S_pre S*/d");
    if (problem) return resolve_problem(task, arguments);
    if (pretraining.lambda || pretraining.student || pretraining.width || pretraining.tokens || pretraining.noise ||
        pretraining.head)
      throw std::invalid_argument("options of a pre-training problem need its --alpha");
    if (pretraining.target) arguments.target = model::Target::parse(*pretraining.target);
    if (arguments.target.is_product())
      throw std::invalid_argument(
          fmt::format("target must be symmetric for an adapter: wishart:KAPPA, powerlaw:..., spikes:... or file:PATH, "
                      "got {}",
                      arguments.target.spec()));
    const double Q_star = arguments.target.Q_star();
    if (e_pre && !(*e_pre >= 0 && *e_pre <= Q_star))
      throw std::invalid_argument(
          fmt::format("--e-pre takes a number from 0 to Q* = {} of the target, got {}", Q_star, *e_pre));
    arguments.pretrained =
        e_pre ? laws::PretrainedOverlaps::calibrated(Q_star, *e_pre) : laws::PretrainedOverlaps{Q_star, *q_pre, *m_pre};
    arguments.pretrained->validate();
  }

  std::optional<laws::LoraExperimentOptions> experiment(const Common& common) const {
    if (!experiments()) return std::nullopt;
    if (!d) throw std::invalid_argument("options of experiments need --d, an embedding dimension to run them at");
    laws::LoraExperimentOptions options;
    options.d = *d;
    options.instances = instances.value_or(options.instances);
    options.start =
        one_of("--start", start, kStarts) == "informed" ? laws::AdapterStart::informed : laws::AdapterStart::spectral;
    options.tolerance = tolerance.value_or(options.tolerance);
    options.max_iterations = max_iterations.value_or(options.max_iterations);
    options.seed = common.seed;
    options.threads = common.threads;
    options.validate();
    return options;
  }

 private:
  void add_pretraining(CLI::App& app) {
    add_number(app, "--e-pre", e_pre, "pre-trained: ‖S_pre − S*‖²_F/d of a posterior mean");
    add_number(app, "--q-pre", q_pre, "or pre-trained: Tr S_pre²/d, with --m-pre");
    add_number(app, "--m-pre", m_pre, "Tr S_pre S*/d");
    add_number(app, "--alpha", pretraining.alpha, "or a problem of pre-training: its n/d²");
    add_text(app, "--lambda", pretraining.lambda, "L", "its penalty: a number > 0, 0+, optimal or edge");
    add_choice(app, "--student", pretraining.student, {"tied", "direct", "bayes"}, "its student (default tied)");
    add_number(app, "--width", pretraining.width, "its m_h/d of the tied student (default 1: full)");
    add_text(app, "--pre-tokens", pretraining.tokens, "T", "its tokens (default --tokens)");
    add_choice(app, "--pre-head", pretraining.head, kHeads, "its head (default --head)");
    add_number(app, "--pre-noise", pretraining.noise, "its index noise (default --noise)");
    add_text(app, "--target", pretraining.target, "SPEC",
             "S*: wishart:KAPPA, powerlaw:…, spikes:… or file:… (default wishart:0.5)");
    add_text(app, "--problem", pretraining.file, "FILE", "the problem of pre-training, from a TOML or JSON file");
  }

  void resolve_problem(const laws::LoraTask& task, LoraArguments& arguments) const {
    ProblemOptions options = pretraining;
    if (!options.file) {
      if (!options.tokens) options.tokens = std::to_string(task.tokens);
      if (!options.head) options.head = model::name(task.head);
      if (!options.noise) options.noise = task.noise;
      if (beta) options.beta = options.target_beta = beta;
    }
    arguments.pretraining = options.resolve();
    laws::require_symmetric_student(*arguments.pretraining);
    arguments.target = arguments.pretraining->target;
  }
};

struct LofiOptions {
  std::optional<std::string> target, n, data, labels, html;
  std::optional<int> d, instances, test, tokens, permutations, lift, lazy_lift, patches;
  std::optional<double> significance, clip;
  bool no_leap = false, lazy = false, published = false;

  void add(CLI::App& app) {
    add_text(app, "--target", target, "SPEC",
             "square, parity, parity-optimal, sine:R,OMEGA, staircase:R,GAMMA, leap:R, shared:P, shared-filter:P or "
             "attention:BETA (default sine:8,1.5)");
    add_number(app, "--d", d, "dimension of the inputs of a target, of its tokens (default 100)");
    add_text(app, "--n", n, "N[,N...]", "training samples of a target, one number or several (default 16000)");
    add_number(app, "--instances", instances, "draws at each n; 0: theory alone (default 1)");
    add_number(app, "--test", test, "test samples (default 10000 of a target, the last fifth of data)");
    add_text(app, "--data", data, "FILE", "instead of a target: samples, one a row, .npy or lines of numbers");
    add_text(app, "--labels", labels, "FILE", "their labels, one or several a sample (default: last column of --data)");
    add_number(app, "--tokens", tokens, "a row of --data is this many tokens one after the other");
    add_number(app, "--significance", significance, "keep directions that noise makes less often (default 0.01)");
    add_number(app, "--permutations", permutations, "of the labels, for p-values of features that are not white");
    add_number(app, "--clip", clip, "labels of data beyond this many standard deviations are clipped (default 2)");
    app.add_flag("--no-leap", no_leap, "do not look again through y times the features found");
    add_number(app, "--lift", lift, "ReLU features of a readout (default 500)");
    app.add_flag("--lazy", lazy, "also read out fixed kernels: random ReLU features and the kernel of degree 2");
    add_number(app, "--lazy-lift", lazy_lift, "ReLU features of the lazy readout (default 1500)");
    app.add_flag("--published", published,
                 "also the published recipe: fully connected, and its kernel limit to n = 3000");
    add_number(app, "--patches", patches, "with --published: features are N patches of equal size; its convolution");
    add_text(app, "--html", html, "FILE", "write a report with charts");
  }

  LofiArguments resolve(const Common& common) const {
    if (data && (target || d || n || instances))
      throw std::invalid_argument("--data excludes --target, --d, --n and --instances");
    if (tokens && !data) throw std::invalid_argument("--tokens is for --data: the tokens of a target are its own");
    if (tokens && *tokens < 1) throw std::invalid_argument(fmt::format("--tokens must be 1 or more, got {}", *tokens));
    if (labels && !data) throw std::invalid_argument("--labels needs --data FILE beside it");
    if (data && clip && !(*clip > 0)) throw std::invalid_argument(fmt::format("--clip must be > 0, got {}", *clip));
    if (clip && !data) throw std::invalid_argument("--clip is for --data: a built-in target has its own weights");
    LofiArguments arguments;
    arguments.common = common;
    arguments.target = target.value_or("sine:8,1.5");
    arguments.d = d.value_or(arguments.d);
    for (const std::string& field : split_at_commas(n.value_or("16000")))
      arguments.n.push_back(parse_number<int>("--n", field));
    arguments.instances = instances.value_or(1);
    if (arguments.instances < 0)
      throw std::invalid_argument(fmt::format("--instances must be 0 or more, got {}", arguments.instances));
    if (test && *test < 2) throw std::invalid_argument(fmt::format("--test must be 2 or more, got {}", *test));
    arguments.test = test.value_or(0), arguments.tokens = tokens.value_or(0);
    arguments.data = data.value_or(""), arguments.labels = labels.value_or(""), arguments.html = html.value_or("");
    laws::LofiOptions& options = arguments.options;
    options.filter.significance = significance.value_or(options.filter.significance);
    options.filter.permutations = permutations.value_or(0);
    options.filter.seed = options.seed = common.seed;
    options.clip = clip.value_or(options.clip);
    options.leap = !no_leap, options.lazy = lazy, options.published = published;
    if (patches && !published) throw std::invalid_argument("--patches needs --published beside it");
    if (patches && *patches < 1)
      throw std::invalid_argument(fmt::format("--patches must be 1 or more, got {}", *patches));
    options.patches = patches.value_or(0);
    options.lift = lift.value_or(options.lift), options.lazy_lift = lazy_lift.value_or(options.lazy_lift);
    return arguments;
  }
};

}  // namespace attnlaw::legacy
