#include "attnlaw/operations/common_options.h"

#include <algorithm>

#include "attnlaw/base/fields/text.h"
#include "attnlaw/operations/problem_grid.h"

namespace attnlaw::operations {
namespace {

void add(const base::Description& description, const nlohmann::json& defaults, std::vector<Option>& options) {
  base::for_each_field(description, [&](const base::Field& field) { options.push_back({&field, &defaults}); });
}

bool is_of_problem(const base::Field& field) {
  return base::find_field(base::detail::description_of<model::Problem>(), field.name) != nullptr;
}

}  // namespace

std::span<const base::Named<Format>> names_table(Format) {
  static constexpr base::Named<Format> kFormats[] = {
      {Format::table, "table"}, {Format::json, "json"}, {Format::csv, "csv"}};
  return kFormats;
}

const base::Description& describe(const CommonOptions*) {
  using C = CommonOptions;
  static const base::Description description{
      "what the program itself is told",
      {base::field("format", &C::format, {.doc = "form of the result"}),
       base::field("output", &C::output,
                   {.doc = "write the result to FILE, whole or not at all", .value_name = "FILE"}),
       base::field("quiet", &C::quiet, {.doc = "no progress bar, and no warnings beside CSV or a text"})}};
  return description;
}

const base::Description& describe(const SharedOptions*) {
  static const base::Description description{"options that every command takes",
                                             {base::flat(&SharedOptions::program), base::flat(&SharedOptions::run)}};
  return description;
}

const base::Description& describe(const PageOptions*) {
  static const base::Description description{
      "the page of an operation",
      {base::field("html", &PageOptions::html, {.doc = "write a report with charts", .value_name = "FILE"})}};
  return description;
}

std::string Option::value_name() const { return base::value_name(*field) + (many ? "[,...]" : ""); }

nlohmann::json Option::value(const std::string& text) const {
  return many ? values_from_text(*field, text) : base::from_text(*field, text);
}

std::vector<Option> shared_options() {
  static const nlohmann::json defaults = base::json_of(SharedOptions{});
  std::vector<Option> options;
  add(base::detail::description_of<SharedOptions>(), defaults, options);
  return options;
}

Options options_of(const Operation& operation) {
  static const nlohmann::json no_page = base::json_of(PageOptions{});
  Options options;
  add(operation.input(), operation.defaults, options.own);
  for (Option& option : options.own) option.many = operation.about.curves && is_of_problem(*option.field);
  if (operation.about.draws) add(base::detail::description_of<PageOptions>(), no_page, options.own);
  for (const Option& option : shared_options()) {
    const bool idle = std::count(operation.idle.begin(), operation.idle.end(), option.field->name) > 0;
    (idle ? options.idle : options.common).push_back(option);
  }
  return options;
}

}  // namespace attnlaw::operations
