#include "attnlaw/view/results.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "attnlaw/base/counted.h"
#include "attnlaw/base/json_text.h"
#include "attnlaw/view/rows.h"

namespace attnlaw::view {
namespace {

using nlohmann::json;
using report::Table;

/// These columns say what a result is of: once where they are the same in all rows.
constexpr std::string_view kDescribing[] = {
    "kind",  "student",  "head", "tokens",  "attention", "readout",     "labels", "loss",
    "alpha", "lambda",   "beta", "noise",   "target",    "target_hash", "width",  "target_beta",
    "d",     "instance", "seed", "trainer", "precision", "accuracy"};
/// These columns say what came out.
constexpr std::string_view kOutcome[] = {"status",        "train",          "test",        "estimation",
                                         "excess_test",   "sign_error",     "theory_test", "recovery",
                                         "interpolation", "bayes_recovery", "seconds",     "error"};

/// The values of a column are null where there is no such column: stores of older versions have fewer.
std::vector<json> values_of(const study::Store::Rows& rows, std::string_view column) {
  std::vector<json> values(rows.rows.size());
  const auto found = std::find(rows.columns.begin(), rows.columns.end(), column);
  if (found == rows.columns.end()) return values;
  const auto index = static_cast<std::size_t>(found - rows.columns.begin());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = rows.rows[i][index];
  return values;
}

bool all_equal(const std::vector<json>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

std::string word(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? fmt::format("{:.{}g}", value.get<double>(), kFigures) : base::json_text(value);
}

/// Returns the least number of digits, eight or more, that tells all keys apart.
std::size_t telling_digits(const std::vector<json>& keys) {
  constexpr std::size_t kLeast = 8;
  std::vector<std::string> sorted;
  for (const json& key : keys) sorted.push_back(key);
  std::sort(sorted.begin(), sorted.end());
  std::size_t digits = kLeast;
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    const auto differ = std::mismatch(sorted[i - 1].begin(), sorted[i - 1].end(), sorted[i].begin(), sorted[i].end());
    digits = std::max(digits, static_cast<std::size_t>(differ.first - sorted[i - 1].begin()) + 1);
  }
  return digits;
}

/// Returns the first line of each value: messages may go on over several.
std::vector<json> first_lines(std::vector<json> values) {
  for (json& value : values)
    if (value.is_string()) value = value.get<std::string>().substr(0, value.get<std::string>().find('\n'));
  return values;
}

void add_column(Table& table, std::string_view name, const std::vector<json>& values) {
  constexpr int kSecondsFigures = 3;
  report::Column column = general(std::string(name));
  if (name == "seconds") column = {"seconds", "", report::Notation::general, kSecondsFigures};
  table.columns.push_back(column);
  for (std::size_t i = 0; i < values.size(); ++i) table.rows[i].push_back(cell_of(values[i]));
}

bool all_null(const std::vector<json>& values) {
  return std::all_of(values.begin(), values.end(), [](const json& value) { return value.is_null(); });
}

}  // namespace

ResultsSummary summarise(const study::Store::Rows& rows) {
  ResultsSummary summary;
  summary.rows = rows.rows.size();
  for (const json& status : values_of(rows, "status")) ++summary.statuses[status];
  for (const json& code : values_of(rows, "code")) ++summary.codes[code];
  return summary;
}

const base::Description& describe(const ResultsSummary*) {
  using S = ResultsSummary;
  static const base::Description description{
      "how many results there are",
      {base::field("rows", &S::rows, {.doc = "in all"}),
       base::custom<S>("statuses", {base::Kind::object}, [](const S& summary) { return json(summary.statuses); },
                       nullptr, {.doc = "how many of each status"}),
       base::custom<S>("codes", {base::Kind::object}, [](const S& summary) { return json(summary.codes); }, nullptr,
                       {.doc = "how many of each code version"})}};
  return description;
}

std::string text(const ResultsSummary& summary) {
  if (summary.rows == 0) return "0 results";
  const auto status = [](const auto& of) { return fmt::format("{} {}", of.second, of.first); };
  const auto code = [](const auto& of) {
    return fmt::format("{} of code {}{}", of.second, of.first,
                       of.first == study::code_version() ? " (this program)" : "");
  };
  return fmt::format("{}: {}; {}", base::counted(summary.rows, "result"), joined(summary.statuses, status),
                     joined(summary.codes, code));
}

json rows_json(const study::Store::Rows& rows) {
  json documents = json::array();
  for (const auto& row : rows.rows) {
    json& document = documents.emplace_back(json::object());
    for (std::size_t i = 0; i < row.size(); ++i) document[rows.columns[i]] = row[i];
  }
  return documents;
}

Table results_table(const study::Store::Rows& rows) {
  Table table = records(rows.columns);
  for (const auto& row : rows.rows)
    std::transform(row.begin(), row.end(), std::back_inserter(table.rows.emplace_back()), cell_of);
  return table;
}

Table overview(const study::Store::Rows& rows) {
  Table table;
  table.rows.resize(rows.rows.size());
  std::vector<json> keys = values_of(rows, "key");
  const std::size_t digits = telling_digits(keys);
  for (json& key : keys) key = key.get<std::string>().substr(0, digits);
  add_column(table, "key", keys);
  std::vector<std::string> common;
  for (const std::string_view name : kDescribing) {
    const std::vector<json> values = values_of(rows, name);
    if (all_null(values)) continue;
    if (values.size() > 1 && all_equal(values))
      common.push_back(fmt::format("{} {}", name, word(values.front())));
    else
      add_column(table, name, values);
  }
  if (!common.empty()) table.title = fmt::format("All with {}", fmt::join(common, ", "));
  for (const std::string_view name : kOutcome)
    if (const std::vector<json> values = values_of(rows, name); !all_null(values))
      add_column(table, name, first_lines(values));
  return table;
}

}  // namespace attnlaw::view
