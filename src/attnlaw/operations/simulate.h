#pragma once
/// `simulate`: experiments at finite d with the theory beside them, of one problem or along a curve.

#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/problem_grid.h"
#include "attnlaw/study/comparison.h"
#include "attnlaw/study/resolve.h"

namespace attnlaw::operations {

struct Simulate {
  struct Input {
    ProblemOptions problem;
    TheoryOptions theory;
    std::vector<int> d;
    experiment::Options experiment;
    bool distributed = false;  ///< every experiment is divided among the processes of mpirun
    bool any_trainer = true;   ///< the options name none: the first that serves a problem
    ProblemGrid grid = {};     ///< with several values of options
  };
  struct Output {
    study::Trainable trained;
    model::Problem asked;  ///< as given: its λ may be a rule
    std::vector<study::Comparison> comparisons;
    bool alone = false;                       ///< asked to divide the work, with nobody to share it
    std::string interrupted = {};             ///< "after 3 of 16 instances"; empty: all were trained
    std::optional<view::ProblemCurve> curve;  ///< instead of all above

    bool one() const { return !curve; }
    bool converged() const;
  };
  static constexpr About about{.name = "simulate",
                               .summary = "finite-size experiments with the theory beside them",
                               .example = "attnlaw simulate --alpha 0.5 --lambda 0.05 --d 40,80,120 --instances 8",
                               .draws = true,
                               .curves = true};

  static Input read(const nlohmann::json& options);
  static bool divides(const nlohmann::json& options) { return options.value("distributed", false); }
  /// On all ranks but the first the output has no comparisons: they only take part in the experiments.
  static Output run(const Input& input, const Run& run);
  static std::vector<std::string> unread(const nlohmann::json&) { return {}; }
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Simulate::Input*);
const base::Description& describe(const Simulate::Output*);

}  // namespace attnlaw::operations
