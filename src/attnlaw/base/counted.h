#pragma once
/// A number of things in words.

#include <concepts>
#include <string>
#include <string_view>

namespace attnlaw::base {

/// "1 head", "72 heads": a number with what it counts, a noun whose plural ends in s.
template <std::integral Number>
std::string counted(Number number, std::string_view what) {
  std::string text = std::to_string(number) + " ";
  text += what;
  if (number != 1) text += "s";
  return text;
}

}  // namespace attnlaw::base
