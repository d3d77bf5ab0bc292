#include "arguments.h"

#include <memory>

#include "completion.h"
#include "options.h"

namespace attnlaw::legacy {
namespace {

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
constexpr const char* kExampleThresholds = "Example: attnlaw thresholds --head linear --target wishart:0.3";
constexpr const char* kExampleScaling =
    "Example: attnlaw scaling --head linear --tokens 1 --noise 0.05 --target powerlaw:1.25,400 --n 1e3,1e7,41";
constexpr const char* kExampleSweep = "Example: attnlaw sweep study.toml --store study.sqlite";
constexpr const char* kExampleDemo = "Example: attnlaw demo --html learning-curve.html";
constexpr const char* kExampleConventions = "Example: attnlaw conventions";
constexpr const char* kExampleVersion = "Example: attnlaw version --format json";
constexpr const char* kExampleCompletion =
    "Example: attnlaw completion bash > ~/.local/share/bash-completion/completions/attnlaw";
constexpr const char* kExampleFigure = "Example: attnlaw figure learning_curve --fast --directory figures";

constexpr const char* kExampleResults =
    "Example: attnlaw results study.db --where \"student = 'tied' AND alpha < 1\" --format csv --output tied.csv";


/// Every command with its options; the options live as long as this object.
class CommandLine {
  static inline const std::vector<std::string> kShells{"bash"};

 public:
  CommandLine() : app_("Exact high-dimensional laws of attention, beside finite-size experiments.", "attnlaw") {
    app_.footer("attnlaw COMMAND --help shows the options of a command with an example.");
    add_solve();
    add_simulate();
    add_spectrum();
    add_thresholds();
    add_scaling();
    add_sweep();
    add_results();
    add_figure();
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
    } catch (const CLI::ExtrasError&) {
      // Its own text names them last to first.
      const std::vector<std::string> extras = app_.remaining(true);
      throw std::invalid_argument(fmt::format("{} not expected: {} (attnlaw --help lists commands and options)",
                                              extras.size() == 1 ? "this argument was" : "these arguments were",
                                              fmt::join(extras, " ")));
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
    auto& [common, problem, theory, isotropic] = keep<std::tuple<CommonOptions, ProblemOptions, TheoryOptions, bool>>();
    problem.add(app), theory.add(app);
    app.add_flag(
        "--isotropic", isotropic,
        "student untied of self-attention: an approximation that takes a tenth of the time; its error is printed");
    common.add(app);
    commands_.back().resolve = [&] {
      SolveArguments arguments{common.resolve(seed_without(app, false)), problem.resolve(), theory.resolve()};
      arguments.options.isotropic = isotropic;
      return arguments;
    };
  }

  void add_simulate() {
    CLI::App& app = add("simulate", "finite-size experiments with the theory beside them", kExampleSimulate);
    auto& [common, problem, theory, experiments, html, distributed] =
        keep<std::tuple<CommonOptions, ProblemOptions, TheoryOptions, ExperimentOptions, std::optional<std::string>,
                        bool>>();
    problem.add(app), theory.add(app);
    experiments.add(app, "N[,N...]", "embedding dimension, or several to extrapolate to 1/d → 0 (required)");
    add_text(app, "--html", html, "FILE", "write a report with charts");
    app.add_flag("--distributed", distributed, "divide the sequences of every experiment among the ranks of mpirun");
    common.add(app);
    commands_.back().resolve = [&] {
      const model::Problem learned = problem.resolve();
      SimulateArguments arguments{common.resolve(),  learned,    theory.resolve(), experiments.resolve(learned),
                                  html.value_or(""), distributed};
      if (arguments.experiments.d.empty())
        throw std::invalid_argument("--d is required: one embedding dimension or several, as in 40,60,90");
      return arguments;
    };
  }

  void add_spectrum() {
    CLI::App& app = add("spectrum", "law of the trained map, and experiments over it", kExampleSpectrum);
    auto& [common, problem, theory, experiments, along, html] =
        keep<std::tuple<CommonOptions, ProblemOptions, TheoryOptions, ExperimentOptions, std::optional<std::string>,
                        std::optional<std::string>>>();
    problem.add(app), theory.add(app);
    experiments.add(app, "N", "overlay experiments at this embedding dimension");
    add_text(app, "--along", along, "VARIABLE:FROM,TO,N",
             "instead: how the spectrum collapses along lambda:FROM,TO,N or alpha:FROM,TO,N (equal ratios)");
    add_text(app, "--html", html, "FILE", "write a report with the chart");
    common.add(app);
    commands_.back().resolve = [&]() -> Arguments {
      if (along && experiments.any())
        throw std::invalid_argument("--along is theory alone: leave out --d and the other options of experiments");
      if (along) {
        const Range range = parse_along(*along);
        const char* key = range.variable == Range::Variable::alpha ? "alpha" : "lambda";
        return SpectrumAlongArguments{common.resolve(given_among(app, {fmt::format("--{}", key), "--seed"})),
                                      problem.resolve({{key, range.values.front()}}), theory.resolve(), range,
                                      html.value_or("")};
      }
      const model::Problem learned = problem.resolve();
      SpectrumArguments arguments{common.resolve(seed_without(app, experiments.d.has_value())), learned,
                                  theory.resolve(), experiments.resolve(learned), html.value_or("")};
      if (arguments.experiments.d.empty() && experiments.any())
        throw std::invalid_argument("options of experiments need --d, an embedding dimension to run them at");
      if (arguments.experiments.d.size() > 1)
        throw std::invalid_argument(
            fmt::format("--d of spectrum takes one dimension, got {}", arguments.experiments.d.size()));
      return arguments;
    };
  }

  static Range parse_along(const std::string& text) {
    const std::size_t colon = text.find(':');
    const std::string variable = text.substr(0, colon);
    if (colon == std::string::npos || (variable != "alpha" && variable != "lambda"))
      throw std::invalid_argument(fmt::format("--along takes lambda:FROM,TO,N or alpha:FROM,TO,N, got '{}'", text));
    return {variable == "alpha" ? Range::Variable::alpha : Range::Variable::lambda,
            parse_grid("--along", text.substr(colon + 1), study::Spacing::geometric)};
  }

  void add_thresholds() {
    CLI::App& app = add("thresholds", "recovery, interpolation, spinodals, phase diagrams", kExampleThresholds);
    auto& [common, problem, theory, alphas, kappas, noises, html] =
        keep<std::tuple<CommonOptions, ProblemOptions, TheoryOptions, std::optional<std::string>,
                        std::optional<std::string>, std::optional<std::string>, std::optional<std::string>>>();
    problem.add(app, "not read", "for ranges"), theory.add(app);
    add_text(app, "--alpha-range", alphas, "FROM,TO,N", "follow all solutions along alpha (equal ratios)");
    add_text(app, "--kappa-range", kappas, "FROM,TO,N",
             "with --alpha-range: phase diagram over κ* of a Wishart target");
    add_text(app, "--noise-range", noises, "FROM,TO,N", "with --alpha-range: phase diagram over the noise Δ");
    add_text(app, "--html", html, "FILE", "write a report with the chart of a range");
    common.add(app);
    commands_.back().resolve = [&] {
      ThresholdsArguments arguments;
      if (kappas && noises) throw std::invalid_argument("--kappa-range and --noise-range exclude each other");
      if ((kappas || noises) && !alphas)
        throw std::invalid_argument(
            fmt::format("--{}-range needs --alpha-range FROM,TO,N beside it", kappas ? "kappa" : "noise"));
      if (html && !alphas) throw std::invalid_argument("--html of thresholds needs --alpha-range: a curve to draw");
      nlohmann::json fallback{{"alpha", 1}};
      std::vector<std::string> unread{"--alpha", "--seed"};
      if (!alphas) fallback["lambda"] = 1, unread.insert(unread.end(), {"--lambda", "--accuracy"});
      if (kappas) unread.push_back("--target");
      if (noises) unread.push_back("--noise");
      if (alphas) arguments.alphas = parse_grid("--alpha-range", *alphas, study::Spacing::geometric);
      if (kappas) arguments.variable = study::DiagramVariable::kappa;
      if (noises) arguments.variable = study::DiagramVariable::noise;
      if (kappas) arguments.values = parse_grid("--kappa-range", *kappas, study::Spacing::linear);
      if (noises) arguments.values = parse_grid("--noise-range", *noises, study::Spacing::linear);
      arguments.common = common.resolve(given_among(app, unread));
      arguments.problem = problem.resolve(fallback);
      arguments.options = theory.resolve();
      arguments.html = html.value_or("");
      return arguments;
    };
  }

  void add_scaling() {
    CLI::App& app = add("scaling", "learning curve of a power-law target: slopes and exponents", kExampleScaling);
    auto& [common, problem, theory, n, html] =
        keep<std::tuple<CommonOptions, ProblemOptions, TheoryOptions, std::optional<std::string>,
                        std::optional<std::string>>>();
    problem.add(app, "not read", "default edge"), theory.add(app);
    add_text(app, "--n", n, "FROM,TO,N", "numbers of sequences at d = D, equal ratios (required)");
    add_text(app, "--html", html, "FILE", "write a report with the chart");
    common.add(app);
    commands_.back().resolve = [&] {
      if (!n) throw std::invalid_argument("--n is required: FROM,TO,N numbers of sequences, as in 1e3,1e6,31");
      constexpr int kLeastForSlopes = 3;
      return ScalingArguments{common.resolve(given_among(app, {"--alpha", "--seed"})),
                              problem.resolve({{"alpha", 1}, {"lambda", "edge"}}), theory.resolve(),
                              parse_grid("--n", *n, study::Spacing::geometric, kLeastForSlopes), html.value_or("")};
    };
  }

  void add_sweep() {
    CLI::App& app = add("sweep", "a study: many problems into a store of results, resumable", kExampleSweep);
    auto& [common, study, file, check] =
        keep<std::tuple<CommonOptions, StudyOptions, std::optional<std::string>, bool>>();
    app.add_option("STUDY", file, "the study file (TOML)")->type_name("FILE");
    app.add_flag("--check", check, "print the plan with its cost on this machine, run nothing");
    add_text(app, "--store", study.store, "FILE", "the store of results (default: name of the study with .sqlite)");
    study.add(app), common.add(app);
    commands_.back().resolve = [&] {
      if (!file) throw std::invalid_argument("sweep needs a study file: attnlaw sweep STUDY.toml");
      if (common.seed)
        throw std::invalid_argument("the seed of a study stands in its file (seed = N): --seed is not accepted here");
      SweepArguments arguments{common.resolve(), study.resolve(), check};
      arguments.study.file = *file;
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
    commands_.back().resolve = [&] { return Plain{common.resolve(seed_without(app, false))}; };
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

  void add_results() {
    CLI::App& app = add("results", "rows of the store of a study", kExampleResults);
    auto& [common, store, where, columns, key, array] =
        keep<std::tuple<CommonOptions, std::optional<std::string>, std::optional<std::string>,
                        std::optional<std::string>, std::optional<std::string>, std::optional<std::string>>>();
    app.add_option("store", store, "the store (required)")->type_name("FILE");
    add_text(app, "--where", where, "EXPR", "rows for which this SQL expression on the columns holds (default all)");
    add_text(app, "--columns", columns, "NAME[,NAME...]", "columns to print, in this order (default all)");
    add_text(app, "--key", key, "KEY", "one whole result as JSON; KEY may be the beginning of a key");
    add_text(app, "--array", array, "NAME", "with --key: the numbers of an array, one a line");
    common.add(app);
    commands_.back().resolve = [&] {
      ResultsArguments arguments{common.resolve(seed_without(app, false)),
                                 store.value_or(""),
                                 where.value_or(""),
                                 {},
                                 key.value_or(""),
                                 array.value_or("")};
      if (columns) arguments.columns = split_at_commas(*columns);
      if (arguments.store.empty()) throw std::invalid_argument("results needs a store: attnlaw results STORE");
      require_consistent(arguments);
      return arguments;
    };
  }

  static void require_consistent(const ResultsArguments& arguments) {
    const std::string& key = arguments.key;
    if (!arguments.array.empty() && key.empty())
      throw std::invalid_argument("--array needs --key KEY, the result whose array it is");
    if (key.empty()) return;
    if (key.find_first_not_of("0123456789abcdef") != std::string::npos)
      throw std::invalid_argument(fmt::format("--key takes hexadecimal digits, got '{}'", key));
    if (!arguments.where.empty() || !arguments.columns.empty())
      throw std::invalid_argument("--key shows one result: leave out --where and --columns");
    if (arguments.common.format == Format::csv && arguments.array.empty())
      throw std::invalid_argument("--key prints JSON: --format csv needs --array NAME beside it");
  }

  void add_figure() {
    CLI::App& app = add("figure", "a figure of the papers: report, charts as CSV", kExampleFigure);
    struct FigureOptions {
      CommonOptions common;
      StudyOptions study;
      std::optional<std::string> figure, directory;
      bool list = false, print = false;
    };
    auto& options = keep<FigureOptions>();
    app.add_option("FIGURE", options.figure, "a name of --list, or a study file (TOML) with charts")
        ->type_name("NAME|FILE");
    app.add_flag("--list", options.list, "the figures there are");
    app.add_flag("--print", options.print, "print the study file, run nothing");
    add_text(app, "--directory", options.directory, "DIR", "where the files go (default: here)");
    add_text(app, "--store", options.study.store, "FILE", "the store of results (default: DIR/NAME.sqlite)");
    options.study.add(app), options.common.add(app);
    commands_.back().resolve = [&] {
      if (options.list == options.figure.has_value())
        throw std::invalid_argument("figure takes the name of a figure or a study file, or --list");
      if (options.common.seed)
        throw std::invalid_argument("the seed of a figure stands in its file (seed = N): --seed is not accepted here");
      FigureArguments arguments{options.common.resolve(), options.study.resolve(), options.list, options.print,
                                options.directory.value_or(".")};
      arguments.study.file = options.figure.value_or("");
      return arguments;
    };
  }

  /// A seed that no experiment draws by.
  static std::vector<std::string> seed_without(const CLI::App& app, bool experiments) {
    return given_among(app, experiments ? std::vector<std::string>{} : std::vector<std::string>{"--seed"});
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

}  // namespace attnlaw::legacy
