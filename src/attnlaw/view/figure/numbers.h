#pragma once
/// Charts put numbers of a study on their axes; this file finds them by name.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attnlaw/study/study.h"

namespace attnlaw::view {

/// An item is a task of a part with what came out of it.
struct Item {
  const study::Part* part = nullptr;
  const study::PartEntry* entry = nullptr;
  const study::Task* task = nullptr;
  const study::Outcome* outcome = nullptr;  ///< null: not computed (yet)

  /// Says whether there are figures, converged or not.
  bool has_figures() const { return outcome != nullptr && outcome->status != study::Outcome::Status::failed; }
};

/// Returns the value under a path "a.b.c" of a document, whose parts may be numbers of places in lists; null if there
/// is none.
const nlohmann::json* find_value(const nlohmann::json& document, std::string_view path);

/// Returns the number `name` of a JSON object: by path ("theory.test"), or in the object or the groups of a document of
/// docs/json.md (errors, overlaps, spectrum, …). Nothing if it is not there or no number; of an object with `alpha` (a
/// threshold) that number. "test_parts.bulk" is what a part of the estimation error costs in the test error: it has its
/// price there.
std::optional<double> find_number(const nlohmann::json& document, const std::string& name);

/// Returns the names that a document has numbers or lists under: those of its own and of its groups, and their paths.
std::vector<std::string> figure_names(const nlohmann::json& document);

/// Returns what α is multiplied by along an axis of sample ratios: 1 along `alpha`, K_eff along `alpha_eff`, K_eff/κ*
/// along `alpha_eff/kappa`; nothing along other axes, or where the target has no κ*.
std::optional<double> ratio_unit(const study::Task& task, const std::string& axis);

/// Returns where the numbers of an item stand along an axis: one place, or one for each n of a scaling curve.
std::vector<double> places(const Item& item, const std::string& axis);

/// Returns where a task stands: a coordinate of the part, an option of the problem, `d`, `instance`, `D` (dimension of
/// a power law), `n` = α d² and `n/d` (with D where there is no d), a sample ratio (ratio_unit); otherwise a figure of
/// the outcome.
std::optional<double> position(const Item& item, const std::string& name);

/// Returns the same, or the word that an item has in place of a number along an axis; null if it has neither (yet).
nlohmann::json place(const Item& item, const std::string& axis);

/// Returns a figure of the outcome (find_number), or of its spectrum: `rank` (eigenvalues off zero), `rank_fraction`,
/// `zero_mass`, and `eigenvalue:k`, the k-th largest eigenvalue of an experiment, in theory the outlier of the k-th
/// mode of the target where there is one. `lambda` is the number that was found or trained with, `recovery_eff` and the
/// like a threshold in units of α K_eff. Nothing without an outcome.
std::optional<double> figure(const Item& item, const std::string& name);

/// Returns what tells series apart: a coordinate, an option of the problem, `part`, or of an experiment `d` or
/// `trainer`; null if there is none. Numbers are doubles, to 14 digits: those that ranges and lists make of one decimal
/// number are equal.
nlohmann::json coordinate(const Item& item, const std::string& name);

/// Shows a coordinate to readers, numbers with `digits` significant digits: "tied", "1.25"; empty for null.
std::string text_of(const nlohmann::json& coordinate, int digits);

/// Returns the title of the axis of a number: "α = n/d²".
std::string axis_title(const std::string& name);
/// Returns its symbol or name: "α".
std::string symbol(const std::string& name);
/// Gives a text a capital letter at its beginning.
std::string sentence(std::string text);

}  // namespace attnlaw::view
