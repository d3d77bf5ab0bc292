#pragma once
/// `limits`: the figures of a problem beside what they tend to where its numbers are small or large.

#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/problem_options.h"
#include "attnlaw/theory/limits.h"

namespace attnlaw::operations {

struct Limits {
  struct Input {
    ProblemOptions problem;
    TheoryOptions theory;
  };
  struct Output {
    theory::Solution solution;
    std::vector<theory::Limit> limits;
  };
  static constexpr About about{"limits", "closed forms that a problem tends to, beside its figures",
                               "attnlaw limits --alpha 0.004 --student bayes --target wishart:0.01"};
  static constexpr bool threaded = false;

  static Input read(const nlohmann::json& options);
  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Limits::Input*);
const base::Description& describe(const Limits::Output*);

}  // namespace attnlaw::operations
