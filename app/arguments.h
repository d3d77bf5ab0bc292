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
#include "attnlaw/laws/adapter/simulation.h"
#include "attnlaw/laws/filtering/network.h"
#include "attnlaw/laws/pooling/simulation.h"
#include "attnlaw/laws/softmax/finite_size.h"
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

struct DemoArguments {
  Common common;
  std::string html = "attnlaw-demo.html";
};

struct SoftmaxLawArguments {
  Common common;
  laws::SoftmaxParameters parameters;
  laws::Refinement refinement = laws::Refinement::none;
  int length = 1000;  ///< T of a simulation, of the refinement and of the diagnosis
  int instances = 0;  ///< of a simulation; 0: the law alone
  std::string html;
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

struct PoolingArguments {
  Common common;
  laws::PoolingModel model;                                  ///< α and κ given, or those of the sequences
  std::optional<laws::PooledSequences> sequences;            ///< required by experiments and by what is not centred
  std::optional<laws::PoolingExperimentOptions> experiment;  ///< none: the theory alone
  bool centred = true;
  bool fixed_length = false;  ///< also the law of sequences of this length
  std::string html;
};

/// Fine-tuning of a pre-trained student by an adapter of rank one.
struct LoraArguments {
  Common common;
  laws::LoraTask task;
  laws::LoraOptions options;
  model::Target target;
  std::optional<laws::PretrainedOverlaps> pretrained;  ///< given by its overlaps …
  std::optional<model::Problem> pretraining;           ///< … or as a problem to solve
  std::vector<double> alphas;                          ///< ratios of a curve; empty: none
  std::optional<laws::LoraExperimentOptions> experiment;
  std::string html;
};

/// `lofi`: samples from a file, or a built-in target.
struct LofiArguments {
  Common common;
  std::string target;  ///< read if `data` is empty
  int d = 100;
  std::vector<int> n;
  int instances = 1;   ///< 0: theory alone
  int test = 0;        ///< test samples; 0: 10000 of a target, a fifth of data
  std::string data;    ///< file; empty: the built-in target
  std::string labels;  ///< file; empty: the last column of data
  int tokens = 0;      ///< in a row of data; 0: a row is one vector
  laws::LofiOptions options;
  std::string html;
};

/// Help was asked for: its text.
struct Help {
  std::string text;
};

using Arguments =
    std::variant<SolveArguments, SimulateArguments, SpectrumArguments, SpectrumAlongArguments, ThresholdsArguments,
                 ScalingArguments, SoftmaxLawArguments, PoolingArguments, LoraArguments, LofiArguments, DemoArguments,
                 ConventionsArguments, VersionArguments, CompletionArguments, Help>;

/// Throws std::invalid_argument with one line that names the offending value and what is accepted; base::FileError if a
/// file cannot be read.
Arguments parse_arguments(int argc, char** argv);

/// The command line as typed, quoted for a shell.
std::string command_line(int argc, char** argv);

}  // namespace attnlaw::legacy
