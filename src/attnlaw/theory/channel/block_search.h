#pragma once
/// Proximal points of many fields and labels: further starts are spent only on the lanes that need them.

#include <algorithm>
#include <vector>

#include "attnlaw/theory/channel/proximal.h"

namespace attnlaw::theory {

/// kLanes fields of a student and of a label, with the label itself.
template <class Loss>
struct FieldPack {
  using Vector = PackArray<Loss::kDimension>;

  explicit FieldPack(const Loss& loss)
      : omega(loss.dimension()),
        target(loss.dimension()),
        fit(loss.dimension()),
        tau(loss.dimension()),
        rho(loss.dimension()),
        label(loss.make_label()) {}

  Vector omega, target;  ///< whitened fields
  Vector fit;            ///< the student's field that reproduces the label
  Vector tau, rho;       ///< the standard normals that they are made of
  typename Loss::Label label;
};

/// Takes fields one pack after the other and hands each on with its proximal point. Fields wait in blocks, where the
/// lanes whose minimum is not known to be the lowest are gathered into packs of their own.
template <SearchableLoss Loss>
class BlockSearch {
 public:
  using Field = FieldPack<Loss>;
  using Minimum = typename GlobalProximal<Loss>::Minimum;

  using Effort = typename GlobalProximal<Loss>::Effort;

  /// How to find proximal points: from where they were at other overlaps or from the field, and with how much of a
  /// search.
  struct Plan {
    bool known = false;
    Effort effort = Effort::full;
  };

  BlockSearch(const Loss& loss, double V, const Plan& plan = {})
      : loss_(loss), V_(V), plan_(plan), proximal_(loss), gathered_(loss) {}

  /// Begins at `*place` if proximal points are known; where `place` is not null the point goes there. Runs body(field,
  /// weight, minimum) over a block that is full.
  template <class Body>
  void take(const Field& field, Pack weight, Pack* place, const Body& body) {
    Entry& entry = block_.emplace_back(loss_);
    entry.field = field;
    entry.weight = weight;
    entry.result = place;
    const Pack* start = plan_.known ? place : field.omega.data();
    std::copy(start, start + field.omega.size(), entry.minimum.point.begin());
    proximal_.descend(field.label, field.omega.data(), V_, entry.minimum);
    if (plan_.effort != Effort::none) open_uncertain(entry);
    if (block_.size() == kBlock) finish(body);
  }

  /// The same over what is left.
  template <class Body>
  void finish(const Body& body) {
    for (std::size_t first = 0; first < open_.size(); first += kLanes) search_lanes(first);
    for (const Entry& entry : block_) {
      body(entry.field, entry.weight, entry.minimum);
      if (entry.result) std::copy(entry.minimum.point.begin(), entry.minimum.point.end(), entry.result);
    }
    block_.clear();
    open_.clear();
  }

  /// Weight of the lanes where several minima were found so far.
  double several() const { return several_; }

 private:
  static constexpr std::size_t kBlock = 64;

  struct Entry {
    explicit Entry(const Loss& loss) : field(loss), minimum(loss.dimension()) {}
    Field field;
    Pack weight;
    Minimum minimum;
    Pack* result = nullptr;
  };
  struct Lane {
    std::size_t entry;
    int lane;
  };

  void open_uncertain(const Entry& entry) {
    const Mask uncertain = !loss_.certain(entry.field.label, entry.minimum.value, V_);
    if (!uncertain.any()) return;
    for (int lane = 0; lane < kLanes; ++lane)
      if (uncertain.lanes[lane] && entry.weight.lanes[lane] > 0) open_.push_back({block_.size() - 1, lane});
  }

  static void copy_lane(const Entry& from, int lane, Entry& to, int place) {
    const auto copy = [&](const auto& source, auto& target) {
      for (std::size_t k = 0; k < source.size(); ++k) target[k].lanes[place] = source[k].lanes[lane];
    };
    copy(from.field.label, to.field.label);
    copy(from.field.omega, to.field.omega);
    copy(from.field.fit, to.field.fit);
    copy(from.minimum.point, to.minimum.point);
    to.minimum.value.lanes[place] = from.minimum.value.lanes[lane];
    to.minimum.loss.lanes[place] = from.minimum.loss.lanes[lane];
  }

  /// Searches kLanes open lanes, the last ones repeated where there are fewer.
  void search_lanes(std::size_t first) {
    const auto open = [&](int place) -> const Lane& {
      return open_[std::min(first + static_cast<std::size_t>(place), open_.size() - 1)];
    };
    for (int place = 0; place < kLanes; ++place)
      copy_lane(block_[open(place).entry], open(place).lane, gathered_, place);
    const Field& field = gathered_.field;
    const Mask other = proximal_.search(field.label, field.omega.data(), field.fit.data(), V_, plan_.effort,
                                        plan_.known, gathered_.minimum);
    for (int place = 0; place < kLanes && first + static_cast<std::size_t>(place) < open_.size(); ++place) {
      Entry& entry = block_[open(place).entry];
      copy_lane(gathered_, place, entry, open(place).lane);
      if (other.lanes[place]) several_ += entry.weight.lanes[open(place).lane];
    }
  }

  const Loss& loss_;
  double V_;
  Plan plan_;
  GlobalProximal<Loss> proximal_;
  std::vector<Entry> block_;
  std::vector<Lane> open_;
  Entry gathered_;
  double several_ = 0;
};

}  // namespace attnlaw::theory
