# One shared library for each level of x86-64 instructions. The loader of glibc 2.33 and later looks into glibc-hwcaps/ of every
# folder of libraries before the folder itself, and takes the highest level that the processor has.
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  message(FATAL_ERROR "ATTNLAW_LEVELS is for x86-64, this is ${CMAKE_SYSTEM_PROCESSOR}")
endif()

# attnlaw_level(target suffix flag folder): the library of one level, in this folder under that of the first one.
function(attnlaw_level target suffix flag folder)
  attnlaw_numerics("${suffix}" ${flag})
  attnlaw_library(${target} SHARED "${suffix}")
  # The interface changes between minor versions (cmake/install.cmake). The library calls its own functions, not those that a
  # program has of the same inline ones, which are compiled for the first level.
  set_target_properties(${target} PROPERTIES OUTPUT_NAME attnlaw VERSION ${PROJECT_VERSION}
                        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/${folder})
  target_link_options(${target} PRIVATE -Wl,-Bsymbolic-functions -Wl,--no-undefined)
endfunction()

attnlaw_level(attnlaw "" -march=x86-64 "")
foreach(level 3 4)
  set(folder glibc-hwcaps/x86-64-v${level})
  attnlaw_level(attnlaw_v${level} _v${level} -march=x86-64-v${level} ${folder})
  install(TARGETS attnlaw_v${level} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/${folder} NAMELINK_SKIP)
endforeach()
