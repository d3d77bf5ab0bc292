#pragma once
/// The charts of a study file.

#include <string>
#include <vector>

#include "attnlaw/study/file/reading.h"
#include "attnlaw/study/study.h"

namespace attnlaw::study {

/// `chart` of a document, for a study with these parts. Throws std::invalid_argument for unknown keys, kinds, parts,
/// axes and figures, and for what a chart of its kind needs and does not have.
std::vector<ChartRequest> read_charts(const SourceFile& file, const base::TomlValue& document,
                                      const std::vector<Part>& parts);

}  // namespace attnlaw::study
