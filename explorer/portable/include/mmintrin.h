#pragma once
/// Eigen includes it where it finds SSE2, and uses none of it. Emscripten, which has SSE2 as SIMD of WebAssembly, has no MMX.
