#pragma once
/// Helps all charts of chart.h: fills templates, fits axes, and breaks lines into drawable pieces.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "attnlaw/report/chart.h"

namespace attnlaw::report::parts {

/// Returns the template `name` (web/<name>.json, or a member of web/chart_parts.json) with `values` for the names in
/// it.
///
/// In a template, a string "$name" stands for values["name"] or, where there is none, for the shared part of that name;
/// it is left out together with its key where the value is null. {"like": "$name", ...} is that value changed by the
/// other members (a merge patch). An object with {"when": "name"} is left out where the value is null, false or empty.
/// Throws nlohmann::json::out_of_range if a name has neither a value nor a part.
nlohmann::json filled(const std::string& name, const nlohmann::json& values);

/// Returns the value of a cell; null for an empty one.
nlohmann::json json_of(const Cell& cell);

/// Returns what the page needs to find the spectra of a chart by their subjects, in the order in which they are drawn;
/// null unless one has keys.
nlohmann::json spectra_links(const std::vector<const Subject*>& subjects);

/// Tells whether an axis of this scale has a place for the value.
bool drawable(double value, Scale scale);

/// Returns the encoding of a field on an axis that fits its data, which reach from `lowest` to `highest`. A logarithmic
/// axis has ticks at 1, 2, 5 times powers of ten, over many decades at the powers alone.
nlohmann::json axis_encoding(const char* field, const Axis& axis, double lowest, double highest);

/// Appends to `rows` one row for each drawable point of a line: `row` with its x, its y (under the name `y_field`) and
/// the number of its piece. A point that cannot be drawn ends a piece. Returns the number of such points.
int append_line(const std::vector<Point>& line, Scale x, Scale y, nlohmann::json row, const char* y_field,
                nlohmann::json& rows);

}  // namespace attnlaw::report::parts
