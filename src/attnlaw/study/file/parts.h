#pragma once
/// The parts of a study file as they are meant: the base problem, what a part is like, and `fast` merged in.

#include <string>
#include <vector>

#include "attnlaw/study/file/reading.h"

namespace attnlaw::study {

struct PartTable {
  std::string name;
  base::TomlValue table;  ///< with the keys of PartKeys alone; every value knows the line it was written on
};

/// In the order of the file; the top level itself, under `study_name`, if it has no [[part]]. Merging takes tables key
/// by key and replaces everything else. A part is, in this order: the base problem or the part it is like (with its
/// `fast`), its own keys, and with `fast` those of its own `fast`.
std::vector<PartTable> resolve_parts(const SourceFile& file, const base::TomlValue& document,
                                     const std::string& study_name, bool fast);

}  // namespace attnlaw::study
