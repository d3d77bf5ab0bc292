# Readers of files and messages under inputs that are kept (fast) and made up (slow: clang's libFuzzer, a build of its own).
set(fuzz_sources ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/targets.cc ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/files.cc
                 ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/documents.cc ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/checkpoints.cc
                 ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/command_line.cc
                 ${PROJECT_SOURCE_DIR}/app/command_line.cc)
find_package(CLI11 REQUIRED)
if(ATTNLAW_FUZZ)
  # What reads is compiled by clang under sanitizers; what computes comes from the library of build/release, whose objects hold
  # sources of a whole folder: of what stands in both the linker takes the first.
  set(library ${PROJECT_SOURCE_DIR}/src/attnlaw)
  file(GLOB readers CONFIGURE_DEPENDS ${library}/base/*.cc ${library}/base/fields/*.cc ${library}/model/*.cc
       ${library}/checkpoint/tensor/*.cc ${library}/checkpoint/file/*.cc ${library}/checkpoint/layout/*.cc ${library}/study/file/*.cc)
  list(FILTER readers EXCLUDE REGEX "build.cc$|build_fields.cc$")
  foreach(name head model open vocabulary)
    list(APPEND readers ${library}/checkpoint/${name}.cc)
  endforeach()
  list(APPEND readers ${library}/laws/filtering/data.cc ${library}/study/task.cc ${library}/study/outcome.cc
       ${library}/study/float64.cc ${library}/cluster/request.cc)
  add_executable(fuzz ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/driver.cc ${fuzz_sources} ${readers})
  target_include_directories(fuzz PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_compile_options(fuzz PRIVATE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(fuzz PRIVATE -fsanitize=fuzzer,address,undefined -Wl,--allow-multiple-definition)
  target_link_libraries(fuzz PRIVATE ${PROJECT_SOURCE_DIR}/build/release/src/attnlaw/libattnlaw.a attnlaw_interface CLI11::CLI11
                                     fmt::fmt Boost::headers LAPACKE::LAPACKE BLAS::BLAS SQLite::SQLite3 Zip::zip ${CMAKE_DL_LIBS})
  return()
endif()

target_sources(fuzz_tests PRIVATE ${fuzz_sources})
target_link_libraries(fuzz_tests PRIVATE CLI11::CLI11)
target_compile_definitions(fuzz_tests PRIVATE ATTNLAW_FUZZ_CORPUS="${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus")

add_test(NAME fuzz.SlowBuild COMMAND ${PROJECT_SOURCE_DIR}/scripts/fuzz --build)
set_tests_properties(fuzz.SlowBuild PROPERTIES LABELS slow FIXTURES_SETUP fuzz TIMEOUT 3600)
file(GLOB corpora RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/*)
foreach(target IN LISTS corpora)
  add_test(NAME fuzz.Slow.${target} COMMAND ${PROJECT_SOURCE_DIR}/scripts/fuzz ${target} --seconds 20)
  set_tests_properties(fuzz.Slow.${target} PROPERTIES LABELS slow FIXTURES_REQUIRED fuzz)
endforeach()
