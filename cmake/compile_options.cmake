# attnlaw_compile_options(target): the warnings of every target of this project.
function(attnlaw_compile_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 reports std::string, std::variant and its own AVX-512 headers as uninitialised, overlapping or out of bounds
    # (GCC bugs 105329, 105593, 105762).
    target_compile_options(${target} PRIVATE -Wno-uninitialized -Wno-maybe-uninitialized -Wno-restrict -Wno-array-bounds
                                             -Wno-stringop-overflow -Wno-stringop-overread)
  endif()
  if(ATTNLAW_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# attnlaw_plain(target): nothing in it is hot, and compiling it takes the longest part of the build.
function(attnlaw_plain target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release,RelWithDebInfo>:-O1>)
endfunction()

# attnlaw_arithmetic(target): loops of numbers, without errno.
function(attnlaw_arithmetic target)
  target_compile_options(${target} PRIVATE -fopenmp-simd -fno-math-errno)
endfunction()

# attnlaw_native(target): the same for the instruction set of this machine.
function(attnlaw_native target)
  attnlaw_arithmetic(${target})
  if(ATTNLAW_NATIVE)
    target_compile_options(${target} PRIVATE -march=native)
  endif()
endfunction()
