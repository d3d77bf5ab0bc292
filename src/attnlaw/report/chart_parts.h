#pragma once
/// What the charts of chart.h are made of.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "attnlaw/report/chart.h"

namespace attnlaw::report::parts {

/// Whether an axis of this scale has a place for the value.
bool drawable(double value, Scale scale);

/// The encoding of a field on an axis that fits its data.
nlohmann::json quantitative(const char* field, const Axis& axis);

nlohmann::json tooltip(const char* field, const std::string& title);

/// What every chart has: schema, size that follows the page, and the accessible description.
nlohmann::json frame(const std::string& title, const std::vector<std::string>& notes, const std::string& description);

/// Ticks of a logarithmic axis: 1, 2, 5 times powers of ten, over many decades the powers alone.
std::vector<double> log_ticks(double lowest, double highest);

}  // namespace attnlaw::report::parts
