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
inline double parse_duration(const std::string& option, const std::string& text) {
  static const std::map<char, double> units{{'s', 1}, {'m', 60}, {'h', 3600}};
  const auto unit = text.empty() ? units.end() : units.find(text.back());
  const auto number = number_in<double>(unit == units.end() ? text : text.substr(0, text.size() - 1));
  if (!number || !(*number >= 0))
    throw std::invalid_argument(fmt::format("{} takes a time such as 90s, 15m or 2h, got '{}'", option, text));
  return *number * (unit == units.end() ? 1 : unit->second);
}

/// How to run a study.
struct StudyOptions {
  std::optional<std::string> store, max_time;
  bool fast = false, yes = false, retry_failed = false;

  void add(CLI::App& app) {
    app.add_flag("--fast", fast, "with the settings of the fast tables");
    add_text(app, "--max-time", max_time, "TIME", "start no task after this time: 90s, 15m, 2h");
    app.add_flag("--retry-failed", retry_failed, "compute again what failed in an earlier run");
    app.add_flag("--yes", yes, "run it however many tasks there are");
  }

  StudyArguments resolve() const {
    StudyArguments arguments;
    arguments.store = store.value_or("");
    arguments.fast = fast;
    arguments.yes = yes;
    arguments.retry_failed = retry_failed;
    if (max_time) arguments.max_seconds = parse_duration("--max-time", *max_time);
    return arguments;
  }
};

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

}  // namespace attnlaw::legacy
