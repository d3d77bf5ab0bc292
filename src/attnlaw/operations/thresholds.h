#pragma once
/// `thresholds`: those of one problem, its solutions along alpha, phase diagrams.

#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/problem_options.h"
#include "attnlaw/study/phase_diagram.h"
#include "attnlaw/theory/continuation.h"

namespace attnlaw::operations {

struct Thresholds {
  struct Input {
    ProblemOptions problem;  ///< its alpha is not read, its lambda along alphas and for the detachment alone
    TheoryOptions theory;
    bool detachment = false;             ///< needs solutions, at the lambda of the problem
    std::vector<double> alphas;          ///< empty: the thresholds alone
    std::vector<double> kappas, noises;  ///< at most one of them, with alphas: a phase diagram
    std::string store;                   ///< keeps the points of a diagram; empty: memory does

    bool diagram() const { return !kappas.empty() || !noises.empty(); }
  };
  struct Output {
    model::Problem problem;
    std::vector<std::string> varying;  ///< fields of the problem that vary or have no effect
    study::Thresholds thresholds;      ///< but for a diagram, which has those of each of its values
    std::optional<theory::Continuation> continuation;
    std::optional<study::PhaseDiagram> diagram;
    std::string store = {};  ///< that keeps its points

    bool converged() const;
  };
  static constexpr About about{"thresholds", "recovery, interpolation, spinodals, phase diagrams",
                               "attnlaw thresholds --head linear --target wishart:0.3", true};

  static Input read(const nlohmann::json& options);
  static std::vector<std::string> unread(const nlohmann::json& options);
  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Thresholds::Input*);
const base::Description& describe(const Thresholds::Output*);

}  // namespace attnlaw::operations
