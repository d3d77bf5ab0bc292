#pragma once
/// Eigen with SSE2, which Emscripten makes SIMD of WebAssembly of: included before everything else.

// Products keep values in registers of x86 by statements of assembler without an instruction.
#define __asm__(...)
#include <Eigen/Core>
#undef __asm__
