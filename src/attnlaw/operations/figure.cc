#include "attnlaw/operations/figure.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <filesystem>
#include <system_error>

#include "attnlaw/base/file.h"
#include "attnlaw/base/printable.h"
#include "attnlaw/operations/command_figure.h"
#include "attnlaw/study/file/study_file.h"
#include "attnlaw/view/figure/charts.h"
#include "attnlaw/view/rows.h"
#include "figures_text.h"

namespace attnlaw::operations {
namespace {

using report::Table;
using Status = study::Outcome::Status;

// ---- study files ---------------------------------------------------------------------------------------------------

study::Study study_of(const EmbeddedFigure& figure, bool fast) {
  return study::parse_study(std::string(figure.text), fmt::format("figures/{}.toml", figure.name), {.fast = fast});
}

std::vector<std::string> embedded_names() {
  std::vector<std::string> names;
  for (const EmbeddedFigure& figure : kEmbeddedFigures) names.emplace_back(figure.name);
  return names;
}

/// fig1 to fig6 are those of the paper on risk minimisation.
std::optional<std::string> alias_of(std::string_view name) {
  constexpr std::string_view kPaper = "erm-", kNumbered = "erm-fig";
  return name.starts_with(kNumbered) ? std::optional(std::string(name.substr(kPaper.size()))) : std::nullopt;
}

/// Every name that a figure is known by.
std::vector<std::string> names_and_aliases() {
  std::vector<std::string> names = embedded_names();
  for (const EmbeddedFigure& figure : kEmbeddedFigures)
    if (auto alias = alias_of(figure.name)) names.push_back(std::move(*alias));
  return names;
}

const EmbeddedFigure& embedded_figure(const std::string& name) {
  for (const EmbeddedFigure& figure : kEmbeddedFigures)
    if (figure.name == name || alias_of(figure.name) == name) return figure;
  throw std::invalid_argument(fmt::format("'{}' is not a figure; there are {}, and files that end in .toml{}", name,
                                          fmt::join(embedded_names(), ", "),
                                          base::suggestion(name, names_and_aliases())));
}

bool is_file(const std::string& figure) { return figure.ends_with(".toml"); }

study::Study study_of(const Figure::Input& input) {
  study::Study study = is_file(input.figure) ? read_study(input.figure, input.options)
                                             : study_of(embedded_figure(input.figure), input.options.fast);
  if (study.charts.empty())
    throw std::invalid_argument(fmt::format("{} has no [[chart]]: `attnlaw sweep` computes it", input.figure));
  view::require_drawable(study);
  return study;
}

std::optional<CommandFigure> command_figure_of(const EmbeddedFigure& figure, bool fast) {
  return parse_command_figure(std::string(figure.text), fmt::format("figures/{}.toml", figure.name), fast);
}

std::string study_file_text(const std::string& figure) {
  return is_file(figure) ? base::read_text(figure) : std::string(embedded_figure(figure).text);
}

/// The figure as one that commands draw; nothing if it is a study.
std::optional<CommandFigure> command_figure_of(const Figure::Input& input) {
  const bool fast = input.options.fast;
  return is_file(input.figure) ? parse_command_figure(base::read_text(input.figure), input.figure, fast)
                               : command_figure_of(embedded_figure(input.figure), fast);
}

std::vector<Figure::Known> known_figures() {
  std::vector<Figure::Known> figures;
  for (const EmbeddedFigure& figure : kEmbeddedFigures) {
    if (const auto commands = command_figure_of(figure, false)) {
      figures.push_back(
          {std::string(figure.name), std::nullopt, commands->title, commands->runs.size(), commands->runs.size()});
      continue;
    }
    const study::Study full = study_of(figure, false);
    figures.push_back(
        {full.name, alias_of(full.name), full.title, full.tasks.size(), study_of(figure, true).tasks.size()});
  }
  return figures;
}

// ---- the run -------------------------------------------------------------------------------------------------------

/// Lower-case letters and digits, words joined by hyphens.
std::string slug(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!result.empty() && result.back() != '-')
      result += '-';
  }
  while (result.ends_with('-')) result.pop_back();
  return result.empty() ? "chart" : result;
}

/// CPU seconds of this process.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::map<std::string, Figure::Work> work_of(const study::Study& study, const study::Outcomes& outcomes) {
  std::map<std::string, Figure::Work> work;
  for (std::size_t i = 0; i < study.tasks.size(); ++i) {
    Figure::Work& kind = work[name(study.tasks[i].task.kind)];
    ++kind.tasks;
    if (!outcomes[i]) continue;
    if (outcomes[i]->status == Status::converged) ++kind.converged;
    kind.seconds += outcomes[i]->seconds;
  }
  return work;
}

/// Tasks and their time by kind.
Table work_table(const std::map<std::string, Figure::Work>& work) {
  Table table = view::headed(
      "What was computed",
      {"kind", "tasks", "converged",
       report::Column{.name = "time of all tasks", .unit = "s", .notation = report::Notation::fixed, .precision = 1}});
  for (const auto& [kind, sum] : work) view::add(table, kind, sum.tasks, sum.converged, sum.seconds);
  return table;
}

std::string work_text(const Figure::Made& made) {
  std::string text = fmt::format("CPU time of the run that wrote this page: {:.0f} s.", made.cpu_seconds);
  if (made.progress.reused > 0)
    text += fmt::format(" {} of {} results were in the store before.", made.progress.reused, made.progress.total);
  return text + " The times of the tasks add up over all runs; a task on several threads counts once.";
}

/// What happened to tasks, charts or no charts.
view::Warnings run_warnings(const study::Study& study, const study::Outcomes& outcomes) {
  const auto count = [&](auto condition) { return std::count_if(outcomes.begin(), outcomes.end(), condition); };
  view::Warnings warnings;
  const auto missing = count([](const auto& o) { return !o; });
  const auto failed = count([](const auto& o) { return o && o->status == Status::failed; });
  const auto unconverged = count([](const auto& o) { return o && o->status == Status::unconverged; });
  const std::size_t total = study.tasks.size();
  if (missing > 0)
    warnings.push_back(fmt::format("{} of {} tasks were not computed: run again to resume.", missing, total));
  if (failed > 0) warnings.push_back(fmt::format("{} of {} tasks failed (--retry-failed tries again).", failed, total));
  if (unconverged > 0) warnings.push_back(fmt::format("{} of {} tasks did not converge.", unconverged, total));
  return warnings;
}

/// Writes the numbers of charts 1, 2, … beside the page.
std::vector<Figure::Chart> write_csvs(const std::string& beginning, const std::vector<report::Section>& sections) {
  std::vector<Figure::Chart> written;
  for (const report::Section& section : sections) {
    if (!section.chart) continue;
    const std::string path = fmt::format("{}-{}-{}.csv", beginning, written.size() + 1, slug(section.heading));
    base::write_atomically(path, report::csv(section.chart->data));
    written.push_back({path, section.heading, section.chart->data.rows.size()});
  }
  return written;
}

report::Page page_of(const study::Study& study, const Figure::Made& made, const view::FigureCharts& charts) {
  report::Page page{study.title.empty() ? study.name : study.title, study.description, charts.sections};
  page.sections.push_back({"Work", work_text(made), std::nullopt, work_table(made.work)});
  return page;
}

Figure::Made make(const Figure::Input& input, const Crew& crew, const Run& run) {
  const study::Study study = study_of(input);
  const std::string beginning = std::filesystem::path(input.directory) / study.name;
  Figure::Made made;
  made.name = study.name;
  made.title = study.title;
  made.html = beginning + ".html";
  made.fast = input.options.fast;
  make_directory(input.directory);
  base::require_writable(made.html);
  study::Store store(input.store.empty() ? beginning + ".sqlite" : input.store);
  made.store = store.path();
  made.progress = run_study(study, store, crew, input.options, run);
  const study::Outcomes outcomes = study::outcomes(study, store);
  const view::FigureCharts charts = view::figure_charts(study, outcomes);
  made.charts = write_csvs(beginning, charts.sections);
  made.complete = charts.complete;
  made.warnings = view::operator+(run_warnings(study, outcomes), charts.warnings);
  made.work = work_of(study, outcomes);
  made.cpu_seconds = cpu_seconds();
  made.page = page_of(study, made, charts);
  made.page.input = study_file_text(input.figure);
  made.page.input_name = study.name + ".toml";
  return made;
}

/// A figure that commands draw: it has no store, as it is drawn whole in seconds.
Figure::Made make(const Figure::Input& input, const CommandFigure& figure, const Run& run) {
  if (!input.store.empty()) throw std::invalid_argument("--store is for figures of a study; commands draw this one");
  Figure::Made made;
  made.name = std::filesystem::path(input.figure).stem();
  made.title = figure.title;
  const std::string beginning = std::filesystem::path(input.directory) / made.name;
  made.html = beginning + ".html";
  made.fast = input.options.fast;
  make_directory(input.directory);
  base::require_writable(made.html);
  DrawnCommands drawn = draw(figure, run);
  made.page = std::move(drawn.page);
  made.charts = write_csvs(beginning, made.page.sections);
  made.complete = drawn.converged;
  made.warnings = std::move(drawn.warnings);
  made.progress.total = made.progress.done = figure.runs.size();
  made.cpu_seconds = cpu_seconds();
  return made;
}

// ---- results -------------------------------------------------------------------------------------------------------

view::Result show_list(const std::vector<Figure::Known>& figures) {
  Table table = view::headed("", {"figure", "also", "title", "tasks", "with --fast"});
  for (const Figure::Known& figure : figures) view::add(table, view::cells(figure));
  return {.tables = {table}, .rows = table, .note = "attnlaw figure NAME [--fast] makes one."};
}

view::Result show_made(const Figure::Made& made) {
  Table table = view::headed(made.title, {"file", "chart", "rows"});
  view::add(table, made.html, "all charts");
  for (const Figure::Chart& chart : made.charts) view::add(table, view::cells(chart));
  std::vector<Table> tables{table};
  if (!made.work.empty()) tables.push_back(work_table(made.work));
  return {.tables = std::move(tables),
          .rows = table,
          .warnings = made.warnings,
          .note = made.store.empty() ? fmt::format("Report: {}", base::on_one_line(made.html))
                                     : fmt::format("Results: {}. Report: {}", base::on_one_line(made.store),
                                                   base::on_one_line(made.html)),
          .page = made.page,
          .page_path = made.html,
          .names_page = true,
          .converged = made.complete};
}

nlohmann::json tasks_json(const Figure::Made& made) {
  return {{"total", made.progress.total}, {"reused", made.progress.reused}, {"computed", made.progress.done}};
}

}  // namespace

const base::Description& describe(const Figure::Input*) {
  using I = Figure::Input;
  static const base::Description description{
      "a figure and how to make it",
      {base::field("figure", &I::figure,
                   {.doc = "a name of --list, or a study file (TOML) with charts",
                    .value_name = "NAME|FILE",
                    .positional = true})
           .words(names_and_aliases()),
       base::field("list", &I::list, {.doc = "the figures there are"}),
       base::field("print", &I::print, {.doc = "print the study file, run nothing"}),
       base::field("directory", &I::directory, {.doc = "where the files go", .otherwise = "here", .value_name = "DIR"}),
       base::field("store", &I::store,
                   {.doc = "the store of results", .otherwise = "DIR/NAME.sqlite", .value_name = "FILE"}),
       base::flat(&I::options)}};
  return description;
}

const base::Description& describe(const Figure::Known*) {
  using K = Figure::Known;
  static const base::Description description{
      "a figure that there is",
      {base::field("name", &K::name, {.doc = "what it is asked for by"}),
       base::field("alias", &K::alias, {.doc = "a shorter name, as the paper numbers it"}),
       base::field("title", &K::title, {.doc = "its title"}), base::field("tasks", &K::tasks, {.doc = "tasks"}),
       base::field("fast_tasks", &K::fast_tasks, {.doc = "tasks with fast"})}};
  return description;
}

const base::Description& describe(const Figure::Chart*) {
  using C = Figure::Chart;
  static const base::Description description{
      "the numbers of a chart",
      {base::field("file", &C::file, {.doc = "the CSV"}), base::field("chart", &C::chart, {.doc = "its title"}),
       base::field("rows", &C::rows, {.doc = "rows without the header"})}};
  return description;
}

const base::Description& describe(const Figure::Made*) {
  using M = Figure::Made;
  static const base::Description description{
      "a figure that was made",
      {base::field("name", &M::name, {.doc = "of the figure"}), base::field("fast", &M::fast, {.doc = "as asked for"}),
       base::field("html", &M::html, {.doc = "the report"}),
       base::field("charts", &M::charts, {.doc = "the charts, in the order of the study file"}),
       base::field("complete", &M::complete,
                   {.doc = "whether every chart is drawn and has all its results, those of the theory converged"}),
       base::custom<M>("tasks", {base::Kind::object}, tasks_json, nullptr,
                       {.doc = "total, reused (in the store before) and computed"}),
       base::field("cpu_seconds", &M::cpu_seconds, {.unit = "s", .doc = "CPU time of this process"})}};
  return description;
}

const base::Description& describe(const Figure::Output*) {
  using O = Figure::Output;
  static const base::Description description{
      "a figure, or with list all there are",
      {base::field("figures", &O::figures, {.doc = "the figures there are"}),
       base::field("text", &O::text, {.doc = "with print: the study file"}), base::flat(&O::made)}};
  return description;
}

Figure::Input Figure::read(const nlohmann::json& options) {
  Input input;
  base::read(options, input, "options of figure");
  if (input.list == options.contains("figure"))
    throw std::invalid_argument("figure takes the name of a figure or a study file, or --list");
  if (input.list) refuse_beside("list", options, {});
  if (input.print) refuse_beside("print", options, {"figure"});
  input.options.max_seconds();
  return input;
}

Figure::Output Figure::run(const Input& input, const Run& run) {
  if (input.list) return {.figures = known_figures()};
  if (input.print) return {.text = study_file_text(input.figure)};
  if (const auto commands = command_figure_of(input)) return {.made = make(input, *commands, run)};
  const std::optional<Crew> crew = assemble_crew(run);
  return crew ? Output{.made = make(input, *crew, run)} : Output{};
}

view::Result Figure::show(const Output& output, const Run&) {
  if (output.figures) return show_list(*output.figures);
  return output.made ? show_made(*output.made) : view::Result{.text = output.text};
}

}  // namespace attnlaw::operations
