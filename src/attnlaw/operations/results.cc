#include "attnlaw/operations/results.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "attnlaw/base/json_text.h"
#include "attnlaw/base/names.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/view/figure/numbers.h"

namespace attnlaw::operations {
namespace {

using base::reject;
using nlohmann::json;
using study::Store;

/// The columns that were asked for, in that order; they are there.
Store::Rows pick(const Store::Rows& all, const std::vector<std::string>& columns) {
  std::vector<std::size_t> indices;
  Store::Rows picked;
  for (const std::string& given : columns) {
    const std::string& name = picked.columns.emplace_back(base::snake_case(given));
    const auto found = std::find(all.columns.begin(), all.columns.end(), name);
    indices.push_back(static_cast<std::size_t>(found - all.columns.begin()));
  }
  for (const auto& row : all.rows) {
    auto& cells = picked.rows.emplace_back();
    for (const std::size_t i : indices) cells.push_back(row[i]);
  }
  return picked;
}

/// A figure of a result that has no column: by its path in the document ("spectrum.outliers"), or by the name that
/// charts know it by ("stable_rank"). Null where the result has none.
json nested(const json& figures, const std::string& name) {
  if (figures.is_null()) return {};
  if (const json* value = view::find_value(figures, name); value && !value->is_number())
    return value->is_structured() ? json(base::json_text(*value)) : *value;
  const std::optional<double> number = view::find_number(figures, name);
  return number ? json(*number) : json();
}

/// Adds columns of these figures, as far as they are none yet and some result has them.
void add_nested(const Store& store, const std::vector<std::string>& names, Store::Rows& rows) {
  const auto key = std::find(rows.columns.begin(), rows.columns.end(), "key") - rows.columns.begin();
  std::vector<std::string> missing;
  for (const std::string& given : names)
    if (const std::string name = base::snake_case(given);
        std::find(rows.columns.begin(), rows.columns.end(), name) == rows.columns.end())
      missing.push_back(name);
  if (missing.empty()) return;
  std::vector<std::vector<json>> columns(missing.size());
  for (const auto& row : rows.rows) {
    const auto outcome = store.find(row[static_cast<std::size_t>(key)], false);
    for (std::size_t i = 0; i < missing.size(); ++i)
      columns[i].push_back(outcome ? nested(outcome->figures, missing[i]) : json());
  }
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (std::all_of(columns[i].begin(), columns[i].end(), [](const json& value) { return value.is_null(); })) continue;
    rows.columns.push_back(missing[i]);
    for (std::size_t k = 0; k < rows.rows.size(); ++k) rows.rows[k].push_back(columns[i][k]);
  }
}

/// The names without the minus of a descending order.
std::vector<std::string> plain(std::vector<std::string> order) {
  for (std::string& name : order)
    if (name.starts_with('-')) name.erase(0, 1);
  return order;
}

/// Throws std::invalid_argument for a name that is neither a column nor a figure of some result; what was probably
/// meant may be either.
void require_columns(const char* option, const std::vector<std::string>& names, const Store& store,
                     const Store::Rows& rows) {
  const auto has = [&](const std::string& name) {
    return std::find(rows.columns.begin(), rows.columns.end(), name) != rows.columns.end();
  };
  for (const std::string& given : names) {
    const std::string name = base::snake_case(given);
    if (has(name)) continue;
    std::vector<std::string> meant = rows.columns;
    const auto key = static_cast<std::size_t>(std::find(meant.begin(), meant.end(), "key") - meant.begin());
    for (const auto& row : rows.rows)
      if (const auto outcome = store.find(row[key], false); outcome && !outcome->figures.is_null())
        for (std::string& figure : view::figure_names(outcome->figures))
          if (std::find(meant.begin(), meant.end(), figure) == meant.end()) meant.push_back(std::move(figure));
    reject("{} takes columns ({}) and figures of the results, got '{}'{}", option, fmt::join(rows.columns, ", "), given,
           base::suggestion(name, meant));
  }
}

/// Sorts rows; what is missing comes last.
void sort_rows(const std::vector<std::string>& order, Store::Rows& rows) {
  const std::vector<std::string> names = plain(order);
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::string name = base::snake_case(names[i]);
    columns.push_back(
        static_cast<std::size_t>(std::find(rows.columns.begin(), rows.columns.end(), name) - rows.columns.begin()));
  }
  std::stable_sort(rows.rows.begin(), rows.rows.end(), [&](const auto& a, const auto& b) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const json &left = a[columns[i]], &right = b[columns[i]];
      if (left == right) continue;
      if (left.is_null() || right.is_null()) return right.is_null();
      return order[i].starts_with('-') ? right < left : left < right;
    }
    return false;
  });
}

Results::Listing listing_of(const Store& store, const Results::Input& input) {
  Store::Rows all = store.select(input.where);
  const std::size_t columns = all.columns.size();
  add_nested(store, input.columns, all);
  add_nested(store, plain(input.order), all);
  require_columns("--columns", input.columns, store, all);
  require_columns("--order", plain(input.order), store, all);
  sort_rows(input.order, all);
  const Store::Rows picked = input.columns.empty() ? all : pick(all, input.columns);
  // Without being asked for, figures that rows were sorted by are no columns of their own.
  all.columns.resize(columns);
  for (auto& row : all.rows) row.resize(columns);
  return {all, input.columns.empty() ? all : picked, !input.columns.empty(), view::summarise(all)};
}

/// The whole key that begins like this. Throws std::invalid_argument unless there is exactly one.
std::string complete_key(const Store& store, const std::string& beginning) {
  // 'g' follows every hexadecimal digit.
  const Store::Rows found = store.select(fmt::format("key >= '{0}' AND key < '{0}g'", beginning));
  if (found.rows.empty()) reject("no key of this store begins with '{}'", beginning);
  if (found.rows.size() > 1)
    reject("{} keys of this store begin with '{}': give more digits", found.rows.size(), beginning);
  return found.rows.front().front();
}

const std::vector<double>& require_array(const study::Outcome& outcome, const std::string& name) {
  if (const auto* values = outcome.array(name)) return *values;
  std::vector<std::string> names;
  for (const study::Array& array : outcome.arrays) names.push_back(array.name);
  reject("this result has no array '{}'; it has {}", name,
         names.empty() ? std::string("none") : fmt::format("{}", fmt::join(names, ", ")));
}

Results::Whole whole_of(const Store& store, const std::string& key, const study::Outcome& outcome) {
  const Store::Rows row = pick(store.select(fmt::format("key = '{}'", key)), {"code", "finished"});
  json arrays = json::object();
  for (const study::Array& array : outcome.arrays) arrays[array.name] = array.values;
  return {row.rows.front()[0],
          row.rows.front()[1],
          store.task(key).value(),
          outcome.status,
          outcome.error.empty() ? std::nullopt : std::optional(outcome.error),
          outcome.figures,
          arrays,
          outcome.seconds};
}

/// What goes with one result excludes what goes with many.
void require_consistent(const Results::Input& input) {
  if (!input.array.empty() && input.key.empty()) reject("--array needs --key KEY, the result whose array it is");
  if (input.key.empty()) return;
  if (input.key.find_first_not_of("0123456789abcdef") != std::string::npos)
    reject("--key takes hexadecimal digits, got '{}'", input.key);
  if (!input.where.empty() || !input.columns.empty() || !input.order.empty())
    reject("--key shows one result: leave out --where, --columns and --order");
}

}  // namespace

const base::Description& describe(const Results::Input*) {
  using I = Results::Input;
  static const base::Description description{
      "a store and what to show of it",
      {base::field("store", &I::store,
                   {.doc = "the store", .required = true, .value_name = "FILE", .positional = true}),
       base::field("where", &I::where,
                   {.doc = "rows for which this SQL expression on the columns holds",
                    .otherwise = "all",
                    .value_name = "EXPR"}),
       base::field(
           "columns", &I::columns,
           {.doc = "columns to print, in this order; also figures by the names that charts know, as stable_rank, "
                   "or by their place in the document, as spectrum.outliers",
            .otherwise = "all",
            .value_name = "NAME[,NAME...]"}),
       base::field("order", &I::order,
                   {.doc = "sort by these columns; a minus before one for the largest first",
                    .otherwise = "as computed",
                    .value_name = "[-]NAME[,...]"}),
       base::field("key", &I::key,
                   {.doc = "one whole result as JSON; KEY may be the beginning of a key", .value_name = "KEY"}),
       base::field("array", &I::array,
                   {.doc = "with key: the numbers of an array, one a line", .value_name = "NAME"})}};
  return description;
}

const base::Description& describe(const Results::Listing*) {
  using L = Results::Listing;
  static const base::Description description{
      "rows of the store",
      {base::custom<L>("columns", base::type_of<std::vector<std::string>>(),
                       [](const L& listing) { return json(listing.picked.columns); }, nullptr,
                       {.doc = "names, in order"}),
       base::custom<L>("rows", base::type_of<std::vector<json>>(),
                       [](const L& listing) { return view::rows_json(listing.picked); }, nullptr,
                       {.doc = "an object for every row"}),
       base::field("summary", &L::summary, {.doc = "how many results of which status and code"})}};
  return description;
}

const base::Description& describe(const Results::Whole*) {
  using W = Results::Whole;
  static const base::Description description{
      "one whole result",
      {base::field("code", &W::code, {.doc = "code version that computed it"}),
       base::field("finished", &W::finished, {.doc = "when, UTC"}), base::field("task", &W::task, {.doc = "its task"}),
       base::field("status", &W::status, {.doc = "converged, unconverged or failed"}),
       base::field("error", &W::error, {.doc = "what it failed of; null otherwise"}).nullable(),
       base::field("figures", &W::figures, {.doc = "what came out"}),
       base::field("arrays", &W::arrays, {.doc = "its arrays, by name"}),
       base::field("seconds", &W::seconds, {.unit = "s", .doc = "wall time"})}};
  return description;
}

const base::Description& describe(const Results::Values*) {
  using V = Results::Values;
  static const base::Description description{"an array of a result",
                                             {base::field("array", &V::array, {.doc = "its name"}),
                                              base::field("values", &V::values, {.doc = "its numbers"})}};
  return description;
}

const base::Description& describe(const Results::Output*) {
  using O = Results::Output;
  static const base::Description description{
      "rows of the store, or with key one result",
      {base::field("store", &O::store, {.doc = "path of the store"}), base::flat(&O::listing),
       base::field("key", &O::key, {.doc = "whole key of the result"}), base::flat(&O::whole), base::flat(&O::values)}};
  return description;
}

Results::Input Results::read(const json& options) {
  if (options.value("store", "").empty()) reject("results needs a store: attnlaw results STORE");
  Input input;
  base::read(options, input, "options of results");
  require_consistent(input);
  return input;
}

Results::Output Results::run(const Input& input, const Run&) try {
  const Store store(input.store, Store::Access::read);
  if (input.key.empty()) return {input.store, listing_of(store, input), {}, {}, {}};
  const std::string key = complete_key(store, input.key);
  const study::Outcome outcome = store.find(key).value();
  if (!input.array.empty()) return {input.store, {}, key, {}, Values{input.array, require_array(outcome, input.array)}};
  return {input.store, {}, key, whole_of(store, key, outcome), {}};
} catch (const json::exception& error) {
  // A value of another type than attnlaw writes, in a file that SQLite itself finds in order.
  throw study::StoreError(
      fmt::format("cannot use the store '{}': it holds a result that attnlaw has not written: {}; see 'Damaged stores' "
                  "in docs/store.md",
                  input.store, error.what()));
}

view::Result Results::show(const Output& output, const Run&) {
  if (const auto& listing = output.listing) {
    report::Table rows = view::results_table(listing->picked);
    return {.tables = {listing->chosen ? rows : view::overview(listing->all)},
            .rows = rows,
            .note = view::text(listing->summary)};
  }
  if (output.values) {
    report::Table column{"", {{output.values->array}}};
    std::string text;
    for (const double value : output.values->values) {
      column.rows.push_back({value});
      text += fmt::format("{}\n", value);
    }
    return {.rows = column, .text = text};
  }
  return {.document_alone = "--key prints JSON: --format csv needs --array NAME beside it"};
}

}  // namespace attnlaw::operations
