#pragma once
/// The command line: arguments of every command as plain structs, and the one place that parses them.

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "attnlaw/experiment/experiment.h"
#include "attnlaw/model/problem.h"
#include "attnlaw/study/phase_diagram.h"
#include "attnlaw/theory/solve.h"

namespace attnlaw::legacy {

enum class Format { table, json, csv };

/// Options that every command takes.
struct Common {
  Format format = Format::table;
  std::string output;  ///< file; empty: standard output
  int threads = 0;     ///< 0: all available
  std::uint64_t seed = 0;
  bool quiet = false;
  std::vector<std::string> unread;  ///< options that were given and have no effect
};

struct SolveArguments {
  Common common;
  model::Problem problem;
  theory::SolveOptions options;
};

/// Finite-size experiments at each d.
struct Experiments {
  std::vector<int> d;
  experiment::Options options;  ///< d, seed, threads and progress are set per run

  /// The options of the run at one d.
  experiment::Options at(int dimension, const Common& common) const {
    experiment::Options run = options;
    run.d = dimension;
    run.seed = common.seed;
    run.threads = common.threads;
    return run;
  }
};

struct SimulateArguments {
  Common common;
  model::Problem problem;
  theory::SolveOptions options;
  Experiments experiments;
  std::string html;          ///< report to write; empty: none
  bool distributed = false;  ///< every experiment is divided among the processes of mpirun
};

struct SpectrumArguments {
  Common common;
  model::Problem problem;
  theory::SolveOptions options;
  Experiments experiments;  ///< at most one d; empty: the law alone
  std::string html;
};

/// One variable of a problem and its values.
struct Range {
  enum class Variable { alpha, lambda };
  Variable variable = Variable::alpha;
  std::vector<double> values;  ///< ascending
};

/// `spectrum --along`: how the spectrum collapses along a line of problems.
struct SpectrumAlongArguments {
  Common common;
  model::Problem problem;
  theory::SolveOptions options;
  Range along;
  std::string html;
};

struct ThresholdsArguments {
  Common common;
  model::Problem problem;  ///< its alpha is not read, its lambda along alphas alone
  theory::SolveOptions options;
  std::vector<double> alphas;                      ///< empty: the thresholds alone
  std::optional<study::DiagramVariable> variable;  ///< of a phase diagram over alphas
  std::vector<double> values;                      ///< of that variable
  std::string html;
};

struct ScalingArguments {
  Common common;
  model::Problem problem;  ///< its alpha is not read
  theory::SolveOptions options;
  std::vector<double> n;  ///< sequences, ascending
  std::string html;
};

/// A study file and how to run it.
struct StudyArguments {
  std::string file;
  std::string store;  ///< empty: the name of the study with .sqlite
  bool fast = false;
  bool yes = false;  ///< any number of tasks
  bool retry_failed = false;
  double max_seconds = std::numeric_limits<double>::infinity();
};

struct SweepArguments {
  Common common;
  StudyArguments study;
  bool check = false;  ///< print the plan and its cost, run nothing
};

struct DemoArguments {
  Common common;
  std::string html = "attnlaw-demo.html";
};

struct ConventionsArguments {
  Common common;
};

struct VersionArguments {
  Common common;
};

struct CompletionArguments {
  Common common;
  std::string script;  ///< the bash completion of this program
};

struct ResultsArguments {
  Common common;
  std::string store;
  std::string where;                 ///< SQL expression; empty: all rows
  std::vector<std::string> columns;  ///< empty: all
  std::string key;                   ///< how the key of one result begins; empty: list the results
  std::string array;                 ///< of that result; empty: all of it
};

/// A figure of the papers, or of a study file with charts.
struct FigureArguments {
  Common common;
  StudyArguments study;         ///< `file`: a name of the list, or a path that ends in .toml
  bool list = false;            ///< the figures there are
  bool print = false;           ///< the study file instead of the figure
  std::string directory = ".";  ///< where the files go, the store too unless it is named
};

/// Help was asked for: its text.
struct Help {
  std::string text;
};

using Arguments = std::variant<SolveArguments, SimulateArguments, SpectrumArguments, SpectrumAlongArguments,
                               ThresholdsArguments, ScalingArguments, SweepArguments, ResultsArguments, FigureArguments, DemoArguments,
                               ConventionsArguments, VersionArguments, CompletionArguments, Help>;

/// Throws std::invalid_argument with one line that names the offending value and what is accepted; base::FileError if a
/// file cannot be read.
Arguments parse_arguments(int argc, char** argv);

/// The command line as typed, quoted for a shell.
std::string command_line(int argc, char** argv);

}  // namespace attnlaw::legacy
