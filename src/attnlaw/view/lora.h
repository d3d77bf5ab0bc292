#pragma once
/// These functions show the fine-tuning of a pre-trained student as tables and chart.

#include <optional>
#include <vector>

#include "attnlaw/laws/adapter/simulation.h"
#include "attnlaw/report/chart.h"
#include "attnlaw/report/table.h"
#include "attnlaw/theory/solution.h"
#include "attnlaw/view/warnings.h"

namespace attnlaw::view {

/// Fine-tuning at finite size stands beside the theory of what was drawn.
struct LoraMeasured : laws::LoraExperiment {
  laws::LoraPrediction drawn;
};
const base::Description& describe(const LoraMeasured*);

/// The result is all that `lora` has found.
struct LoraResult {
  std::optional<theory::Solution> pretraining;  ///< of a problem; empty: overlaps were given
  laws::LoraPrediction prediction;
  std::vector<laws::LoraPrediction> curve;  ///< over alpha_ft, ascending; may be empty
  std::optional<LoraMeasured> experiment;

  bool converged() const;
};
const base::Description& describe(const LoraResult*);

/// A prediction is named "T = 2, softmax head, α_ft = 8, ω = 2, λ_ft = 0.02, E_pre = 0.397 (Q* = 1.5, Q_pre = 1.1,
/// m_pre = 1.1)".
std::string describe(const laws::LoraPrediction& prediction);

/// The tables are the prediction, the experiment beside it, and the curve.
std::vector<report::Table> lora_tables(const LoraResult& result);
/// Rows are told apart by `kind`: theory, curve, drawn (the theory of what was drawn), mean, standard_error, instance.
report::Table lora_rows(const LoraResult& result);
report::Chart lora_chart(const LoraResult& result);
Warnings warnings(const LoraResult& result);

}  // namespace attnlaw::view
