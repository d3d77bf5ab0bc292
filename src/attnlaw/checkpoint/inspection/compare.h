#pragma once
/// What happened to the maps of a model between two checkpoints.

#include <functional>
#include <string>
#include <vector>

#include "attnlaw/checkpoint/inspection/inspect.h"

namespace attnlaw::checkpoint {

/// One head before and after.
struct HeadChange {
  int layer = 0, head = 0;
  std::string block;
  std::string defect = {};           ///< why there are no figures; empty: there are
  double relative_change = kAbsent;  ///< ‖S′ − S‖/‖S‖
  double cosine = kAbsent;           ///< ⟨S, S′⟩/(‖S‖ ‖S′‖)
  double change_stable_rank = kAbsent;
  double left_overlap = kAbsent;  ///< squared overlap of the leading left directions
  double right_overlap = kAbsent;
  double norm_before = kAbsent, norm_after = kAbsent;
  double stable_rank_before = kAbsent, stable_rank_after = kAbsent;
};
const base::Description& describe(const HeadChange*);

/// Takes the factors of the same head in both.
void fill_change(const Factors& before, const Factors& after, HeadChange& change);

/// Leaves the layers that all models have, with heads of the same shape, and says of the others why in `skipped` of
/// each model. Throws std::invalid_argument if no layer is left.
void keep_common_layers(const std::vector<Model*>& models);

/// Throws std::invalid_argument unless both models have the same layers with heads of the same shape.
void require_same_shape(const Model& before, const Model& after);

/// Compares all heads. Throws std::invalid_argument unless both models have the same layers with heads of the same
/// shape, and what read_head throws.
std::vector<HeadChange> compare(const Model& before, const Model& after, const InspectOptions& options,
                                const std::function<void(int, int)>& progress = {});

}  // namespace attnlaw::checkpoint
