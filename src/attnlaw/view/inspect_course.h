#pragma once
/// This file shows how the maps of a model change over the steps of its training.

#include <string>
#include <vector>

#include "attnlaw/checkpoint/inspection/course.h"
#include "attnlaw/report/page.h"
#include "attnlaw/report/table.h"

namespace attnlaw::view {

/// All heads at every step.
report::Table step_table(const checkpoint::Course& course);

/// Lines over steps, and maps of heads and steps.
std::vector<report::Section> course_sections(const checkpoint::Course& course);

}  // namespace attnlaw::view
