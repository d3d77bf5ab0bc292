#pragma once
/// A curve: problems along the options that were given several values, with the theory of each and, where they were
/// asked for, experiments beside it.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "attnlaw/base/describe.h"
#include "attnlaw/base/evidence.h"
#include "attnlaw/study/study.h"
#include "attnlaw/view/result.h"

namespace attnlaw::view {

/// The name of κ* of targets as an axis.
inline constexpr const char* kRankAxis = "kappa";

/// What varies: an option of a problem, or kRankAxis, with its values.
struct CurveAxis {
  std::string name;
  std::vector<nlohmann::json> values;

  /// The option of the problem that it sets.
  std::string option() const { return name == kRankAxis ? "target" : name; }
  /// Whether all values are numbers.
  bool numeric() const;
};
const base::Description& describe(const CurveAxis*);

/// Whether errors along these axes are drawn as lines: not as maps, not along words, and not more than can be told
/// apart.
bool draws_lines(const std::vector<CurveAxis>& axes);

/// The parts of the study have these names.
inline constexpr const char* kCurveTheory = "theory";
inline constexpr const char* kCurveExperiments = "experiments";

struct ProblemCurve {
  model::Problem problem;       ///< one of the points
  nlohmann::json shared;        ///< the options that all points have
  std::vector<CurveAxis> axes;  ///< the last one varies fastest
  study::Study study;
  study::Outcomes outcomes;
  /// The theory again on more points along the last axis, where lines are drawn through it; none: they go through those
  /// of the study.
  std::optional<study::Study> line = {};
  study::Outcomes line_outcomes = {};
  std::string line_note = {};    ///< why that has fewer points than lines should have
  std::string study_text = {};   ///< a study file that computes the same
  std::string interrupted = {};  ///< "after 3 of 40 points"; empty: all were computed
  bool spectra = false;          ///< asked about the trained spectra: their densities and how far they have collapsed

  bool measured() const;   ///< with experiments
  bool converged() const;  ///< every point was computed and can be used
  base::Evidence evidence() const;
};
const base::Description& describe(const ProblemCurve*);

/// One sentence about all points says what the differences between experiments and theory mean (view/verdict.h); empty
/// without experiments.
std::string verdict(const ProblemCurve& curve);

/// Theory alone has one row for each point, in the table and, with all that `solve` prints of a point, in the CSV. With
/// experiments there is a table for each error and one row in the CSV for each point and d, theory and experiment side
/// by side. The charts draw errors along the last axis, a series for each value of the others, or a map over two long
/// axes.
Result show(const ProblemCurve& curve, bool draw);

}  // namespace attnlaw::view
