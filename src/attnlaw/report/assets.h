#pragma once
/// The scripts, the style sheet and the chart templates of a page are taken into the library when it is built
/// (web/assets.cmake).

#include <string_view>

namespace attnlaw::report {

/// This script holds Vega, Vega-Lite and Vega-Embed with their licences and defines `vega`, `vegaLite` and `vegaEmbed`.
std::string_view vega_bundle();

/// One JSON object with the template of every chart under its name, and the parts that they share under "chart_parts".
std::string_view chart_templates();

/// This script runs first: it notes every error and warning of the page in data-errors and data-warnings of the root
/// element.
std::string_view recorder_script();

/// This script runs last: it draws the charts in the colours of the reader's theme, then sets data-ready on the root
/// element.
std::string_view charts_script();

/// This style sheet has the colours of both themes and the layout of a page.
std::string_view style_sheet();

}  // namespace attnlaw::report
