#pragma once
/// Computes expectations over one sequence of the fine-tuning set (docs/theory/lora.md, section 3).

#include <cstddef>
#include <memory>
#include <vector>

#include "attnlaw/laws/adapter/lora.h"
#include "attnlaw/theory/channel/pack.h"

namespace attnlaw::laws {

/// The averages at given overlaps. ω0 = m v + √(q−m²) ξ is the cavity field, p its proximal point, Π = (1 + V∇²ℓ)⁻¹.
struct LoraAverages {
  double response = 0;          ///< E tr(1 − Π)
  double pull = 0;              ///< −E tr(Π ∂_v ∇ℓ)
  double force = 0;             ///< E|∇ℓ|²
  double centring = 0;          ///< E ∂ℓ/∂q
  double train = 0;             ///< E ℓ(p)
  double squared_response = 0;  ///< E‖1 − Π‖²_F
  double alignment = 0;         ///< −E ∇ℓ·ω0
};

/// The proximal points of one replicate, one after the other.
using LoraMinima = std::vector<theory::Pack>;

class LoraChannel {
 public:
  LoraChannel() = default;
  LoraChannel(const LoraChannel&) = delete;
  LoraChannel& operator=(const LoraChannel&) = delete;
  virtual ~LoraChannel() = default;

  /// Returns the averages at q ≥ m², V > 0 on one replicate of the points. Where proximal points take a search, it
  /// stores those it finds in `minima`; if `minima` has some, found at overlaps close by, it descends from them
  /// instead.
  virtual LoraAverages averages(const LoraOverlaps& overlaps, int replicate, LoraMinima& minima) const = 0;
  /// Returns the error of the outputs for a fresh sequence whose label has the noise `noise`; NaN for linear scores,
  /// which have it in closed form.
  virtual double test(const LoraOverlaps& overlaps, double noise, int replicate) const = 0;
  virtual int replicates() const = 0;
  virtual std::size_t points() const = 0;
};

/// Makes the channel of a task. Linear scores of one token take a Gauss-Hermite product rule, one replicate, whatever
/// log2_points; all others take independent replicates of 2^log2_points quasi-Monte Carlo points each.
std::unique_ptr<LoraChannel> make_lora_channel(const LoraTask& task, const PretrainedOverlaps& pretrained,
                                               int log2_points);

}  // namespace attnlaw::laws
