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

/// Takes fields one pack after the other and hands each on with its proximal point. Where the minima of some lanes of a
/// pack are not known to be the lowest it waits in a block, so that such lanes are searched in packs of their own.
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
      : loss_(loss),
        V_(V),
        plan_(plan),
        proximal_(loss),
        minimum_(loss.dimension()),
        gathered_(loss),
        at_(loss.dimension()) {}

  /// Begins at `*place` if its proximal point is known; where `place` is not null the point goes there. Runs
  /// body(field, weight, minimum, stiffened), in any order of the fields; stiffened() has the factors at the minimum.
  template <class Body>
  void take(const Field& field, Pack weight, Pack* place, bool known, const Body& body) {
    const Pack* start = plan_.known && known ? place : field.omega.data();
    std::copy(start, start + field.omega.size(), minimum_.point.begin());
    proximal_.descend(field.label, field.omega.data(), V_, minimum_);
    const auto where_descended = [this] { return proximal_.stiffened(V_); };
    if (plan_.effort == Effort::none) return pass(field, weight, minimum_, place, body, where_descended);
    const Mask uncertain = !loss_.certain(field.label, minimum_.value, V_), present = weight > Pack(0);
    if (!(uncertain & present).any()) return pass(field, weight, minimum_, place, body, where_descended);
    if (!(!uncertain & present).any()) {
      count(search(field, known, minimum_), weight);
      return pass(field, weight, minimum_, place, body, expanded_at(field, minimum_));
    }
    wait(field, weight, place, known, uncertain & present);
    if (waiting_ == kBlock) finish(body);
  }

  /// The same over what waits.
  template <class Body>
  void finish(const Body& body) {
    for (std::size_t first = 0; first < open_.size(); first += kLanes) search_lanes(first);
    for (std::size_t i = 0; i < waiting_; ++i) {
      const auto& [field, weight, minimum, place, known] = block_[i];
      pass(field, weight, minimum, place, body, expanded_at(field, minimum));
    }
    waiting_ = 0;
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
    bool known = false;
  };
  struct Lane {
    std::size_t entry;
    int lane;
  };

  template <class Body, class StiffenedAtMinimum>
  static void pass(const Field& field, Pack weight, const Minimum& minimum, Pack* place, const Body& body,
                   const StiffenedAtMinimum& stiffened) {
    body(field, weight, minimum, stiffened);
    if (place) std::copy(minimum.point.begin(), minimum.point.end(), place);
  }
  /// The factors at a minimum that is not where the last descent ended.
  auto expanded_at(const Field& field, const Minimum& minimum) {
    return [this, &field, &minimum] {
      loss_.expand(field.label, minimum.point.data(), at_);
      return stiffen(at_.hessian, size_of<Loss::kDimension>(loss_.dimension()), V_, coupling(loss_));
    };
  }

  Mask search(const Field& field, bool known, Minimum& minimum) {
    const bool from_elsewhere = plan_.known && known;
    return proximal_.search(field.label, field.omega.data(), field.fit.data(), V_, plan_.effort, from_elsewhere,
                            minimum);
  }
  void count(Mask other, Pack weight) { several_ += select(other, weight, 0).sum(); }

  void wait(const Field& field, Pack weight, Pack* place, bool known, Mask uncertain) {
    if (waiting_ == block_.size()) block_.emplace_back(loss_);
    Entry& entry = block_[waiting_];
    entry.field = field;
    entry.weight = weight;
    entry.minimum = minimum_;
    entry.result = place;
    entry.known = known;
    for (int lane = 0; lane < kLanes; ++lane)
      if (uncertain.lanes[lane]) open_.push_back({waiting_, lane});
    ++waiting_;
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
    bool known = false;  // of any lane
    for (int place = 0; place < kLanes; ++place) {
      copy_lane(block_[open(place).entry], open(place).lane, gathered_, place);
      known = known || block_[open(place).entry].known;
    }
    const Mask other = search(gathered_.field, known, gathered_.minimum);
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
  Minimum minimum_;           ///< of the field in hand
  std::vector<Entry> block_;  ///< the first `waiting_` of them wait
  std::size_t waiting_ = 0;
  std::vector<Lane> open_;
  Entry gathered_;
  Expansion<Loss::kDimension> at_;
  double several_ = 0;
};

}  // namespace attnlaw::theory
