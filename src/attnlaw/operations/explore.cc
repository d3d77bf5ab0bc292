#include "attnlaw/operations/explore.h"

#include <fmt/format.h>

#include <stdexcept>

#include "attnlaw/base/json_text.h"
#include "attnlaw/report/assets.h"
#include "attnlaw/report/escape.h"
#include "attnlaw/view/columns.h"

namespace attnlaw::operations {
namespace {

/// The page, beginning at a problem if there is one.
std::string page_at(const std::optional<model::Problem>& problem) {
  if (report::explorer_page().empty())
    throw std::runtime_error(
        "this build of attnlaw has no explorer: it was made without Emscripten; run scripts/setup explorer and build "
        "again");
  std::string page(report::explorer_page());
  if (!problem) return page;
  constexpr std::string_view kBefore = "id=\"start\">", kNothing = "null";
  const std::size_t at = page.find(kBefore);
  if (at == std::string::npos) throw std::logic_error("the explorer has no place for a problem to start from");
  return page.replace(at + kBefore.size(), kNothing.size(),
                      report::escape_json_in_script(base::json_text(model::to_json(*problem))));
}

/// What the page cannot read: it has no files, and no functions of this process.
void require_readable_by_a_page(const model::Problem& problem) {
  if (problem.custom_loss || problem.custom_penalty)
    throw std::invalid_argument("explore: a page cannot call losses and penalties of your own; use solve");
  const std::string target = problem.target.spec();
  if (target.starts_with("file:"))
    throw std::invalid_argument(fmt::format("explore: a page has no files, got target {}; use solve", target));
}

}  // namespace

const base::Description& describe(const Explore::Input*) {
  static const base::Description description{
      "a problem to begin with",
      {problem_field(&Explore::Input::problem,
                     {{"alpha", "an example of the page"}, {"lambda", "0.05 beside others"}})}};
  return description;
}

const base::Description& describe(const Explore::Output*) {
  using O = Explore::Output;
  static const base::Description description{
      "where the page is",
      {base::field("problem", &O::problem, {.doc = "which it begins with; absent: an example of its own"})
           .when([](const O& output) { return output.problem.has_value(); }),
       base::field("html", &O::html, {.doc = "where the page is"}),
       base::figure_of<O>("bytes", [](const O& output) { return output.page.size(); }, {.doc = "its size"})}};
  return description;
}

Explore::Input Explore::read(const nlohmann::json& options) {
  Input input = read_with_problem<Input>(options, about.name, {{"alpha", 1}, {"lambda", 0.05}});
  input.given = !options.empty();
  require_readable_by_a_page(input.problem.problem);
  return input;
}

Explore::Output Explore::run(const Input& input, const Run& run) {
  Output output;
  if (input.given) output.problem = input.problem.problem;
  output.html = run.page_path;
  output.page = page_at(output.problem);
  return output;
}

view::Result Explore::show(const Output& output, const Run&) {
  report::Table table{"", {{"html"}, {"bytes"}}};
  view::add(table, output.html, output.page.size());
  return {.tables = {table},
          .rows = table,
          .note = output.html.empty() ? "" : "Open it in a browser: " + output.html,
          .page = report::Page{.title = "", .lead = "", .whole = output.page},
          .names_page = true};
}

}  // namespace attnlaw::operations
