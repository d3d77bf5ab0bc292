#pragma once
/// `spectrum`: the law of a trained map, beside experiments, or along a line of problems.

#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/problem_grid.h"
#include "attnlaw/study/spectrum_comparison.h"

namespace attnlaw::operations {

struct Spectrum {
  /// A variable of a problem and its values.
  struct Line {
    std::string variable;  ///< alpha or lambda; empty: there is no line
    std::vector<double> values;
  };
  struct Input {
    ProblemOptions problem;
    TheoryOptions theory;
    std::optional<int> d;  ///< of experiments; none: the law alone
    experiment::Options experiment;
    Line along;             ///< instead
    ProblemGrid grid = {};  ///< with several values of options
  };
  /// The law of the target as given (d → ∞), and what was measured.
  struct One {
    theory::Solution solution;
    theory::TrainedLaw::Curve density;
    std::optional<experiment::Experiment> experiment;
    std::optional<study::SpectrumComparison> measured;
  };
  /// How the spectrum collapses along a line.
  struct Curve {
    model::Problem problem;
    Line along;
    std::vector<theory::Solution> solutions;
  };
  struct Output {
    One one;                                      ///< read unless there is a line or a grid
    Curve curve;                                  ///< of no variable unless there is one
    std::optional<view::ProblemCurve> grid = {};  ///< instead of both
    std::string interrupted = {};                 ///< how far one or curve came; empty: to the end

    bool line() const { return !curve.along.variable.empty(); }
    base::Evidence evidence() const;
    bool converged() const;
  };
  static constexpr About about{.name = "spectrum",
                               .summary = "law of the trained map, and experiments over it",
                               .example = "attnlaw spectrum --alpha 0.3 --lambda 0.05 --d 100 --html spectrum.html",
                               .draws = true,
                               .curves = true};

  static Input read(const nlohmann::json& options);
  static std::vector<std::string> unread(const nlohmann::json& options);
  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Spectrum::Input*);
const base::Description& describe(const Spectrum::One*);
const base::Description& describe(const Spectrum::Curve*);
const base::Description& describe(const Spectrum::Output*);

}  // namespace attnlaw::operations
