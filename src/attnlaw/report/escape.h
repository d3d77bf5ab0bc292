#pragma once
/// Makes text safe for its place in an HTML file.

#include <string>
#include <string_view>

namespace attnlaw::report {

/// Returns the text for element content and quoted attributes, where & < > " ' have become references.
std::string escape_html(std::string_view text);

/// Returns what stands between double quotes as the value of an attribute, and is read as this text to the byte: & and
/// " alone have become references, and nothing that looks like the escape of a byte is changed.
std::string escape_attribute(std::string_view text);

/// Returns the JSON text for a <script>, where every `<` has become \u003c, so that no `</script` or `<!--` can end or
/// change the element. `json` is a JSON document, where `<` occurs inside strings only.
std::string escape_json_in_script(std::string_view json);

}  // namespace attnlaw::report
