#pragma once
/// What happens to the maps of a model over the steps of its training.
///
/// ```cpp
/// #include <iostream>
///
/// #include "attnlaw/checkpoint/inspection/course.h"
///
/// using namespace attnlaw::checkpoint;
///
/// try {
///   const Course course = follow({{"steps/epoch-0", 0}, {"steps/epoch-4", 4}, {"steps/epoch-8", 8}}, {}, {}).course;
///   for (const Step& step : course.steps) std::cout << step.number << " " << step.left_alignment << "\n";
/// } catch (const std::exception& error) {
///   std::cout << error.what() << "\n";
/// }
/// ```

#include <functional>
#include <string>
#include <vector>

#include "attnlaw/checkpoint/file/steps.h"
#include "attnlaw/checkpoint/inspection/inspect.h"

namespace attnlaw::checkpoint {

/// One head at one step.
struct HeadStep {
  int step = 0;  ///< its place among the steps
  int layer = 0, head = 0;
  std::string block;
  std::string defect = {};  ///< why there are no figures; empty: there are
  double spectral_norm = kAbsent, frobenius_norm = kAbsent;
  double stable_rank = kAbsent, effective_rank = kAbsent;
  OutlierStatus outlier_status = OutlierStatus::no_law;
  int outliers = 0;
  double product_p = kAbsent, product_holm = kAbsent;
  double rotation_score = kAbsent;  ///< z_N2
  double symmetry = kAbsent;        ///< τ
  double symmetry_score = kAbsent;  ///< z_N3
  double cosine = kAbsent;          ///< ⟨S, S′⟩/(‖S‖ ‖S′‖) with the map S′ of the last step
  /// Leading directions of the last step that are looked for in this one: its outliers, at least one.
  int directions = 0;
  double left_alignment = kAbsent;   ///< mean squared cosine of both spaces of so many leading left directions
  double right_alignment = kAbsent;  ///< the same of right ones; directions/d by chance
};
const base::Description& describe(const HeadStep*);

/// All heads at one step.
struct Step {
  std::string file;
  double number = 0;                             ///< in its name, where names differ by it; else its place
  int heads = 0;                                 ///< with figures
  int not_random = 0, matched = 0, related = 0;  ///< heads that reject N1, N2, N3 after Holm's correction
  double pooled_rotation = kAbsent;              ///< pooled score of N2
  int outliers = 0;                              ///< of all heads that the law describes otherwise
  /// Medians over heads.
  double frobenius_norm = kAbsent, stable_rank = kAbsent, effective_rank = kAbsent;
  double cosine = kAbsent, left_alignment = kAbsent, right_alignment = kAbsent;
};
const base::Description& describe(const Step*);

struct Course {
  std::vector<Step> steps;
  std::vector<HeadStep> heads;  ///< in order of layers and heads, the steps of each together
};
const base::Description& describe(const Course*);

/// A course with all that is said of its last step.
struct Followed {
  Course course;
  Inspection last;
};

/// Inspects a model at all steps, two or more. Throws what open_model and inspect throw, and std::invalid_argument
/// unless all have the same layers with heads of the same shape; to keep going, the layers that all have are followed.
Followed follow(const std::vector<StepFile>& steps, const OpenOptions& open, const InspectOptions& options,
                const std::function<void(const std::string& what, int done, int total)>& progress = {});

}  // namespace attnlaw::checkpoint
