#include "attnlaw/operations/results.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "attnlaw/base/names.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::operations {
namespace {

using base::reject;
using nlohmann::json;
using study::Store;

/// The columns that were asked for, in that order. Throws std::invalid_argument for one that there is not.
Store::Rows pick(const Store::Rows& all, const std::vector<std::string>& columns) {
  std::vector<std::size_t> indices;
  Store::Rows picked;
  for (const std::string& given : columns) {
    const std::string& name = picked.columns.emplace_back(base::snake_case(given));
    const auto found = std::find(all.columns.begin(), all.columns.end(), name);
    base::require_among(name, all.columns, fmt::format("--columns takes names of columns, got '{}'", given));
    indices.push_back(static_cast<std::size_t>(found - all.columns.begin()));
  }
  for (const auto& row : all.rows) {
    auto& cells = picked.rows.emplace_back();
    for (const std::size_t i : indices) cells.push_back(row[i]);
  }
  return picked;
}

Results::Listing listing_of(const Store& store, const Results::Input& input) {
  const Store::Rows all = store.select(input.where);
  return {all, input.columns.empty() ? all : pick(all, input.columns), !input.columns.empty(), view::summarise(all)};
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
  if (!input.where.empty() || !input.columns.empty()) reject("--key shows one result: leave out --where and --columns");
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
       base::field("columns", &I::columns,
                   {.doc = "columns to print, in this order", .otherwise = "all", .value_name = "NAME[,NAME...]"}),
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
