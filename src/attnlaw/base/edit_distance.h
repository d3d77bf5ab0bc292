#pragma once
/// How far apart two words are, for messages that name what was probably meant.

#include <cstddef>
#include <string_view>

namespace attnlaw::base {

/// Returns the least number of letters to insert, delete or replace that makes a into b (Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace attnlaw::base
