#pragma once
/// This file shows the fine-tuning of a pre-trained student.

#include <optional>
#include <vector>

#include "attnlaw/laws/adapter/simulation.h"
#include "attnlaw/theory/solution.h"
#include "attnlaw/view/result.h"

namespace attnlaw::view {

/// Fine-tuning at finite size stands beside the theory of what was drawn.
struct LoraMeasured : laws::LoraExperiment {
  laws::LoraPrediction drawn;
  std::optional<laws::LoraBayes> drawn_bayes = {};
};
const base::Description& describe(const LoraMeasured*);

/// The result is all that `lora` has found.
struct LoraResult {
  std::optional<theory::Solution> pretraining;  ///< of a problem; empty: overlaps were given
  laws::LoraPrediction prediction;
  std::vector<laws::LoraPrediction> curve;  ///< over alpha_ft, ascending; may be empty
  std::optional<LoraMeasured> experiment;
  std::optional<laws::LoraBayes> bayes = {};  ///< the posterior mean, where it was asked for

  bool converged() const;
};
const base::Description& describe(const LoraResult*);

/// The tables are the prediction, the experiment beside it, and the curve. Rows are told apart by `kind`: theory,
/// curve, drawn (the theory of what was drawn), mean, standard_error, instance. A page needs a curve to draw.
Result show(const LoraResult& result, bool draw);

}  // namespace attnlaw::view
