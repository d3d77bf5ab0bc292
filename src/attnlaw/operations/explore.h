#pragma once
/// `explore`: the page in which theory is live.

#include <optional>

#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/problem_options.h"

namespace attnlaw::operations {

struct Explore {
  struct Input {
    ProblemOptions problem;
    bool given = false;  ///< some option of the problem is; else the page begins with an example of its own
  };
  struct Output {
    std::optional<model::Problem> problem;
    std::string html;  ///< where the page will stand
    std::string page;  ///< itself
  };
  static constexpr About about{.name = "explore",
                               .summary = "the page with live theory, for a browser",
                               .example = "attnlaw explore --alpha 0.3 --lambda 0.05",
                               .draws = true,
                               .page_path = "attnlaw-explorer.html"};
  static constexpr bool threaded = false;

  static Input read(const nlohmann::json& options);
  /// Throws std::runtime_error where the build has no page.
  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Explore::Input*);
const base::Description& describe(const Explore::Output*);

}  // namespace attnlaw::operations
