#pragma once
/// Operations: what the program, and every other front door, can be asked for. Each one is a struct of its own file:
///
/// ```c++
/// struct Solve {
///   struct Input { ... };   // described: its fields are the options
///   struct Output { ... };  // described: its fields make up the document
///   static constexpr About about{"solve", "theory at one point", "attnlaw solve --alpha 0.3"};
///   static Output run(const Input& input, const Run& run);
///   static view::Result show(const Output& output, const Run& run);  // all but the document
///
///   // Only where they are needed; options are a document with names in snake_case:
///   static Input read(const nlohmann::json& options);        // checks more than the fields do
///   static void require_run(const nlohmann::json& options);  // refuses options of Run, such as a seed
///   static std::vector<std::string> unread(const nlohmann::json& options);  // names without effect; else: seed
///   static std::vector<std::string> unused(const Output& output);           // the same where only the result tells
///   static constexpr bool threaded = false;              // does nothing that threads would share
///   static bool divides(const nlohmann::json& options);  // processes of mpirun may share the work
/// };
/// ```
///
/// and one line of all() in list.cc.

#include <concepts>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/base/file.h"
#include "attnlaw/study/run/runner.h"
#include "attnlaw/view/result.h"

namespace attnlaw::operations {

/// What every operation may be told beside its own input.
struct Run {
  int threads = 0;             ///< 0: all available; the same results for any number
  std::uint64_t seed = 0;      ///< key of all random numbers of experiments
  bool draw = false;           ///< a page is wanted
  std::string page_path = {};  ///< and where it will stand
  /// Called as progress(label, done, total) while something takes time, one call at a time; may be empty.
  std::function<void(const std::string&, int, int)> progress = {};
  /// Called as expected(label, seconds) before something begins that counts nothing and takes about so long; may be
  /// empty.
  std::function<void(const std::string&, double)> expected = {};
  /// The same as progress for a study.
  std::function<void(const std::string&, const study::RunProgress&)> study_progress = {};
  /// Called with a sentence for whoever waits, at once; may be empty.
  std::function<void(const std::string&)> note = {};
};
const base::Description& describe(const Run*);

/// A progress that names what is done, for those who report (done, total) alone.
std::function<void(int, int)> progress_of(const Run& run, const std::string& label);

/// Announces a task that many threads share, so many times, and that counts nothing before the first of them ends.
void announce(const Run& run, const std::string& label, const study::Task& task, int times = 1, int threads = 1);

struct About {
  const char* name;
  const char* summary;
  const char* example;
  bool draws = false;          ///< there is a page to be asked for
  const char* page_path = "";  ///< where that goes if nobody says; empty: there is a page only on request
  bool curves = false;         ///< options of the problem take several values
};

/// An operation without its types: options in, result out, both as documents.
struct Operation {
  About about;
  const base::Description& (*input)() = nullptr;
  const base::Description& (*output)() = nullptr;
  nlohmann::json defaults;  ///< the options of a default input
  /// Throws std::invalid_argument for options that are not accepted, base::FileError for files that cannot be read.
  std::function<view::Result(const nlohmann::json& options, const Run& run)> run;
  /// Options of Run that never have an effect, or are refused: they are accepted as far as they do no harm, not listed.
  std::vector<std::string> idle;
  /// What of the options that are listed has no effect unless other options need it.
  std::vector<std::string> unread_alone;
  /// Whether the processes of mpirun share the work of these options.
  bool (*divides)(const nlohmann::json& options) = nullptr;
};

/// What an operation must have; see the head of this file.
template <class Op>
concept OperationLike = base::Described<typename Op::Input> && base::Described<typename Op::Output> &&
    requires(const typename Op::Input& input, const typename Op::Output& output, const Run& run) {
  { Op::about } -> std::convertible_to<About>;
  { Op::run(input, run) } -> std::same_as<typename Op::Output>;
  { Op::show(output, run) } -> std::same_as<view::Result>;
};

template <OperationLike Op>
typename Op::Input read(const nlohmann::json& options) {
  if constexpr (requires { Op::read(options); }) {
    return Op::read(options);
  } else {
    typename Op::Input input;
    base::read(options, input, std::string("options of ") + Op::about.name);
    return input;
  }
}

/// Options without those of Run, which have been read.
nlohmann::json own_options(nlohmann::json options);
/// Throws std::invalid_argument for a name that the options of the command do not have, before anything is read: not
/// that the option is missing which it was meant for.
void require_names(const nlohmann::json& options, const base::Description& input, const About& about);
/// "Without effect here: --alpha, --seed." for those of the names that stand in the options; nothing if none do.
view::Warnings without_effect(const nlohmann::json& options, const std::vector<std::string>& names);
/// "Without effect unless other options need them: --alpha." for a help; empty if there is nothing to say.
std::string unread_text(const Operation& operation);
/// The run with those of its fields that stand among the options.
Run with_options(Run run, const nlohmann::json& options);
/// The head of every document: `schema` and `command`.
void add_head(nlohmann::json& document, const About& about);

/// The problem of a document as a file at the foot of its page, below what stands in `input` without a name, unless the
/// page has a file. The file of a page without a problem has these options.
void add_input(view::Result& result, const About& about, const nlohmann::json& options);

/// Says in document and warnings that the result is not whole, and takes its page away.
void mark_interrupted(view::Result& result);

/// Tells whether random numbers may come in: such an operation says when they do not.
template <OperationLike Op>
constexpr bool is_seeded() {
  return requires(const nlohmann::json& options) { Op::unread(options); }
  || requires(const typename Op::Output& output) { Op::unused(output); };
}

/// The options of Run that have no effect whatever stands beside them.
template <OperationLike Op>
std::vector<std::string> idle_options() {
  std::vector<std::string> idle;
  if constexpr (requires { Op::threaded; }) {
    if (!Op::threaded) idle.emplace_back("threads");
  }
  if constexpr (!is_seeded<Op>()) idle.emplace_back("seed");
  return idle;
}

/// The names of options without effect beside these.
template <OperationLike Op>
std::vector<std::string> unread_beside(const nlohmann::json& options) {
  std::vector<std::string> unread = idle_options<Op>();
  if constexpr (requires { Op::unread(options); })
    for (std::string& name : Op::unread(options)) unread.push_back(std::move(name));
  return unread;
}

/// What an output looks like, with its document, for options as the operation was given them.
template <OperationLike Op>
view::Result result_of(const typename Op::Output& output, const nlohmann::json& options, const Run& run) {
  view::Result result = Op::show(output, run);
  result.document = base::json_of(output);
  add_head(result.document, Op::about);
  if (!result.interrupted.empty()) mark_interrupted(result);
  if (result.page) add_input(result, Op::about, options);
  std::vector<std::string> unread = unread_beside<Op>(options);
  if constexpr (requires { Op::unused(output); }) unread = Op::unused(output);
  for (std::string& line : without_effect(options, unread)) result.warnings.push_back(std::move(line));
  result.document["warnings"] = result.warnings;
  return result;
}

template <OperationLike Op>
Operation make_operation() {
  Operation operation{Op::about,
                      &base::detail::description_of<typename Op::Input>,
                      &base::detail::description_of<typename Op::Output>,
                      base::json_of(typename Op::Input{}),
                      {},
                      idle_options<Op>(),
                      {},
                      nullptr};
  // Of some the result tells what had no effect.
  if constexpr (requires { Op::unread(operation.defaults); })
    operation.unread_alone = Op::unread(nlohmann::json::object());
  operation.run = [](const nlohmann::json& given, const Run& run_without) {
    const base::ReadOnceScope inputs;
    const nlohmann::json options = base::in_snake_case(given, "options");
    const Run run = with_options(run_without, options);
    // What is wrong with options of Run, which read does not see.
    if constexpr (requires { Op::require_run(options); }) Op::require_run(options);
    const nlohmann::json own = own_options(options);
    require_names(own, base::detail::description_of<typename Op::Input>(), Op::about);
    return result_of<Op>(Op::run(read<Op>(own), run), options, run);
  };
  if constexpr (requires { Op::divides(operation.defaults); }) operation.divides = &Op::divides;
  return operation;
}

// What several operations need.

/// An input without options.
struct Nothing {};
const base::Description& describe(const Nothing*);
/// Throws std::invalid_argument with the message if options do not go together.
void refuse(bool refused, const char* message);
/// Throws std::invalid_argument that names the options beside `flag`, which stands among them, unless they are
/// accepted.
void refuse_beside(const char* flag, const nlohmann::json& options, const std::vector<std::string>& accepted);
/// Makes the folder of an option --directory, and those it stands in. Throws base::FileError.
void make_directory(const std::string& directory);

/// All operations, in the order in which a help lists them.
const std::vector<Operation>& all();
std::vector<std::string> names();
/// Throws std::invalid_argument with the nearest name, and all of them.
const Operation& find(const std::string& name);

}  // namespace attnlaw::operations
