#pragma once
/// `demo`, the main job of ./run: the learning curve of a softmax attention layer and its trained spectrum, theory and
/// experiment.

#include "attnlaw/operations/operation.h"
#include "attnlaw/study/comparison.h"
#include "attnlaw/study/spectrum_comparison.h"

namespace attnlaw::operations {

struct Demo {
  using Input = Nothing;
  struct Output {
    std::vector<theory::Solution> theory;        ///< along α
    std::vector<study::Comparison> experiments;  ///< at some of the same α
    theory::Solution spectrum;
    theory::TrainedLaw::Curve density;
    study::SpectrumComparison measured;
    view::Warnings notes;  ///< of the experiments behind the spectrum
    bool converged = false;
    std::string html;  ///< where the page will stand
  };
  static constexpr About about{.name = "demo",
                               .summary = "learning curve of a softmax attention layer, theory and experiment",
                               .example = "attnlaw demo --html learning-curve.html",
                               .draws = true,
                               .page_path = "attnlaw-demo.html"};

  static Output run(const Input& input, const Run& run);
  static std::vector<std::string> unread(const nlohmann::json&) { return {}; }
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Demo::Output*);

}  // namespace attnlaw::operations
