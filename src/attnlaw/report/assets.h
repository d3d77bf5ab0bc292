#pragma once
/// Gives the scripts, the style sheet and the chart templates of a page, which the build takes into the library
/// (web/assets.cmake).

#include <string_view>

namespace attnlaw::report {

/// Returns the script that holds Vega, Vega-Lite and Vega-Embed with their licences and defines `vega`, `vegaLite` and
/// `vegaEmbed`.
std::string_view vega_bundle();

/// Returns one JSON object with the template of every chart under its name, and the parts that they share under
/// "chart_parts".
std::string_view chart_templates();

/// Returns the script that runs first: it notes every error and warning of the page in data-errors and data-warnings of
/// the root element.
std::string_view recorder_script();

/// Returns the script that runs last: it draws the charts in the colours of the reader's theme, then sets data-ready on
/// the root element.
std::string_view charts_script();

/// Returns the style sheet, with the colours of both themes and the layout of a page.
std::string_view style_sheet();

/// Returns the page with live theory (explorer/), whole; empty where the build has none.
std::string_view explorer_page();

}  // namespace attnlaw::report
