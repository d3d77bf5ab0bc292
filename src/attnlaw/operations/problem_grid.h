#pragma once
/// Options of a problem with several values: the problems of a curve, or of a grid of any number of axes.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/problem_options.h"
#include "attnlaw/study/file/request.h"
#include "attnlaw/view/figure/curve.h"

namespace attnlaw::operations {

/// What the command line means by a text for an option of a problem: one value, or a list of X,Y,… and FROM:TO:N[:log].
/// A list of targets goes on with the next kind (wishart:0.2,wishart:0.5), and wishart:FROM:TO:N spans κ*. Throws
/// std::invalid_argument that names the option.
nlohmann::json values_from_text(const base::Field& field, const std::string& text);

struct ProblemGrid {
  nlohmann::json problem;             ///< what all points share; {kappa} stands in a target that varies in it
  std::vector<view::CurveAxis> axes;  ///< words first, the longest last; none: there is one problem

  bool one() const { return axes.empty(); }
  std::size_t size() const;
  /// The options that differ between points.
  std::vector<std::string> varying() const;
};

/// Takes the lists of values out of the options, which are left with one value of each. `fallback` as in with_problem.
/// Throws std::invalid_argument for too many points.
ProblemGrid take_grid(nlohmann::json& options, const nlohmann::json& fallback = nlohmann::json::object());

/// Refuses options that are for one problem. Throws std::invalid_argument.
void refuse_along_curve(const nlohmann::json& options, const std::vector<std::string>& names);

/// What is computed at every point.
struct CurveRequest {
  double accuracy = theory::SolveOptions{}.accuracy;
  std::optional<study::ExperimentRequest> experiment = {};
  /// A page is drawn: its lines go through many points, as far as that takes seconds.
  bool draw = false;
  bool spectra = false;  ///< with the densities of the trained spectra
};

/// Solves the problems of a grid, of which `problem` is one, as a study whose results are kept in memory: with its warm
/// starts, over all threads, and what is known so far if it is interrupted.
view::ProblemCurve solve_curve(const ProblemGrid& grid, const model::Problem& problem, const CurveRequest& request,
                               const Run& run);

}  // namespace attnlaw::operations
