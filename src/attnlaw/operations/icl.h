#pragma once
/// `icl`: in-context regression by a trained linear attention layer.

#include "attnlaw/laws/in_context/penalty.h"
#include "attnlaw/operations/operation.h"
#include "attnlaw/view/in_context.h"

namespace attnlaw::operations {

struct Icl {
  struct Input {
    std::vector<double> context, tasks, sequences, noise{0}, test_context, test_noise;
    std::vector<laws::InContextPenalty> lambda{{}};
    std::string task_covariance = "isotropic", test_covariance;
    bool map = false;
    std::vector<int> d;
    int instances = laws::InContextExperimentOptions{}.instances;
    laws::InContextSolver solver = laws::InContextSolver::automatic;
  };
  using Output = view::InContextResult;
  static constexpr About about{"icl", "in-context regression by trained linear attention: new tasks and training tasks",
                               "attnlaw icl --context 10 --tasks 0.1:10:25:log --sequences 5 --noise 0.1 --lambda 0.01 "
                               "--html icl.html",
                               true};

  static Input read(const nlohmann::json& options);
  static std::vector<std::string> unread(const nlohmann::json& options);
  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Icl::Input*);

}  // namespace attnlaw::operations
