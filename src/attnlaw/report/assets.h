#pragma once
/// The scripts and the style sheet of a page, taken into the library when it is built (web/assets.cmake).

#include <string_view>

namespace attnlaw::report {

/// Vega, Vega-Lite and Vega-Embed with their licences: one script that defines `vega`, `vegaLite` and `vegaEmbed`.
std::string_view vega_bundle();

/// Runs first: notes every error and warning of the page in data-errors and data-warnings of the root element.
std::string_view recorder_script();

/// Runs last: draws the charts in the colours of the reader's theme, then sets data-ready on the root element.
std::string_view charts_script();

std::string_view style_sheet();

}  // namespace attnlaw::report
