#pragma once
/// The thresholds of one problem together, each with the reason where there is none.

#include <optional>
#include <string>
#include <vector>

#include "attnlaw/theory/detachment.h"
#include "attnlaw/theory/thresholds.h"

namespace attnlaw::study {

struct Thresholds {
  int tokens = 0;           ///< T, or T1 with cross-attention
  int key_tokens = 0;       ///< T2 with cross-attention, else 0
  int observed_scores = 0;  ///< K_eff
  std::optional<theory::Recovery> recovery;
  std::optional<theory::Interpolation> interpolation;
  std::optional<double> interpolation_limit;  ///< α of interpolation as the noise vanishes
  std::optional<double> bayes_recovery;       ///< α
  std::optional<theory::Detachment> detachment;
  std::string no_recovery;  ///< why there is none
  std::string no_interpolation;
  std::string no_bayes_recovery;
  std::string no_detachment;  ///< empty also where nobody asked
  bool converged = true;      ///< as theory::DetachmentSearch has it; the others are closed forms

  /// Whether the Bayes recovery is a count of degrees of freedom that no posterior mean was compared with, as with
  /// cross-attention (docs/theory/cross_attention.md).
  bool bayes_unverified() const { return bayes_recovery && key_tokens > 0; }
  bool with_detachment() const { return detachment || !no_detachment.empty(); }
};

/// The names of the thresholds in documents and charts.
const std::vector<std::string>& threshold_names();

/// Neither alpha nor, without the detachment, lambda is read. Noisy labels allow no exact recovery: the reason then
/// names the α of noiseless ones. Students without a ridgeless limit (theory::has_ridgeless) have the Bayes recovery
/// alone, which is a property of the labels. The detachment alone needs solutions: it is looked for where `detachment`
/// has their options.
Thresholds thresholds(const model::Problem& problem,
                      const std::optional<theory::SolveOptions>& detachment = std::nullopt);

const base::Description& describe(const Thresholds*);

}  // namespace attnlaw::study
