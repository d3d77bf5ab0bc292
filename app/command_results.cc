#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "attnlaw/study/store/store.h"
#include "attnlaw/view/results.h"
#include "commands.h"
#include "output.h"

namespace attnlaw::legacy {

using namespace view;
namespace {

using nlohmann::json;
using study::Store;

json document_of(const std::string& store) {
  return {{"schema", "attnlaw/2"}, {"command", "results"}, {"store", store}};
}

/// The columns that were asked for, in that order. Throws std::invalid_argument for one that there is not.
Store::Rows pick(const Store::Rows& all, const std::vector<std::string>& columns) {
  std::vector<std::size_t> indices;
  for (const std::string& name : columns) {
    const auto found = std::find(all.columns.begin(), all.columns.end(), name);
    if (found == all.columns.end())
      throw std::invalid_argument(fmt::format("--columns takes {}; got '{}'", fmt::join(all.columns, ", "), name));
    indices.push_back(static_cast<std::size_t>(found - all.columns.begin()));
  }
  Store::Rows picked{columns, {}};
  for (const auto& row : all.rows) {
    auto& cells = picked.rows.emplace_back();
    for (const std::size_t i : indices) cells.push_back(row[i]);
  }
  return picked;
}

int list(const ResultsArguments& arguments, const Store& store) {
  const Store::Rows all = store.select(arguments.where);
  const Store::Rows picked = arguments.columns.empty() ? all : pick(all, arguments.columns);
  const ResultsSummary summary = summarise(all);
  json document = document_of(arguments.store);
  document["columns"] = picked.columns;
  document["rows"] = rows_json(picked);
  document["summary"] = to_json(summary);
  emit(arguments.common, {{arguments.columns.empty() ? overview(all) : results_table(picked)},
                          document,
                          results_table(picked),
                          {},
                          text(summary)});
  return 0;
}

/// The whole key that begins like this. Throws std::invalid_argument unless there is exactly one.
std::string complete_key(const Store& store, const std::string& beginning) {
  // 'g' follows every hexadecimal digit.
  const Store::Rows found = store.select(fmt::format("key >= '{0}' AND key < '{0}g'", beginning));
  if (found.rows.empty()) throw std::invalid_argument(fmt::format("no key of this store begins with '{}'", beginning));
  if (found.rows.size() > 1)
    throw std::invalid_argument(
        fmt::format("{} keys of this store begin with '{}': give more digits", found.rows.size(), beginning));
  return found.rows.front().front();
}

const std::vector<double>& require_array(const study::Outcome& outcome, const std::string& name) {
  if (const auto* values = outcome.array(name)) return *values;
  std::vector<std::string> names;
  for (const study::Array& array : outcome.arrays) names.push_back(array.name);
  throw std::invalid_argument(
      fmt::format("this result has no array '{}'; it has {}", name,
                  names.empty() ? std::string("none") : fmt::format("{}", fmt::join(names, ", "))));
}

int show_array(const ResultsArguments& arguments, const std::string& key, const study::Outcome& outcome) {
  const std::vector<double>& values = require_array(outcome, arguments.array);
  if (arguments.common.format == Format::table) {
    std::string text;
    for (const double value : values) text += fmt::format("{}\n", value);
    emit_text(arguments.common, text);
    return 0;
  }
  json document = document_of(arguments.store);
  document.update({{"key", key}, {"array", arguments.array}, {"values", values}});
  report::Table column{"", {{arguments.array}}};
  for (const double value : values) column.rows.push_back({value});
  emit(arguments.common, {{}, document, column});
  return 0;
}

int show(const ResultsArguments& arguments, const Store& store) {
  const std::string key = complete_key(store, arguments.key);
  const study::Outcome outcome = store.find(key).value();
  if (!arguments.array.empty()) return show_array(arguments, key, outcome);
  const Store::Rows row = pick(store.select(fmt::format("key = '{}'", key)), {"code", "finished"});
  json document = document_of(arguments.store);
  document.update({{"key", key},
                   {"code", row.rows.front()[0]},
                   {"finished", row.rows.front()[1]},
                   {"task", store.task(key).value()},
                   {"status", study::name(outcome.status)},
                   {"error", outcome.error.empty() ? json() : json(outcome.error)},
                   {"figures", outcome.figures},
                   {"arrays", json::object()},
                   {"seconds", outcome.seconds}});
  for (const study::Array& array : outcome.arrays) document["arrays"][array.name] = array.values;
  Common as_json = arguments.common;
  as_json.format = Format::json;
  emit(as_json, {{}, document, {}});
  return 0;
}

}  // namespace

int run(const ResultsArguments& arguments) {
  require_outputs(arguments.common);
  const Store store(arguments.store, Store::Access::read);
  return arguments.key.empty() ? list(arguments, store) : show(arguments, store);
}

}  // namespace attnlaw::legacy
