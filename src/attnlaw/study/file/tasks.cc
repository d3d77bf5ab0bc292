#include "attnlaw/study/file/tasks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/base/file.h"
#include "attnlaw/base/json_text.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/model/problem_file.h"
#include "attnlaw/study/resolve.h"
#include "attnlaw/theory/scaling.h"
#include "attnlaw/theory/thresholds.h"

namespace attnlaw::study {
namespace {

using Json = nlohmann::json;
using model::LambdaRule;
using model::Problem;
using model::Student;

// ---- errors --------------------------------------------------------------------------------------------------------

/// The position at which `word` stands in `text` by itself; npos if there is none.
std::size_t find_word(const std::string& text, const std::string& word) {
  const auto inside = [&](std::size_t i) {
    return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) || text[i] == '-' || text[i] == '_');
  };
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    if ((at == 0 || !inside(at - 1)) && !inside(at + word.size())) return at;
  return std::string::npos;
}

/// The line of the key that a message names first; that of the part if it names none.
int line_of_fault(const PartRequest& request, const std::string& message) {
  int line = request.line;
  std::size_t first = std::string::npos;
  for (const auto& [key, key_line] : request.lines)
    if (const std::size_t at = find_word(message, key); at < first) first = at, line = key_line;
  return line;
}

/// Calls check(); what it refuses is said with its place in the file.
template <class Check>
auto placed(const SourceFile& file, const PartRequest& request, const Json& coordinates, Check check) {
  const auto refused = [&](const std::string& message) {
    std::vector<std::string> where;
    if (!file.path.empty()) where.push_back("part '" + request.name + "'");
    for (const auto& [key, value] : coordinates.items())
      where.push_back(fmt::format("{} = {}", key, base::json_text(value)));
    return std::invalid_argument(
        file.at(line_of_fault(request, message), fmt::format("{} ({})", message, fmt::join(where, ", "))));
  };
  try {
    return check();
  } catch (const std::invalid_argument& error) {
    throw refused(error.what());
  } catch (const base::FileError& error) {
    throw refused(fmt::format("target: {}", error.what()));
  }
}

// ---- problems ------------------------------------------------------------------------------------------------------

Json completed(Json options, TaskKind kind, bool reads_lambda = false);

/// The α at which α K_eff has the value of its axis.
double ratio_at(const Json& options, const Json& effective) {
  if (!effective.is_number()) base::reject("{} takes numbers, got {}", kEffectiveRatio, base::json_text(effective));
  const Problem problem = model::problem_from_json(completed(options, TaskKind::thresholds));
  return effective.get<double>() / problem.observed_score_count();
}

/// The options of the problem at a point, not checked yet.
Json options_at(const SourceFile& file, const PartRequest& request, const Json& coordinates) {
  Json options = request.problem;
  for (const auto& [key, value] : coordinates.items())
    if (find_field(base::detail::description_of<Problem>(), key)) options[key] = value;
  for (auto& [key, value] : options.items())
    if (value.is_string()) value = substituted(value.get<std::string>(), coordinates);
  // Along students, only those with a penalty have a λ.
  if (options.value("student", Json()) == "bayes") options.erase("lambda");
  options = model::with_target_beside(file.path, std::move(options));
  if (coordinates.contains(kEffectiveRatio))
    placed(file, request, coordinates, [&] { options["alpha"] = ratio_at(options, coordinates[kEffectiveRatio]); });
  return options;
}

/// Options that a kind of task does not read, or has a default of its own for.
Json completed(Json options, TaskKind kind, bool reads_lambda) {
  const bool penalised = options.value("student", Json()) != "bayes";
  if (kind == TaskKind::thresholds || kind == TaskKind::scaling) options["alpha"] = 1;
  if (kind == TaskKind::thresholds && penalised && !reads_lambda) options["lambda"] = "0+";
  if (kind == TaskKind::scaling && penalised && !options.contains("lambda")) options["lambda"] = "edge";
  return options;
}

/// A neighbour's solution is a start for this one: the equations differ by a small step in a number.
bool continuable(const Problem& problem) { return problem.lambda_rule == LambdaRule::value; }

/// Tells whether neighbours on the innermost axis differ in numbers of the equations alone.
bool is_smooth(const std::vector<Axis>& axes) {
  constexpr const char* kSmooth[] = {"alpha", kEffectiveRatio, "lambda", "noise", "beta", "width"};
  if (axes.empty()) return false;
  const std::vector<Values>& keys = axes.back().keys;
  return std::all_of(keys.begin(), keys.end(), [&](const Values& values) {
    return std::find(std::begin(kSmooth), std::end(kSmooth), values.key) != std::end(kSmooth);
  });
}

/// On a machine with enough memory.
void require_possible(const Task& experiment) {
  try {
    experiment::require_feasible(with_some_lambda(experiment.problem), experiment.experiment);
  } catch (const experiment::MemoryError&) {
  }
}

// ---- tasks of a part -----------------------------------------------------------------------------------------------

/// Makes the entries of one part, point by point.
class PartMaker {
 public:
  PartMaker(const SourceFile& file, const PartRequest& request, double accuracy, TaskTable& tasks)
      : file_(file), request_(request), accuracy_(accuracy), tasks_(tasks) {
    for (const Axis& axis : request.axes)
      for (const Values& values : axis.keys) part_.axes.push_back(values.key);
    part_.name = request.name;
    warm_ = request.theory && request.theory->warm_start && is_smooth(request.axes);
    if (request.n)
      for (const Json& n : values_of(file, *request.n)) n_.push_back(n.get<double>());
  }

  Part make() && {
    const std::vector<Json> points = points_of(file_, request_.axes);
    const std::size_t inner = warm_ ? static_cast<std::size_t>(request_.axes.back().count()) : 1;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const Json options = options_at(file_, request_, points[i]);
      if (request_.theory) add_theory(points[i], options, i % inner % kWarmStartSegment == 0);
      if (request_.thresholds) add(points[i], thresholds_at(points[i], options));
      if (request_.n) add_scaling(points[i], options);
      if (request_.experiment) add_experiments(points[i], options);
    }
    return std::move(part_);
  }

 private:
  void add(const Json& coordinates, Task task, std::optional<std::size_t> predecessor = std::nullopt) {
    part_.entries.push_back({tasks_.index_of(std::move(task), predecessor), coordinates});
  }

  Task task_at(const Json& coordinates, const Json& options, TaskKind kind, bool reads_lambda = false) const {
    Task task;
    task.kind = kind;
    task.problem = placed(file_, request_, coordinates,
                          [&] { return model::problem_from_json(completed(options, kind, reads_lambda)); });
    task.accuracy = accuracy_;
    return task;
  }

  Task thresholds_at(const Json& coordinates, const Json& options) const {
    Task task = task_at(coordinates, options, TaskKind::thresholds, request_.thresholds->detachment);
    task.detachment = request_.thresholds->detachment;
    return task;
  }

  /// The theory of a point by itself.
  Task theory_at(const Json& coordinates, const Json& options) const {
    Task task = task_at(coordinates, options, TaskKind::theory);
    task.density = request_.theory && request_.theory->density;
    if (task.problem.lambda_rule == LambdaRule::ridgeless)
      placed(file_, request_, coordinates, [&] { theory::require_ridgeless(task.problem); });
    return task;
  }

  void add_theory(const Json& coordinates, const Json& options, bool segment_begins) {
    Task task = theory_at(coordinates, options);
    const bool possible = warm_ && continuable(task.problem);
    task.continued = possible && last_theory_ && !segment_begins;
    add(coordinates, task, task.continued ? last_theory_ : std::nullopt);
    last_theory_ = possible ? std::optional(part_.entries.back().task) : std::nullopt;
  }

  void add_scaling(const Json& coordinates, const Json& options) {
    Task task = task_at(coordinates, options, TaskKind::scaling);
    task.n = n_;
    placed(file_, request_, coordinates, [&] { theory::require_scalable(task.problem, task.n); });
    add(coordinates, std::move(task));
  }

  void add_experiments(const Json& coordinates, const Json& options) {
    Task task = task_at(coordinates, options, TaskKind::experiment);
    const ExperimentRequest& request = *request_.experiment;
    task.experiment = request.options;
    if (request.any_trainer) task.experiment.trainer = experiment::trainers_for(task.problem).front();
    task.experiment.instances = task.experiment.threads = 1;
    std::optional<std::size_t> predecessor;
    if (theory_finds_lambda(task.problem)) predecessor = tasks_.index_of(theory_at(coordinates, options));
    for (const int d : request.d) {
      task.experiment.d = d;
      placed(file_, request_, coordinates, [&] { require_possible(task); });
      for (int instance = 0; instance < request.options.instances; ++instance) {
        task.experiment.first_instance = static_cast<std::uint64_t>(instance);
        Json own = coordinates;
        own["d"] = d;
        own["instance"] = instance;
        add(own, task, predecessor);
      }
    }
  }

  const SourceFile& file_;
  const PartRequest& request_;
  double accuracy_;
  TaskTable& tasks_;
  Part part_;
  bool warm_ = false;
  std::vector<double> n_;
  std::optional<std::size_t> last_theory_;  ///< the theory of the point before, if one may start from it
};

}  // namespace

std::size_t TaskTable::index_of(Task task, std::optional<std::size_t> predecessor) {
  std::string key = study::key(task, code_version(), task.continued ? tasks_[predecessor.value()].key : "");
  const auto [at, added] = index_.try_emplace(key, tasks_.size());
  if (added) tasks_.push_back({std::move(task), std::move(key), predecessor});
  return at->second;
}

Part make_part(const SourceFile& file, const PartRequest& request, double accuracy, TaskTable& tasks) {
  return PartMaker(file, request, accuracy, tasks).make();
}

}  // namespace attnlaw::study
