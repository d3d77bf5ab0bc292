#include "arguments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>

#include "attnlaw/base/file.h"
#include "completion.h"

namespace attnlaw::app {
namespace {

/// A number that must take up the whole text. Anything a double can hold passes here; ranges are the model's business.
template <class Number>
Number parse_number(const std::string& option, const std::string& text) {
  Number value{};
  const char* first = text.data() + (text.starts_with('+') && !text.starts_with("+-") ? 1 : 0);
  const auto [end, error] = std::from_chars(first, text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument(
        fmt::format("{} takes {}, got '{}'", option, std::is_integral_v<Number> ? "a whole number" : "a number", text));
  return value;
}

/// Adds an option whose text becomes a number, kept only if it was given.
template <class Number>
void add_number(CLI::App& app, const std::string& name, std::optional<Number>& target, const std::string& help) {
  app.add_option_function<std::string>(
         name, [name, &target](const std::string& text) { target = parse_number<Number>(name, text); }, help)
      ->type_name(std::is_integral_v<Number> ? "N" : "X");
}

void add_text(CLI::App& app, const std::string& name, std::optional<std::string>& target, const std::string& type,
              const std::string& help) {
  app.add_option(name, target, help)->type_name(type);
}

/// One of a few words; the choices are also what completion offers.
void add_choice(CLI::App& app, const std::string& name, std::optional<std::string>& target,
                const std::vector<std::string>& choices, const std::string& help) {
  app.add_option(name, target, help)->type_name(fmt::format("{}", fmt::join(choices, "|")));
}

std::string one_of(const std::string& option, const std::optional<std::string>& given,
                   const std::vector<std::string>& choices) {
  const std::string value = given.value_or(choices.front());
  if (std::find(choices.begin(), choices.end(), value) == choices.end())
    throw std::invalid_argument(fmt::format("{} takes {}, got '{}'", option, fmt::join(choices, ", "), value));
  return value;
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

  Common resolve() const {
    static const std::map<std::string, Format> formats{
        {"table", Format::table}, {"json", Format::json}, {"csv", Format::csv}};
    Common common{formats.at(one_of("--format", format, kFormats)), output.value_or(""), threads.value_or(0),
                  seed.value_or(0), quiet};
    if (common.threads < 0)
      throw std::invalid_argument(fmt::format("--threads takes 0 (all) or more, got {}", common.threads));
    if (output && output->empty()) throw std::invalid_argument("--output takes a file name, got ''");
    return common;
  }
};

struct ProblemOptions {
  std::optional<std::string> file, attention, head, loss, target, student;
  std::optional<int> tokens;
  std::optional<double> alpha, lambda, beta, target_beta, noise, width;

  void add(CLI::App& app) {
    add_text(app, "--problem", file, "FILE",
             "read the problem from a TOML or JSON file; options given here override it");
    add_number(app, "--tokens", tokens, "T, tokens per sequence (default 2)");
    add_choice(app, "--attention", attention, {"self"}, "one sequence on both sides");
    add_choice(app, "--head", head, {"softmax", "linear"}, "output nonlinearity (default softmax)");
    add_choice(app, "--loss", loss, {"square"}, "squared distance of the outputs");
    add_number(app, "--alpha", alpha, "n/d², sequences per squared dimension (required)");
    add_number(app, "--lambda", lambda, "trace penalty, equal to weight decay (required)");
    add_number(app, "--beta", beta, "inverse temperature of the student (default 1)");
    add_number(app, "--target-beta", target_beta, "inverse temperature of the labels (default 1)");
    add_number(app, "--noise", noise, "index noise Δ (default 0)");
    add_text(app, "--target", target, "SPEC",
             "wishart:KAPPA, powerlaw:GAMMA,D[,CUTOFF], spikes:D,s1,s2,… or file:PATH (default wishart:0.5)");
    add_choice(app, "--student", student, {"tied"}, "student class");
    add_number(app, "--width", width, "m_h/d of the tied student (1: full)");
  }

  model::Problem resolve() const {
    nlohmann::json document = nlohmann::json::object();
    if (file) document = read(*file);
    const auto put = [&](const char* key, const auto& value) {
      if (value) document[key] = *value;
    };
    put("tokens", tokens);
    put("attention", attention);
    put("head", head);
    put("loss", loss);
    put("alpha", alpha);
    put("lambda", lambda);
    put("beta", beta);
    put("target-beta", target_beta);
    put("noise", noise);
    put("target", target);
    put("student", student);
    put("width", width);
    for (const char* required : {"alpha", "lambda"})
      if (!document.contains(required))
        throw std::invalid_argument(fmt::format("--{} is required: a number > 0", required));
    return model::problem_from_json(document);
  }

 private:
  static nlohmann::json read(const std::string& path) {
    const std::string text = base::read_text(path);
    try {
      if (!path.ends_with(".json")) return model::json_from_toml(text);
      const nlohmann::json document = nlohmann::json::parse(text);
      // A document that this program wrote carries its problem inside.
      const nlohmann::json problem = document.contains("problem") ? document["problem"] : document;
      if (!problem.is_object()) throw std::invalid_argument("a problem is a JSON object");
      return problem;
    } catch (const std::exception& error) {
      throw std::invalid_argument(fmt::format("{}: {}", path, error.what()));
    }
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
  std::optional<std::string> d, trainer, precision;
  std::optional<int> instances, max_iterations;
  std::optional<double> tolerance;

  static inline const std::vector<std::string> kTrainers{"lbfgs", "adam", "fista"};
  static inline const std::vector<std::string> kPrecisions{"single", "double"};

  void add(CLI::App& app, const std::string& d_type, const std::string& d_help) {
    add_text(app, "--d", d, d_type, d_help);
    add_number(app, "--instances", instances, "independent targets and data sets at each d (default 4)");
    add_choice(app, "--trainer", trainer, kTrainers, "how to train (default lbfgs)");
    add_choice(app, "--precision", precision, kPrecisions, "of data and products (default single)");
    add_number(app, "--tolerance", tolerance, "KKT residual to reach (default 1e-5 in double, see docs for single)");
    add_number(app, "--max-iterations", max_iterations, "of the trainer (default 20000)");
  }

  /// Any option but --d was given.
  bool any() const { return trainer || precision || instances || max_iterations || tolerance; }

  Experiments resolve() const {
    Experiments experiments;
    if (d) experiments.d = parse_list(*d);
    experiments.options.trainer = experiment::trainer_from_name(one_of("--trainer", trainer, kTrainers));
    experiments.options.precision = experiment::precision_from_name(one_of("--precision", precision, kPrecisions));
    if (instances) experiments.options.instances = *instances;
    if (max_iterations) experiments.options.max_iterations = *max_iterations;
    if (tolerance) experiments.options.tolerance = *tolerance;
    return experiments;
  }

 private:
  static std::vector<int> parse_list(const std::string& text) {
    std::vector<int> values;
    for (std::size_t first = 0; first <= text.size();) {
      const std::size_t comma = std::min(text.find(',', first), text.size());
      values.push_back(parse_number<int>("--d", text.substr(first, comma - first)));
      first = comma + 1;
    }
    return values;
  }
};

/// A command's options and what they become.
struct Command {
  CLI::App* app = nullptr;
  std::function<Arguments()> resolve;
};

constexpr const char* kExampleSolve = "Example: attnlaw solve --alpha 0.3 --lambda 0.05";
constexpr const char* kExampleSimulate =
    "Example: attnlaw simulate --alpha 0.5 --lambda 0.05 --d 40,60,90 --instances 4";
constexpr const char* kExampleSpectrum =
    "Example: attnlaw spectrum --alpha 0.3 --lambda 0.05 --d 100 --html spectrum.html";
constexpr const char* kExampleDemo = "Example: attnlaw demo --html learning-curve.html";
constexpr const char* kExampleConventions = "Example: attnlaw conventions";
constexpr const char* kExampleVersion = "Example: attnlaw version --format json";
constexpr const char* kExampleCompletion =
    "Example: attnlaw completion bash > ~/.local/share/bash-completion/completions/attnlaw";

/// Every command with its options; the options live as long as this object.
class CommandLine {
  static inline const std::vector<std::string> kShells{"bash"};

 public:
  CommandLine() : app_("Exact high-dimensional laws of attention, beside finite-size experiments.", "attnlaw") {
    app_.footer("attnlaw COMMAND --help shows the options of a command with an example.");
    add_solve();
    add_simulate();
    add_spectrum();
    add_demo();
    add_plain<ConventionsArguments>("conventions", "the normalisation of everything that is computed",
                                    kExampleConventions);
    add_plain<VersionArguments>("version", "build, BLAS kernel and library versions", kExampleVersion);
    add_completion();
  }

  Arguments parse(int argc, char** argv) {
    require_known_command(argc, argv);
    try {
      app_.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
      return Help{help()};
    } catch (const CLI::ParseError& error) {
      throw std::invalid_argument(fmt::format("{} (attnlaw --help lists commands and options)", error.what()));
    }
    for (Command& command : commands_)
      if (command.app->parsed()) return command.resolve();
    if (app_.get_subcommands().empty() && argc <= 1) return Help{app_.help()};
    throw std::invalid_argument("no command given (attnlaw --help lists them)");
  }

  std::string completion() const {
    std::map<std::string, std::vector<CompletionOption>> entries;
    for (const Command& command : commands_) {
      std::vector<CompletionOption> options;
      for (const CLI::Option* option : command.app->get_options()) {
        const std::string name = option->get_name();
        if (!name.starts_with("--")) continue;
        const std::string type = option->get_type_name();
        CompletionOption entry{name, {}, type == "FILE"};
        // Names of types are in capitals, choices in lower case.
        if (!type.empty() && std::islower(static_cast<unsigned char>(type.front())))
          entry.choices = CLI::detail::split(type, '|');
        options.push_back(std::move(entry));
      }
      entries[command.app->get_name()] = std::move(options);
    }
    return bash_completion(entries);
  }

 private:
  void require_known_command(int argc, char** argv) const {
    if (argc < 2 || argv[1][0] == '-') return;
    std::vector<std::string> names;
    for (const Command& command : commands_) names.push_back(command.app->get_name());
    if (std::find(names.begin(), names.end(), argv[1]) == names.end())
      throw std::invalid_argument(fmt::format("'{}' is not a command; there are {}", argv[1], fmt::join(names, ", ")));
  }

  CLI::App& add(const std::string& name, const std::string& summary, const char* example) {
    CLI::App* app = app_.add_subcommand(name, summary);
    app->footer(example);
    commands_.push_back({app, {}});
    return *app;
  }

  std::string help() {
    const auto parsed = app_.get_subcommands();
    return parsed.empty() ? app_.help() : parsed.front()->help("attnlaw");
  }

  void add_solve() {
    CLI::App& app = add("solve", "theory at one point", kExampleSolve);
    auto& [common, problem, theory] = keep<std::tuple<CommonOptions, ProblemOptions, TheoryOptions>>();
    problem.add(app), theory.add(app), common.add(app);
    commands_.back().resolve = [&] { return SolveArguments{common.resolve(), problem.resolve(), theory.resolve()}; };
  }

  void add_simulate() {
    CLI::App& app = add("simulate", "finite-size experiments with the theory beside them", kExampleSimulate);
    auto& [common, problem, theory, experiments, html] =
        keep<std::tuple<CommonOptions, ProblemOptions, TheoryOptions, ExperimentOptions, std::optional<std::string>>>();
    problem.add(app), theory.add(app);
    experiments.add(app, "N[,N...]", "embedding dimension, or several to extrapolate to 1/d → 0 (required)");
    add_text(app, "--html", html, "FILE", "write a report with charts");
    common.add(app);
    commands_.back().resolve = [&] {
      SimulateArguments arguments{common.resolve(), problem.resolve(), theory.resolve(), experiments.resolve(),
                                  html.value_or("")};
      if (arguments.experiments.d.empty())
        throw std::invalid_argument("--d is required: one embedding dimension or several, as in 40,60,90");
      return arguments;
    };
  }

  void add_spectrum() {
    CLI::App& app = add("spectrum", "law of the trained map, and experiments over it", kExampleSpectrum);
    auto& [common, problem, theory, experiments, html] =
        keep<std::tuple<CommonOptions, ProblemOptions, TheoryOptions, ExperimentOptions, std::optional<std::string>>>();
    problem.add(app), theory.add(app);
    experiments.add(app, "N", "overlay experiments at this embedding dimension");
    add_text(app, "--html", html, "FILE", "write a report with the chart");
    common.add(app);
    commands_.back().resolve = [&] {
      SpectrumArguments arguments{common.resolve(), problem.resolve(), theory.resolve(), experiments.resolve(),
                                  html.value_or("")};
      if (arguments.experiments.d.empty() && experiments.any())
        throw std::invalid_argument("options of experiments need --d, an embedding dimension to run them at");
      if (arguments.experiments.d.size() > 1)
        throw std::invalid_argument(
            fmt::format("--d of spectrum takes one dimension, got {}", arguments.experiments.d.size()));
      return arguments;
    };
  }

  void add_demo() {
    CLI::App& app = add("demo", "learning curve of a softmax attention layer, theory and experiment", kExampleDemo);
    auto& [common, html] = keep<std::tuple<CommonOptions, std::optional<std::string>>>();
    add_text(app, "--html", html, "FILE", "report to write (default attnlaw-demo.html)");
    common.add(app);
    commands_.back().resolve = [&] {
      DemoArguments arguments;
      arguments.common = common.resolve();
      if (html) arguments.html = *html;
      return arguments;
    };
  }

  template <class Plain>
  void add_plain(const std::string& name, const std::string& summary, const char* example) {
    CLI::App& app = add(name, summary, example);
    auto& common = keep<CommonOptions>();
    common.add(app);
    commands_.back().resolve = [&] { return Plain{common.resolve()}; };
  }

  void add_completion() {
    CLI::App& app = add("completion", "completion script for a shell", kExampleCompletion);
    auto& [common, shell] = keep<std::tuple<CommonOptions, std::optional<std::string>>>();
    app.add_option("shell", shell, "bash")->type_name("");
    common.add(app);
    commands_.back().resolve = [&] {
      one_of("completion", shell, kShells);
      return CompletionArguments{common.resolve(), completion()};
    };
  }

  /// Options are bound by reference: they must not move while the parser lives.
  template <class Options>
  Options& keep() {
    auto owned = std::make_shared<Options>();
    kept_.push_back(owned);
    return *owned;
  }

  CLI::App app_;
  std::vector<Command> commands_;
  std::vector<std::shared_ptr<void>> kept_;
};

}  // namespace

Arguments parse_arguments(int argc, char** argv) { return CommandLine().parse(argc, argv); }

std::string command_line(int argc, char** argv) {
  std::string line = "attnlaw";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool plain = !word.empty() && word.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./") ==
                                            std::string::npos;
    std::string quoted = "'";
    for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
    line += " " + (plain ? word : quoted + "'");
  }
  return line;
}

}  // namespace attnlaw::app
