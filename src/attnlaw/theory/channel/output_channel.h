#pragma once
/// Output channel: how the loss of one sequence turns overlaps into conjugates (docs/theory/erm.md, section 2).

#include <memory>
#include <optional>
#include <vector>

#include "attnlaw/model/problem.h"
#include "attnlaw/theory/channel/overlaps.h"
#include "attnlaw/theory/channel/pack.h"
#include "attnlaw/theory/channel/point_rule.h"

namespace attnlaw::theory {

/// What one pass of an output channel over its points gives.
struct ChannelResult {
  Conjugates conjugates;
  double train = 0;    ///< loss per training sequence
  double several = 0;  ///< share of the points where a proximal point was found to be the lowest of several minima
  /// What the mean envelope lacks of Stein's lemma, per mean envelope: 0 up to the error of the points where it is
  /// continuous, as it is where every proximal point is the lowest minimum. Closed forms have none.
  double imbalance = 0;
};

/// The proximal points that a sampled channel has found: its next pass over them starts there. It belongs to the
/// caller, who hands it on along a path of overlaps; empty at first, when searches start from the student's field.
///
/// Where every point needs a search and none of one pass found several minima, its points are followed to all overlaps
/// close by; where some did, further passes very close by search more briefly.
struct ChannelWorkspace {
  std::vector<Pack> minima;
  std::size_t known = kAllKnown;     ///< so many packs of each replicate have their minima there
  std::optional<Overlaps> found_at;  ///< overlaps of the last pass
  std::optional<Overlaps> searched_at;
  double several = 0;     ///< OutputChannel::Result::several of that search
  bool jumps = false;     ///< some search on these points found several minima: V̂ is then Stein's from there on
  bool searched = false;  ///< the last pass searched in full

  std::vector<ChannelResult> parts;  ///< what the last pass gives of each replicate, where it was one over all of them
  std::optional<Overlaps> parts_at;  ///< the overlaps of that pass

  static constexpr std::size_t kAllKnown = std::numeric_limits<std::size_t>::max();

  /// For a channel of more Sobol points, of which those of this one are the first of each replicate.
  void begin_finer() { finer = true, parts_at.reset(); }
  bool finer = false;  ///< begin_finer() was called, and no pass has followed

  /// For another channel whose proximal points are close by: what was seen of jumps was of the one before.
  void begin_another() { jumps = false, several = 0, searched_at.reset(), parts_at.reset(); }
};

/// An expectation over labels and fields at given overlaps. Sampled channels hold replicates of their points, scrambles
/// or shifted grids; the full figure averages all of them.
class OutputChannel {
 public:
  /// Selects one replicate, or all.
  static constexpr int kAll = -1;

  OutputChannel() = default;
  OutputChannel(const OutputChannel&) = delete;
  OutputChannel& operator=(const OutputChannel&) = delete;
  virtual ~OutputChannel() = default;

  using Result = ChannelResult;
  /// At q, V > 0 and m² < Q* q. A sampled channel starts from what the caller's workspace holds, if there is one, and
  /// leaves its proximal points there: the result depends on it as far as a nearby start may find a lower minimum, and
  /// where minima are followed. Closed forms have no use for it.
  virtual Result evaluate(const Overlaps& overlaps, int replicate = kAll,
                          ChannelWorkspace* workspace = nullptr) const = 0;
  /// At the student S = 0.
  virtual Result evaluate_at_zero(int replicate = kAll) const = 0;
  /// Loss per fresh sequence whose labels have the noise `noise`, 0 or the Δ of the problem; at q = 0 that of S = 0.
  virtual double fresh_loss(const Overlaps& overlaps, double noise, int replicate = kAll) const = 0;
  /// That of noiseless labels.
  double test(const Overlaps& overlaps, int replicate = kAll) const { return fresh_loss(overlaps, 0, replicate); }

  /// The loss per sequence of a student that fits every label, of noise Δ = `noise`: the entropy of the labels for the
  /// cross-entropy, else 0.
  virtual double least_loss(double /*noise*/, int /*replicate*/ = kAll) const { return 0; }
  /// False where the labels do not fix the scale of S: then there is no estimation error.
  virtual bool identifies_scale() const { return true; }
  /// What a loss tells beside train and test error, at any overlaps.
  virtual std::optional<LossFigures> loss_figures(const Overlaps& /*overlaps*/) const { return std::nullopt; }

  /// 2α E‖∂g/∂ω‖²_F (αT1 E of one row with cross-attention), the output factor of the replicon. A workspace serves as
  /// in `evaluate`.
  virtual SectorMatrix squared_response(const Overlaps& overlaps, ChannelWorkspace* workspace = nullptr) const = 0;

  /// Number of independent replicates; 1 for a closed form, which has no sampling error.
  virtual int replicates() const = 0;
  /// Sample points in all; 0 for a closed form.
  virtual std::size_t points() const = 0;
};

/// The channel of a problem with a target of second moment Q*, on the points of `rule`. Throws std::invalid_argument
/// for the head hardmax.
std::unique_ptr<OutputChannel> make_output_channel(const model::Problem& problem, double Q_star, const PointRule& rule);

/// The same problem in its ridgeless limit while all labels can be fitted: λV, q̂/λ², m̂/λ and V̂/λ instead of V, q̂, m̂
/// and V̂ (docs/theory/erm.md, section 6).
std::unique_ptr<OutputChannel> make_interpolating_channel(const model::Problem& problem, double Q_star,
                                                          const PointRule& rule);

}  // namespace attnlaw::theory
