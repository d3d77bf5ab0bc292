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
constexpr const char* kExampleDemo = "Example: attnlaw demo --html learning-curve.html";
constexpr const char* kExampleLora =
    "Example: attnlaw lora --head linear --tokens 1 --alpha-ft 6 --e-pre 0.4 --d 200 --instances 4";
constexpr const char* kExampleConventions = "Example: attnlaw conventions";
constexpr const char* kExampleVersion = "Example: attnlaw version --format json";
constexpr const char* kExampleCompletion =
    "Example: attnlaw completion bash > ~/.local/share/bash-completion/completions/attnlaw";

constexpr const char* kExamplePooling =
    "Example: attnlaw pooling --delta 0.5 --gamma 0.5 --mu2 1 --profile power:0.9,0.5 --length 16 --weights optimal";
constexpr const char* kExampleSoftmaxLaw =
    "Example: attnlaw softmax-law --beta 0.5 --rho 1 --simulate 1000 --instances 4 --html law.html";

constexpr const char* kExampleLofi = "Example: attnlaw lofi --target sine:8,1.5 --d 100 --n 4000,16000";

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
    add_softmax_law();
    add_pooling();
    add_lora();
    add_lofi();
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

  void add_pooling() {
    CLI::App& app = add("pooling", "signal recovery from attention-pooled sequences", kExamplePooling);
    auto& [common, pooling, html] = keep<std::tuple<CommonOptions, PoolingOptions, std::optional<std::string>>>();
    pooling.add(app);
    add_text(app, "--html", html, "FILE", "write a report with charts");
    common.add(app);
    commands_.back().resolve = [&] {
      if (pooling.uncentred && !pooling.profile)
        throw std::invalid_argument("--uncentred needs --profile and --weights: their sum sets the mean");
      if (pooling.fixed_length && !pooling.profile)
        throw std::invalid_argument("--fixed-length needs --profile and --weights: the law depends on each of them");
      PoolingArguments arguments;
      arguments.common = common.resolve(seed_without(app, pooling.d.has_value()));
      arguments.sequences = pooling.sequences();
      arguments.model = pooling.model(arguments.sequences);
      arguments.experiment = pooling.experiment(arguments.common);
      arguments.centred = !pooling.uncentred;
      arguments.fixed_length = pooling.fixed_length;
      arguments.html = html.value_or("");
      return arguments;
    };
  }

  void add_softmax_law() {
    CLI::App& app = add("softmax-law", "singular values of softmax attention at initialisation", kExampleSoftmaxLaw);
    auto& [common, law, html] = keep<std::tuple<CommonOptions, SoftmaxLawOptions, std::optional<std::string>>>();
    law.add(app);
    add_text(app, "--html", html, "FILE", "write a report with the charts");
    common.add(app);
    commands_.back().resolve = [&] {
      SoftmaxLawArguments arguments = law.resolve();
      arguments.common = common.resolve(seed_without(app, law.simulate.has_value()));
      arguments.html = html.value_or("");
      return arguments;
    };
  }

  void add_lora() {
    CLI::App& app = add("lora", "a pre-trained student fine-tuned by an adapter of rank one", kExampleLora);
    auto& [common, adapter, html] = keep<std::tuple<CommonOptions, AdapterOptions, std::optional<std::string>>>();
    adapter.add(app);
    add_text(app, "--html", html, "FILE", "write a report with the chart of a range");
    common.add(app);
    commands_.back().resolve = [&] {
      if (html && !adapter.alphas) throw std::invalid_argument("--html of lora needs --alpha-range: a curve to draw");
      LoraArguments arguments;
      arguments.common = common.resolve(seed_without(app, adapter.d.has_value()));
      arguments.task = adapter.task();
      arguments.options.threads = arguments.common.threads;
      arguments.options.accuracy = adapter.accuracy.value_or(arguments.options.accuracy);
      arguments.options.validate();
      adapter.resolve_pretraining(arguments.task, arguments);
      if (adapter.alphas) arguments.alphas = parse_grid("--alpha-range", *adapter.alphas, study::Spacing::geometric);
      arguments.experiment = adapter.experiment(arguments.common);
      arguments.html = html.value_or("");
      return arguments;
    };
  }

  void add_lofi() {
    CLI::App& app = add("lofi", "layer-wise spectral filtering: features, overlaps, errors by depth", kExampleLofi);
    auto& [common, lofi] = keep<std::tuple<CommonOptions, LofiOptions>>();
    lofi.add(app), common.add(app);
    commands_.back().resolve = [&] { return lofi.resolve(common.resolve(seed_without(app, lofi.instances != 0))); };
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
