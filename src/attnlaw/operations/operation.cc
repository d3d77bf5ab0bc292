#include "attnlaw/operations/operation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "attnlaw/base/file.h"
#include "attnlaw/base/names.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/model/problem_file.h"
#include "attnlaw/study/run/cost.h"
#include "attnlaw/study/task.h"

namespace attnlaw::operations {
namespace {

constexpr const char* kSchema = "attnlaw/2";

/// "--seed, --accuracy".
std::string with_dashes(std::vector<std::string> names) {
  for (std::string& name : names) name = "--" + base::dashed(name);
  return fmt::format("{}", fmt::join(names, ", "));
}

/// What a page without a problem is of: the options as they were given, which make it again.
void add_options(report::Page& page, const About& about, const nlohmann::json& options) {
  nlohmann::json kept = own_options(options);
  if (options.contains("seed")) kept["seed"] = options["seed"];
  page.input_name = std::string(about.name) + ".toml";
  page.input += fmt::format("# In Python: attnlaw.{}(**tomllib.load(open(\"{}\", \"rb\")))\n{}",
                            base::snake_case(about.name), page.input_name, model::toml_of(kept));
}

}  // namespace

const base::Description& describe(const Run*) {
  static const base::Description description{
      "what every operation may be told",
      {base::field("threads", &Run::threads,
                   {.range = {0}, .doc = "threads to use; 0: all", .accepts = "0 (all) or more"}),
       base::field("seed", &Run::seed, {.doc = "key of all random numbers of experiments"})}};
  return description;
}

std::function<void(int, int)> progress_of(const Run& run, const std::string& label) {
  if (!run.progress) return {};
  run.progress(label, 0, 0);
  return [&run, label](int done, int total) { run.progress(label, done, total); };
}

void announce(const Run& run, const std::string& label, const study::Task& task, int times, int threads) {
  constexpr double kWorthSaying = 2;
  const double seconds = study::estimated_seconds(task) * times / threads;
  if (run.expected && seconds >= kWorthSaying) run.expected(label, seconds);
}

nlohmann::json own_options(nlohmann::json options) {
  for (const std::string& name : base::field_names(describe(static_cast<Run*>(nullptr)))) options.erase(name);
  return options;
}

void require_names(const nlohmann::json& options, const base::Description& input, const About& about) {
  const std::vector<std::string> accepted = base::field_names(input);
  for (const auto& [name, value] : options.items())
    base::require_known(name, accepted, fmt::format("options of {}", about.name));
}

view::Warnings without_effect(const nlohmann::json& options, const std::vector<std::string>& names) {
  std::vector<std::string> given;
  std::copy_if(names.begin(), names.end(), std::back_inserter(given),
               [&](const std::string& name) { return options.contains(name); });
  if (given.empty()) return {};
  return {fmt::format("Without effect here: {}.", with_dashes(given))};
}

void mark_interrupted(view::Result& result) {
  result.document["interrupted"] = result.interrupted;
  result.warnings.insert(result.warnings.begin(),
                         fmt::format("Interrupted {}: the rest is missing.", result.interrupted));
  result.page.reset();
}

std::string unread_text(const Operation& operation) {
  const std::vector<std::string>& names = operation.unread_alone;
  return names.empty() ? "" : fmt::format("Without effect unless other options need them: {}.", with_dashes(names));
}

void refuse_beside(const char* flag, const nlohmann::json& options, const std::vector<std::string>& accepted) {
  std::vector<std::string> surplus;
  for (const auto& [name, value] : options.items())
    if (name != flag && std::find(accepted.begin(), accepted.end(), name) == accepted.end())
      surplus.push_back("--" + base::dashed(name));
  if (!surplus.empty()) base::reject("--{} runs nothing: leave out {}", flag, fmt::join(surplus, ", "));
}

Run with_options(Run run, const nlohmann::json& options) {
  nlohmann::json own = nlohmann::json::object();
  for (const std::string& name : base::field_names(describe(&run)))
    if (options.contains(name)) own[name] = options[name];
  base::read(own, run, "the options");
  return run;
}

void add_head(nlohmann::json& document, const About& about) {
  document["schema"] = kSchema;
  document["command"] = about.name;
}

void add_input(view::Result& result, const About& about, const nlohmann::json& options) {
  const auto problem = result.document.find("problem");
  report::Page& page = *result.page;
  if (problem == result.document.end() || !problem->is_object()) {
    if (page.input_name.empty()) add_options(page, about, options);
    return;
  }
  if (const auto target = problem->find("target"); target != problem->end() && target->is_string())
    page.target_hash =
        study::target_hash(model::Target::parse(*target, model::default_problem(*problem).matrix_values()));
  if (!page.input_name.empty()) return;
  if (!page.target_hash.empty()) page.input += fmt::format("# The target has the hash {}.\n", page.target_hash);
  page.input += model::toml_of(model::problem_of_result(*problem));
  page.input_name = "problem.toml";
}

const base::Description& describe(const Nothing*) {
  static const base::Description description{"nothing", {}};
  return description;
}

void refuse(bool refused, const char* message) {
  if (refused) throw std::invalid_argument(message);
}

void make_directory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) throw base::FileError(fmt::format("--directory {} cannot be made: {}", directory, error.message()));
}

const Operation& find(const std::string& name) {
  base::require_among(name, names(), fmt::format("'{}' is not a command", name));
  return *std::find_if(all().begin(), all().end(), [&](const Operation& op) { return op.about.name == name; });
}

}  // namespace attnlaw::operations
