#include "arguments.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "options.h"

namespace attnlaw::legacy {
namespace {

/// A command's options and what they become.
struct Command {
  CLI::App* app = nullptr;
  std::function<Arguments()> resolve;
};

constexpr const char* kExampleSolve = "Example: attnlaw solve --alpha 0.3 --lambda 0.05";
constexpr const char* kExampleSweep = "Example: attnlaw sweep study.toml --store study.sqlite";
constexpr const char* kExampleLora =
    "Example: attnlaw lora --head linear --tokens 1 --alpha-ft 6 --e-pre 0.4 --d 200 --instances 4";
constexpr const char* kExampleFigure = "Example: attnlaw figure learning_curve --fast --directory figures";

constexpr const char* kExampleResults =
    "Example: attnlaw results study.db --where \"student = 'tied' AND alpha < 1\" --format csv --output tied.csv";
constexpr const char* kExamplePooling =
    "Example: attnlaw pooling --delta 0.5 --gamma 0.5 --mu2 1 --profile power:0.9,0.5 --length 16 --weights optimal";
constexpr const char* kExampleSoftmaxLaw =
    "Example: attnlaw softmax-law --beta 0.5 --rho 1 --simulate 1000 --instances 4 --html law.html";

constexpr const char* kExampleLofi = "Example: attnlaw lofi --target sine:8,1.5 --d 100 --n 4000,16000";

/// Every command with its options; the options live as long as this object.
class CommandLine {
 public:
  CommandLine() : app_("Exact high-dimensional laws of attention, beside finite-size experiments.", "attnlaw") {
    app_.footer("attnlaw COMMAND --help shows the options of a command with an example.");
    add_solve();
    add_sweep();
    add_results();
    add_figure();
    add_softmax_law();
    add_pooling();
    add_lora();
    add_lofi();
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
