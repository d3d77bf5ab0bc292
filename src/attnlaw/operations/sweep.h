#pragma once
/// `sweep`: a study into a store of results.

#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/study_options.h"
#include "attnlaw/view/plan.h"

namespace attnlaw::operations {

struct Sweep {
  struct Input {
    std::string study;   ///< file
    bool check = false;  ///< print the plan and its cost, run nothing
    std::string store;   ///< empty: the name of the study with .sqlite
    StudyOptions options;
  };
  /// A task that has no figures, or figures that did not converge.
  struct Problem {
    std::string part, kind;
    nlohmann::json coordinates;
    std::string status, message;
  };
  struct Output {
    std::optional<view::Plan> plan;  ///< of a check; otherwise:
    std::string study, title, store, code;
    base::Evidence evidence = base::Evidence::theorem;  ///< of the weakest task
    study::RunProgress progress;
    std::vector<Problem> problems;
  };
  static constexpr About about{"sweep", "a study: many problems into a store of results, resumable",
                               "attnlaw sweep study.toml --store study.sqlite"};

  static void require_run(const nlohmann::json& options) { require_no_seed(options, "a study"); }
  static Input read(const nlohmann::json& options);
  static bool divides(const nlohmann::json& options) { return !options.value("check", false); }
  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Sweep::Input*);
const base::Description& describe(const Sweep::Problem*);
const base::Description& describe(const Sweep::Output*);

}  // namespace attnlaw::operations
