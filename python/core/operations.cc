#include "operations.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attnlaw/base/fields/schema.h"
#include "attnlaw/base/file.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/checkpoint/open_contents.h"
#include "attnlaw/model/problem.h"
#include "attnlaw/operations/grid_options.h"
#include "attnlaw/operations/inspect.h"
#include "attnlaw/operations/operation.h"
#include "attnlaw/report/escape.h"
#include "attnlaw/report/table.h"
#include "attnlaw/study/store/schema.h"
#include "attnlaw/view/page_file.h"
#include "call.h"
#include "document.h"
#include "tensors.h"

namespace attnlaw::python {
namespace {

namespace nb = nanobind;
using nlohmann::json;

/// How a call is run, beside its options.
struct Calling {
  int threads = 0;
  std::string html;  ///< where a page goes; empty: nowhere

  operations::Run run(const std::function<void(const std::string&, int, int)>& progress) const {
    operations::Run run;
    run.threads = threads;
    run.draw = !html.empty();
    run.page_path = html;
    run.progress = progress;
    if (progress)
      run.study_progress = [progress](const std::string& label, const study::RunProgress& at) {
        progress(label, static_cast<int>(at.reused + at.done), static_cast<int>(at.total));
      };
    return run;
  }
};

view::Result run_one(const operations::Operation& operation, const json& options, const operations::Run& run) {
  if (run.draw) base::require_writable(run.page_path);
  return operation.run(options, run);
}

/// What `compute` gives, interruptibly, with its page written where one is wanted; `call` makes it again.
template <class Compute>
view::Result computed(const operations::Run& run, const std::string& call, const Compute& compute) {
  std::optional<view::Result> result;
  run_interruptibly([&] {
    result = compute();
    if (run.draw && result->page) view::write_page(std::move(*result->page), result->warnings, run.page_path, call);
  });
  return std::move(*result);
}

view::Result run(const std::string& name, nb::dict options, int threads, nb::object progress, const std::string& html,
                 const std::string& call) {
  const operations::Operation& operation = operations::find(name);
  const json given = from_python(options, "options");
  const operations::Run run = Calling{threads, html}.run(progress_to(std::move(progress)));
  return computed(run, call, [&] { return run_one(operation, given, run); });
}

/// `inspect` for weights in memory; `options` are those of the operation, with a checkpoint that names the weights.
view::Result inspect(nb::list tensors, nb::object config, nb::dict options, int threads, nb::object progress,
                     const std::string& html, const std::string& call) {
  using operations::Inspect;
  const json given = from_python(options, "options"), configuration = from_python(config, "config");
  const operations::Run run =
      operations::with_options(Calling{threads, html}.run(progress_to(std::move(progress))), given);
  const Inspect::Input input = operations::read<Inspect>(operations::own_options(given));
  const checkpoint::Model model = checkpoint::open_contents(contents_of(tensors), configuration, input.open);
  return computed(run, call,
                  [&] { return operations::result_of<Inspect>(Inspect::run(input, model, run), given, run); });
}

/// The same operation with many options. Theory alone is spread over the threads, each call on one of them;
/// experiments, which have d, use all threads one after the other.
std::vector<view::Result> run_each(const std::string& name, nb::list options, int threads, nb::object progress) {
  const operations::Operation& operation = operations::find(name);
  const json given = from_python(options, "options");
  const auto report = progress_to(std::move(progress));
  const bool experiments = std::any_of(given.begin(), given.end(), [](const json& one) { return one.contains("d"); });
  const operations::Run run = Calling{experiments ? threads : 1, ""}.run({});
  std::vector<view::Result> results(given.size());
  run_interruptibly([&] {
    base::parallel_for(
        given.size(), experiments ? 1 : threads, [&](std::size_t i) { results[i] = run_one(operation, given[i], run); },
        report ? [&](int done, int total) { report(name, done, total); } : std::function<void(int, int)>());
  });
  return results;
}

nb::object cell_to_python(const report::Cell& cell) {
  if (const auto* number = std::get_if<double>(&cell)) return nb::float_(*number);
  if (const auto* count = std::get_if<long long>(&cell)) return nb::int_(*count);
  if (const auto* text = std::get_if<std::string>(&cell)) return to_python(json(*text));
  return nb::none();
}

/// (names, rows) of a table.
nb::tuple columns_and_rows(const report::Table& table) {
  nb::list names, rows;
  for (const report::Column& column : table.columns) names.append(nb::str(column.name.c_str()));
  for (const auto& row : table.rows) {
    nb::list cells;
    for (const report::Cell& cell : row) cells.append(cell_to_python(cell));
    rows.append(nb::tuple(cells));
  }
  return nb::make_tuple(names, rows);
}

std::string text_of(const view::Result& result) {
  if (result.text) return *result.text;
  std::string text;
  for (const report::Table& table : result.tables) text += (text.empty() ? "" : "\n") + report::text(table);
  return text;
}

/// A page that is whole is shown as one, in a frame of its own, which sees nothing of the notebook and may save files.
std::string framed(const std::string& page) {
  return "<iframe title=\"attnlaw\" sandbox=\"allow-scripts allow-downloads\" style=\"width: 100%; height: 56rem; "
         "border: 0\" srcdoc=\"" +
         report::escape_attribute(page) + "\"></iframe>";
}

std::string html_of(const view::Result& result) {
  if (result.page && !result.page->whole.empty()) return framed(result.page->whole);
  std::string text;
  for (const report::Table& table : result.tables) text += report::html(table);
  return text;
}

/// All operations with their options and results, as `attnlaw schema` has them.
nb::object schema() { return to_python(operations::find("schema").run(json::object(), {}).document); }

/// The whole document of a problem, with the options that it leaves out filled in.
nb::object problem(nb::dict options) {
  return to_python(model::to_json(model::problem_from_json(from_python(options, "options"))));
}

/// The numbers and words of an option that stands for many, as FROM:TO:N:log.
nb::object items_of(const std::string& option, const std::string& text) {
  return to_python(operations::items_of(option, json(text)));
}

nb::object problem_schema() {
  return to_python(base::schema_of(base::detail::description_of<model::Problem>(), base::json_of(model::Problem{})));
}

}  // namespace

void bind_operations(nb::module_& module) {
  using view::Result;
  nb::class_<Result>(module, "Outcome")
      .def_prop_ro("document", [](const Result& r) { return to_python(r.document, Lists::arrays); })
      .def_prop_ro("warnings", [](const Result& r) { return to_python(r.warnings); })
      .def_prop_ro("rows", [](const Result& r) { return columns_and_rows(r.rows.table()); })
      .def_prop_ro("text", [](const Result& r) { return to_python(text_of(r)); })
      .def_prop_ro("html", [](const Result& r) { return to_python(html_of(r)); })
      .def_prop_ro("converged", [](const Result& r) { return r.converged; });
  module.def("run", &run, nb::arg("name"), nb::arg("options"), nb::arg("threads"), nb::arg("progress").none(),
             nb::arg("html"), nb::arg("call"));
  module.def("inspect", &inspect, nb::arg("tensors"), nb::arg("config").none(), nb::arg("options"), nb::arg("threads"),
             nb::arg("progress").none(), nb::arg("html"), nb::arg("call"));
  module.def("run_each", &run_each, nb::arg("name"), nb::arg("options"), nb::arg("threads"),
             nb::arg("progress").none());
  module.def("operation_names", &operations::names);
  module.def("schema", &schema);
  module.def("problem", &problem, nb::arg("options"));
  module.def("problem_schema", &problem_schema);
  module.def("items_of", &items_of, nb::arg("option"), nb::arg("text"));
  module.def("available_threads", &base::available_threads);
  module.def("store_version", [] { return study::schema_steps().size(); });
}

}  // namespace attnlaw::python
