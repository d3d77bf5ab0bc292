/// The figures of the papers: a study, its charts on a page, and the numbers behind every chart.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>

#include "attnlaw/base/file.h"
#include "attnlaw/view/columns.h"
#include "attnlaw/view/figure/charts.h"
#include "commands.h"
#include "figures_text.h"
#include "output.h"
#include "run_study.h"

namespace attnlaw::legacy {

using namespace view;
using namespace app;
namespace {

using report::Table;
using Status = study::Outcome::Status;

// ---- study files ---------------------------------------------------------------------------------------------------

std::string path_of(const EmbeddedFigure& figure) { return fmt::format("figures/{}.toml", figure.name); }

study::Study study_of(const EmbeddedFigure& figure, bool fast) {
  return study::parse_study(std::string(figure.text), path_of(figure), {.fast = fast});
}

const EmbeddedFigure& embedded_figure(const std::string& name) {
  for (const EmbeddedFigure& figure : kEmbeddedFigures)
    if (figure.name == name) return figure;
  std::vector<std::string_view> names;
  for (const EmbeddedFigure& figure : kEmbeddedFigures) names.push_back(figure.name);
  throw std::invalid_argument(
      fmt::format("'{}' is not a figure; there are {}, and files that end in .toml", name, fmt::join(names, ", ")));
}

bool is_file(const std::string& figure) { return figure.ends_with(".toml"); }

study::Study study_of(const FigureArguments& arguments) {
  const std::string& file = arguments.study.file;
  study::Study study =
      is_file(file) ? read_study(arguments.study) : study_of(embedded_figure(file), arguments.study.fast);
  if (study.charts.empty())
    throw std::invalid_argument(fmt::format("{} has no [[chart]]: `attnlaw sweep` computes it", file));
  require_drawable(study);
  return study;
}

int list(const Common& common) {
  Table table{"", {general("figure"), general("title"), general("tasks"), general("with --fast")}};
  nlohmann::json figures = nlohmann::json::array();
  for (const EmbeddedFigure& figure : kEmbeddedFigures) {
    const study::Study full = study_of(figure, false), fast = study_of(figure, true);
    table.rows.push_back(
        {full.name, full.title, static_cast<long long>(full.tasks.size()), static_cast<long long>(fast.tasks.size())});
    figures.push_back(
        {{"name", full.name}, {"title", full.title}, {"tasks", full.tasks.size()}, {"fast_tasks", fast.tasks.size()}});
  }
  const nlohmann::json document{{"schema", "attnlaw/2"}, {"command", "figure"}, {"figures", figures}};
  emit(common, {{table}, document, table, {}, "attnlaw figure NAME [--fast] makes one."});
  return 0;
}

int print(const FigureArguments& arguments) {
  const std::string& file = arguments.study.file;
  emit_text(arguments.common, is_file(file) ? base::read_text(file) : std::string(embedded_figure(file).text));
  return 0;
}

// ---- the run -------------------------------------------------------------------------------------------------------

struct Files {
  std::filesystem::path directory;
  std::string name;

  std::string html() const { return directory / (name + ".html"); }
  std::string store() const { return directory / (name + ".sqlite"); }
  /// Of chart 1, 2, …
  std::string csv(std::size_t number, const std::string& heading) const {
    return directory / fmt::format("{}-{}-{}.csv", name, number, slug(heading));
  }

 private:
  /// Lower-case letters and digits, words joined by hyphens.
  static std::string slug(const std::string& text) {
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
};

/// CPU seconds of this process.
double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  constexpr double kMicro = 1e-6;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + kMicro * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Tasks and their time by kind.
Table work_table(const study::Study& study, const study::Outcomes& outcomes) {
  struct Work {
    long long tasks = 0, converged = 0;
    double seconds = 0;
  };
  std::map<std::string, Work> work;
  for (std::size_t i = 0; i < study.tasks.size(); ++i) {
    Work& kind = work[name(study.tasks[i].task.kind)];
    ++kind.tasks;
    if (!outcomes[i]) continue;
    if (outcomes[i]->status == Status::converged) ++kind.converged;
    kind.seconds += outcomes[i]->seconds;
  }
  Table table{"What was computed",
              {general("kind"),
               general("tasks"),
               general("converged"),
               {.name = "time of all tasks", .unit = "s", .notation = report::Notation::fixed, .precision = 1}}};
  for (const auto& [kind, sum] : work) table.rows.push_back({kind, sum.tasks, sum.converged, sum.seconds});
  return table;
}

std::string work_text(const study::RunProgress& progress) {
  std::string text = fmt::format("CPU time of the run that wrote this page: {:.0f} s.", cpu_seconds());
  if (progress.reused > 0)
    text += fmt::format(" {} of {} results were in the store before.", progress.reused, progress.total);
  return text + " The times of the tasks add up over all runs; a task on several threads counts once.";
}

/// What happened to tasks, charts or no charts.
Warnings run_warnings(const study::Study& study, const study::Outcomes& outcomes) {
  const auto count = [&](auto condition) { return std::count_if(outcomes.begin(), outcomes.end(), condition); };
  Warnings warnings;
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

struct Written {
  std::string file, content;
  long long rows = 0;
};

std::vector<Written> write_csvs(const Files& files, const FigureCharts& charts) {
  std::vector<Written> written;
  for (const report::Section& section : charts.sections) {
    if (!section.chart) continue;
    const std::string path = files.csv(written.size() + 1, section.heading);
    base::write_atomically(path, report::csv(section.chart->data));
    written.push_back({path, section.heading, static_cast<long long>(section.chart->data.rows.size())});
  }
  return written;
}

report::Page page_of(const study::Study& study, const study::Outcomes& outcomes, const FigureCharts& charts,
                     const study::RunProgress& progress) {
  report::Page page;
  page.title = study.title.empty() ? study.name : study.title;
  page.lead = study.description;
  page.sections = charts.sections;
  page.sections.push_back({"Work", work_text(progress), std::nullopt, work_table(study, outcomes)});
  return page;
}

Result result_of(const study::Study& study, const FigureArguments& arguments, const std::vector<Written>& written,
                 const Files& files, bool complete) {
  Result result;
  Table table{study.title, {general("file"), general("chart"), general("rows")}};
  nlohmann::json list = nlohmann::json::array();
  table.rows.push_back({files.html(), "all charts", report::Cell()});
  for (const Written& file : written) {
    table.rows.push_back({file.file, file.content, file.rows});
    list.push_back({{"file", file.file}, {"chart", file.content}, {"rows", file.rows}});
  }
  result.tables = {table};
  result.rows = table;
  result.document = {{"schema", "attnlaw/2"},        {"command", "figure"},  {"name", study.name},
                     {"fast", arguments.study.fast}, {"html", files.html()}, {"charts", list},
                     {"complete", complete}};
  return result;
}

void make_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    throw base::FileError(fmt::format("--directory {} cannot be made: {}", directory.string(), error.message()));
}

int make(const FigureArguments& arguments) {
  if (served_rank_zero(arguments.common)) return 0;
  const Crew crew = assemble_crew();
  const study::Study study = study_of(arguments);
  const Files files{arguments.directory, study.name};
  make_directory(files.directory);
  require_outputs(arguments.common, files.html());
  study::Store store(arguments.study.store.empty() ? files.store() : arguments.study.store);
  const study::RunProgress progress = run_study(study, store, crew, arguments.study, arguments.common);
  const study::Outcomes outcomes = study::outcomes(study, store);
  const FigureCharts charts = figure_charts(study, outcomes);

  const Warnings warnings = run_warnings(study, outcomes) + charts.warnings;
  const std::vector<Written> written = write_csvs(files, charts);
  write_page(files.html(), page_of(study, outcomes, charts, progress), warnings);
  Result result = result_of(study, arguments, written, files, charts.complete);
  result.tables.push_back(work_table(study, outcomes));
  result.document["tasks"] = {{"total", progress.total}, {"reused", progress.reused}, {"computed", progress.done}};
  result.document["cpu_seconds"] = cpu_seconds();
  result.warnings = warnings;
  result.note = fmt::format("Results: {}. Report: {}", store.path(), files.html());
  emit(arguments.common, result);
  return charts.complete ? 0 : 1;
}

}  // namespace

int run(const FigureArguments& arguments) {
  if (arguments.list) return list(arguments.common);
  if (arguments.print) return print(arguments);
  return make(arguments);
}

}  // namespace attnlaw::legacy
