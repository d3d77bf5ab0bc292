#pragma once
/// `demo`, the main job of ./run: the learning curve of an attention layer and its trained spectrum, theory and
/// experiment.

#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/problem_options.h"
#include "attnlaw/study/comparison.h"
#include "attnlaw/study/spectrum_comparison.h"

namespace attnlaw::operations {

struct Demo {
  struct Input {
    ProblemOptions problem;
  };
  struct Output {
    model::Problem problem;                      ///< without its α
    std::vector<theory::Solution> theory;        ///< along α
    std::vector<study::Comparison> experiments;  ///< at some of the same α
    std::optional<theory::Solution> spectrum;    ///< of a student whose spectrum has a law
    theory::TrainedLaw::Curve density;
    study::SpectrumComparison measured;
    view::Warnings notes;  ///< of the experiments behind the spectrum
    bool converged = false;
    std::string interrupted;  ///< how far it came; empty: to its end
    std::string html;         ///< where the page will stand
  };
  static constexpr About about{.name = "demo",
                               .summary = "learning curve of a softmax attention layer, theory and experiment",
                               .example = "attnlaw demo --html learning-curve.html",
                               .draws = true,
                               .page_path = "attnlaw-demo.html"};

  static Input read(const nlohmann::json& options);
  static Output run(const Input& input, const Run& run);
  static std::vector<std::string> unread(const nlohmann::json&) { return {"alpha"}; }
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Demo::Input*);
const base::Description& describe(const Demo::Output*);

}  // namespace attnlaw::operations
