#include "attnlaw/view/inspect_course.h"

#include <cstddef>
#include <initializer_list>
#include <limits>

#include "attnlaw/view/charts.h"
#include "attnlaw/view/columns.h"
#include "attnlaw/view/result.h"

namespace attnlaw::view {
namespace {

using checkpoint::Course;
using checkpoint::HeadStep;
using checkpoint::OutlierStatus;
using checkpoint::Step;
using report::Table;

/// Steps by the numbers in their names.
std::vector<double> numbers_of(const Course& course) {
  std::vector<double> numbers;
  for (const Step& step : course.steps) numbers.push_back(step.number);
  return numbers;
}

struct Line {
  const char* name;
  double (*figure)(const Step&);
};

report::Section lines_over(const Course& course, const char* title, const char* description, const char* unit,
                           std::initializer_list<Line> lines) {
  report::ErrorsChart chart{.title = title, .description = description, .x = {"step"}, .y = {unit}};
  for (const Line& line : lines)
    chart.series.push_back({line.name, points_over(course.steps, [&](const Step& step) {
                              return report::Point{step.number, line.figure(step)};
                            })});
  return {title, description, report::errors_chart(chart)};
}

/// One row of cells for each head, in order of layers and heads.
report::Section map_over(const Course& course, const char* title, const char* description,
                         double (*figure)(const HeadStep&)) {
  const std::size_t steps = course.steps.size(), heads = course.heads.size() / steps;
  report::HeatMap map{.title = title,
                      .description = description,
                      .x = {"step"},
                      .y = {"head, counted through all layers"},
                      .value = {title},
                      .x_values = numbers_of(course),
                      .y_values = {}};
  for (std::size_t i = 0; i < heads; ++i) map.y_values.push_back(static_cast<double>(i));
  for (std::size_t t = 0; t < steps; ++t)
    for (std::size_t i = 0; i < heads; ++i) map.values.push_back(figure(course.heads[i * steps + t]));
  return {title, "", report::heat_map(map)};
}

}  // namespace

Table step_table(const Course& course) {
  Table table = headed("Steps: heads that reject (Holm), and medians over heads",
                       {general("step", 8), "heads", "N1", "N2", "N3", general("pooled z N2", 3), "outliers",
                        general("‖S‖", 4), general("stable rank", 4), general("effective rank", 4),
                        general("cosine with last", 3), general("left alignment", 3), general("right alignment", 3)});
  for (const Step& step : course.steps)
    add(table, step.number, step.heads, step.not_random, step.matched, step.related, step.pooled_rotation,
        step.outliers, step.frobenius_norm, step.stable_rank, step.effective_rank, step.cosine, step.left_alignment,
        step.right_alignment);
  return table;
}

std::vector<report::Section> course_sections(const Course& course) {
  std::vector<report::Section> sections{
      lines_over(course, "Heads that reject a null", "After the correction for the number of heads.", "heads",
                 {{"N1, random product", [](const Step& step) { return double(step.not_random); }},
                  {"N2, rotation", [](const Step& step) { return double(step.matched); }},
                  {"N3, symmetry", [](const Step& step) { return double(step.related); }}}),
      lines_over(course, "Ranks over steps", "Medians over heads.", "rank",
                 {{"stable rank", [](const Step& step) { return step.stable_rank; }},
                  {"effective rank", [](const Step& step) { return step.effective_rank; }}}),
      lines_over(
          course, "Alignment with the last step",
          "Medians over heads: cosine of the maps, and mean squared cosines of the spaces of leading directions.",
          "alignment",
          {{"map", [](const Step& step) { return step.cosine; }},
           {"left directions", [](const Step& step) { return step.left_alignment; }},
           {"right directions", [](const Step& step) { return step.right_alignment; }}})};
  if (course.heads.size() / course.steps.size() < 2) return sections;
  sections.push_back(map_over(course, "Stable rank of each head over steps", "Σs²/s₁² of each head.",
                              [](const HeadStep& head) { return head.stable_rank; }));
  sections.push_back(map_over(course, "Outliers of each head over steps",
                              "Singular values beyond the law of a random product; blank where there is no law.",
                              [](const HeadStep& head) {
                                const bool none = head.outlier_status == OutlierStatus::no_law;
                                return none ? std::numeric_limits<double>::quiet_NaN() : double(head.outliers);
                              }));
  sections.push_back(map_over(course, "Left alignment of each head with the last step",
                              "Mean squared cosine between the spaces of leading left directions.",
                              [](const HeadStep& head) { return head.left_alignment; }));
  return sections;
}

}  // namespace attnlaw::view
