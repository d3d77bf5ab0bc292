#pragma once
/// The charts of a study file.

#include <vector>

#include "attnlaw/study/study.h"
#include "attnlaw/study/study_file_reading.h"

namespace attnlaw::study {

/// `chart` of a document, for a study with these parts. Throws std::invalid_argument for unknown keys, kinds, parts and
/// axes, and for what a chart of its kind needs and does not have.
std::vector<ChartRequest> read_charts(const SourceFile& file, const base::TomlValue& document,
                                      const std::vector<Part>& parts);

}  // namespace attnlaw::study
