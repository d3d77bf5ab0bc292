#pragma once
/// `scaling`: the learning curve of a power-law target, or with a range of λ the map of its regimes.

#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/problem_options.h"
#include "attnlaw/theory/scaling.h"

namespace attnlaw::operations {

struct Scaling {
  struct Input {
    ProblemOptions problem;  ///< its alpha is not read
    TheoryOptions theory;
    std::vector<double> n;        ///< sequences, ascending
    double penalty_exponent = 0;  ///< λ of the problem is that at the first n, and grows like n to this power
    std::vector<double> lambdas;  ///< ascending; not empty: a map, and λ of the problem is not read
  };
  struct Output {
    model::Problem problem;
    std::optional<theory::ScalingCurve> curve;
    std::optional<theory::RegimeMap> map;

    bool converged() const;
  };
  static constexpr About about{
      "scaling", "learning curve of a power-law target: slopes and exponents",
      "attnlaw scaling --head linear --tokens 1 --noise 0.05 --target powerlaw:1.25,400 --n 1e3,1e7,41", true};

  static Input read(const nlohmann::json& options);
  static std::vector<std::string> unread(const nlohmann::json& options);
  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Scaling::Input*);
const base::Description& describe(const Scaling::Output*);

}  // namespace attnlaw::operations
