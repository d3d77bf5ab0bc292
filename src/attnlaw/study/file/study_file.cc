#include "attnlaw/study/file/study_file.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "attnlaw/base/file.h"
#include "attnlaw/study/file/charts.h"
#include "attnlaw/study/file/keys.h"
#include "attnlaw/study/file/parts.h"
#include "attnlaw/study/file/request.h"
#include "attnlaw/study/file/tasks.h"

namespace attnlaw::study {
namespace {

using base::TomlValue;

/// "alpha (1000) × lambda (1000) × instance (4)".
std::string product_of(const PartRequest& request) {
  std::vector<std::string> factors;
  for (const Axis& axis : request.axes) factors.push_back(fmt::format("{} ({:.0f})", axis.name(), axis.count()));
  if (request.experiment) {
    factors.push_back(fmt::format("d ({})", request.experiment->d.size()));
    factors.push_back(fmt::format("instance ({})", request.experiment->options.instances));
  }
  return fmt::format("{}", fmt::join(factors, " × "));
}

/// Judged before anything of that size is made.
void require_few_tasks(const SourceFile& file, const std::vector<PartRequest>& requests, std::size_t most) {
  double total = 0;
  for (const PartRequest& request : requests) total += request.task_count();
  if (total <= static_cast<double>(most)) return;
  const PartRequest& largest = *std::max_element(
      requests.begin(), requests.end(), [](const auto& a, const auto& b) { return a.task_count() < b.task_count(); });
  throw TooManyTasks(
      file.at(largest.line, fmt::format("this study has {:.0f} tasks, more than {}; {:.0f} of them are part '{}': {}",
                                        total, most, largest.task_count(), largest.name, product_of(largest))));
}

}  // namespace

Study parse_study(const std::string& text, const std::string& path, const StudyFileOptions& options) {
  const SourceFile file{path};
  TomlValue document = parse_document(file, text);
  spell_in_snake_case(file, document);
  Study study;
  study.name = std::filesystem::path(path).stem().string();
  StudyKeys keys;
  keys.title = study.name;
  read_table(file, document, describe(&keys), &keys, "a study");
  study.title = keys.title;
  study.description = keys.description;
  std::vector<PartRequest> requests;
  for (const PartTable& part : resolve_parts(file, document, study.name, options.fast))
    requests.push_back(read_request(file, part, keys.seed));
  require_few_tasks(file, requests, options.most_tasks);
  TaskTable tasks;
  for (const PartRequest& request : requests) study.parts.push_back(make_part(file, request, keys.accuracy, tasks));
  study.tasks = std::move(tasks).take();
  study.charts = read_charts(file, document, study.parts);
  return study;
}

Study read_study(const std::string& path, const StudyFileOptions& options) {
  return parse_study(base::read_text(path), path, options);
}

}  // namespace attnlaw::study
