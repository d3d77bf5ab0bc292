#include "attnlaw/operations/grid_options.h"

#include "attnlaw/base/fields/text.h"
#include "attnlaw/base/numbers.h"

namespace attnlaw::operations {

std::vector<double> grid_from_text(const std::string& option, const std::string& text, study::Spacing spacing,
                                   int least) {
  const std::vector<std::string_view> parts = base::split(text, ',');
  if (parts.size() != 3) base::reject("{} takes FROM,TO,N, as in 0.1,2,20; got '{}'", option, text);
  const int count = base::integer_from_text("N of " + option, parts[2]);
  if (count < least) base::reject("N of {} must be at least {}, got {}", option, least, count);
  const double from = base::number_from_text("FROM of " + option, parts[0]);
  const double to = base::number_from_text("TO of " + option, parts[1]);
  try {
    return study::grid(from, to, count, spacing);
  } catch (const std::invalid_argument& error) {
    base::reject("{} '{}': {}", option, text, error.what());
  }
}

namespace {

/// FROM:TO:N[:log] as numbers.
std::vector<double> span_from_text(const std::string& option, std::string_view text) {
  const std::vector<std::string_view> parts = base::split(text, ':');
  const bool logarithmic = parts.size() == 4 && parts[3] == "log";
  if (parts.size() != 3 && !logarithmic) base::reject("{} takes FROM:TO:N or FROM:TO:N:log, got '{}'", option, text);
  try {
    return study::grid(base::number_from_text("FROM", parts[0]), base::number_from_text("TO", parts[1]),
                       base::integer_from_text("N", parts[2]),
                       logarithmic ? study::Spacing::geometric : study::Spacing::linear);
  } catch (const std::invalid_argument& error) {
    base::reject("{} '{}': {}", option, text, error.what());
  }
}

}  // namespace

base::Type many() {
  return {base::Kind::list, {}, nullptr, std::make_shared<const base::Type>(base::Type{base::Kind::value})};
}

std::vector<nlohmann::json> items_of(const std::string& option, const nlohmann::json& value) {
  std::vector<nlohmann::json> items;
  if (value.is_array()) {
    for (const nlohmann::json& item : value)
      for (nlohmann::json& one : items_of(option, item)) items.push_back(std::move(one));
    return items;
  }
  if (!value.is_string()) return {value};
  for (const std::string_view item : base::split(value.get_ref<const std::string&>(), ',')) {
    if (item.find(':') != std::string_view::npos)
      for (const double number : span_from_text(option, item)) items.emplace_back(number);
    else if (const auto number = base::number_in<double>(item))
      items.emplace_back(*number);
    else
      items.emplace_back(std::string(item));
  }
  return items;
}

}  // namespace attnlaw::operations
