#pragma once
/// A chart is drawn of items: the tasks of its parts with what came out of them. This file finds them, and what is
/// missing.

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "attnlaw/report/chart.h"
#include "attnlaw/view/figure/numbers.h"

namespace attnlaw::view {

/// Returns the tasks of the parts that a chart asks for, in order. Throws std::invalid_argument for a part that there
/// is not.
std::vector<Item> items_of(const study::Study& study, const study::Outcomes& outcomes,
                           const study::ChartRequest& request);

/// Returns every task once, where parts share it.
std::vector<Item> once(const std::vector<Item>& items);

/// Gaps count tasks that a chart cannot draw, or that a reader must know about.
struct Gaps {
  std::size_t missing = 0;  ///< not computed
  std::size_t failed = 0;
  std::string error;            ///< of the first that failed
  std::size_t unconverged = 0;  ///< of theory: left out
  std::size_t untrained = 0;    ///< experiments whose training stopped before its tolerance: drawn
  std::size_t unsolved = 0;     ///< experiments whose own theory did not converge: drawn

  bool complete() const { return missing + failed + unconverged == 0; }
  /// Returns one line for each kind; none if there is nothing to say.
  std::vector<std::string> lines() const;
};
Gaps gaps_of(const std::vector<Item>& items);

/// Says whether a chart may show the figures: they are there and, if of theory, converged.
bool usable(const Item& item);

/// Returns the axes that tell the series of a curves chart apart: those of the request or, if it names none, every
/// other axis of its parts that takes several values at one x; `d` if experiments have several; `trainer` and `part`
/// where results at one x differ in them and would still be one series.
std::vector<std::string> series_axes(const study::ChartRequest& request, const std::vector<Item>& items);

/// Returns of the experiments of a part that differ along an axis alone the one of least test error, and all else; all
/// items where the axis is empty.
std::vector<Item> best_over(const std::string& axis, const std::vector<Item>& items);

/// Returns what a result is of: its task without what may differ between the results that make up one point (instance,
/// start).
nlohmann::json subject(const study::Task& task);

/// These axes tell the points of a chart apart, beside the kind of the results and d of experiments.
struct PointAxes {
  std::vector<std::string> along;  ///< numbers: x, and y of a map
  std::vector<std::string> by;     ///< coordinates: the axes of the series
};

/// Throws std::invalid_argument, with what differs, if results of different subjects share a point: as far as the axes
/// are known without outcomes.
void require_one_subject_per_point(const std::string& title, const std::vector<Item>& items, const PointAxes& axes);

/// Labels are the coordinates of items as readers see them.
class Labels {
 public:
  /// Looks at `items` whenever it is asked: they must stay.
  explicit Labels(const std::vector<Item>& items) : items_(items) {}
  explicit Labels(std::vector<Item>&&) = delete;

  /// The label is "tied" for a word, "γ = 1.25" for a number, with four digits or as many as tell the values of the
  /// axis apart; empty if the item has none.
  std::string operator()(const Item& item, const std::string& axis) const;

  /// What an item is of: its value of every axis of its part.
  report::Subject subject(const Item& item) const;

 private:
  int digits(const std::string& axis) const;

  const std::vector<Item>& items_;
  mutable std::map<std::string, int> digits_;
};

}  // namespace attnlaw::view
