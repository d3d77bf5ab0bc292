# attnlaw_compile_options(target): the warnings and the instruction set of every target of this project.
function(attnlaw_compile_options target)
  target_compile_options(${target} PRIVATE -fopenmp-simd -fno-math-errno -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Both report moved-from std::string and std::variant as uninitialised or overlapping (GCC bugs 105329, 105593).
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized -Wno-restrict)
  endif()
  if(ATTNLAW_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(ATTNLAW_NATIVE)
    target_compile_options(${target} PRIVATE -march=native)
  endif()
endfunction()
