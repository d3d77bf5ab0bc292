#pragma once
/// `figure`: a figure of the papers: a study, its charts on a page, and the numbers behind every chart.

#include <map>

#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/study_options.h"

namespace attnlaw::operations {

struct Figure {
  struct Input {
    std::string figure;           ///< a name of the list, or a path that ends in .toml
    bool list = false;            ///< the figures there are
    bool print = false;           ///< the study file instead of the figure
    std::string directory = ".";  ///< where the files go, the store too unless it is named
    std::string store;            ///< empty: the name of the study with .sqlite, in the directory
    StudyOptions options;
  };
  /// A figure that there is.
  struct Known {
    std::string name;
    std::optional<std::string> alias;
    std::string title;
    std::size_t tasks = 0, fast_tasks = 0;
  };
  /// The numbers of a chart.
  struct Chart {
    std::string file, chart;
    std::size_t rows = 0;
  };
  /// Tasks of one kind.
  struct Work {
    long long tasks = 0, converged = 0;
    double seconds = 0;
  };
  /// A figure that was made.
  struct Made {
    std::string name, html, title, store;
    bool fast = false;
    std::vector<Chart> charts;
    bool complete = true;
    study::RunProgress progress;
    double cpu_seconds = 0;
    std::map<std::string, Work> work;  ///< by kind
    view::Warnings warnings;
    report::Page page;
  };
  /// One of these; on all processes but the first none.
  struct Output {
    std::optional<std::vector<Known>> figures = {};
    std::optional<std::string> text = {};
    std::optional<Made> made = {};
  };
  static constexpr About about{"figure", "a figure of the papers: report, charts as CSV",
                               "attnlaw figure learning_curve --fast --directory figures"};

  static void require_run(const nlohmann::json& options) { require_no_seed(options, "a figure"); }
  static Input read(const nlohmann::json& options);
  static bool divides(const nlohmann::json& options) {
    return !options.value("list", false) && !options.value("print", false);
  }
  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Figure::Input*);
const base::Description& describe(const Figure::Known*);
const base::Description& describe(const Figure::Chart*);
const base::Description& describe(const Figure::Made*);
const base::Description& describe(const Figure::Output*);

}  // namespace attnlaw::operations
