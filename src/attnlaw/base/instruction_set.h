#pragma once

#include <string_view>

namespace attnlaw::base {

/// The instruction set that the numerical rooms were compiled for: "AVX-512", "AVX2" or "baseline".
std::string_view instruction_set();

}  // namespace attnlaw::base
