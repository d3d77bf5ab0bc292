add_test(NAME install.PackageServesAPlainProgram
         COMMAND ${CMAKE_CURRENT_LIST_DIR}/install_test.sh ${PROJECT_BINARY_DIR} ${PROJECT_BINARY_DIR}/install_test
                 ${CMAKE_CXX_COMPILER} -DCMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS})
set_tests_properties(install.PackageServesAPlainProgram PROPERTIES LABELS install)

add_test(NAME install.DebianPackageRunsWhereItIsUnpacked
         COMMAND ${CMAKE_CURRENT_LIST_DIR}/debian_test.sh ${PROJECT_BINARY_DIR} ${PROJECT_BINARY_DIR}/debian_test)
set_tests_properties(install.DebianPackageRunsWhereItIsUnpacked PROPERTIES LABELS install SKIP_RETURN_CODE 77)

add_test(NAME install.BuildScriptKeepsTheWishForTests
         COMMAND ${CMAKE_CURRENT_LIST_DIR}/build_script_test.sh ${PROJECT_BINARY_DIR}/build_script_test)
set_tests_properties(install.BuildScriptKeepsTheWishForTests PROPERTIES LABELS install)

set(street -DTABLE=${PROJECT_SOURCE_DIR}/DEVELOPERS.md -P ${CMAKE_CURRENT_LIST_DIR}/rooms_test.cmake)
add_test(NAME base.RoomsKeepToThoseBelow COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} ${street})
add_test(NAME base.RoomsTestFindsFaults COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_CURRENT_LIST_DIR}/rooms_broken ${street})
set_tests_properties(base.RoomsKeepToThoseBelow base.RoomsTestFindsFaults PROPERTIES LABELS base)
set_tests_properties(base.RoomsTestFindsFaults PROPERTIES PASS_REGULAR_EXPRESSION
  "base/up.h includes 'report'.*theory/channel/up.h includes 'theory/prior'.*theory/elsewhere/new.h: 'theory/elsewhere' is not in the table")

set(weight /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/header_weight.py)
add_test(NAME base.HeadersCarryNoWeight COMMAND ${weight} ${PROJECT_SOURCE_DIR})
add_test(NAME base.HeaderWeightTestFindsFaults COMMAND ${weight} ${CMAKE_CURRENT_LIST_DIR}/rooms_broken)
set_tests_properties(base.HeadersCarryNoWeight base.HeaderWeightTestFindsFaults PROPERTIES LABELS base)
set_tests_properties(base.HeaderWeightTestFindsFaults PROPERTIES PASS_REGULAR_EXPRESSION
  "base/heavy.h includes CLI/CLI.hpp.*model/problem.h reaches Eigen/ by attnlaw/base/heavy.h -> Eigen/Core.*internal_headers.txt has base/absent.h")

# The examples that open public headers, one program for each room, compiled and run.
foreach(room base matrix_laws model theory experiment laws checkpoint study report)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/attnlaw/${room}/*.h)
  set(with_example "")
  foreach(header IN LISTS headers)
    file(STRINGS ${header} example ENCODING UTF-8 REGEX "^/// ```cpp$" LIMIT_COUNT 1)
    if(example)
      list(APPEND with_example ${header})
    endif()
  endforeach()
  if(NOT with_example)
    message(SEND_ERROR "no header of ${room} opens with an example")
  endif()
  set(examples ${CMAKE_CURRENT_BINARY_DIR}/${room}_examples)
  add_custom_command(OUTPUT ${examples}.cc COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/examples.py ${examples}.cc ${with_example}
                     DEPENDS ${with_example} ${CMAKE_CURRENT_LIST_DIR}/examples.py VERBATIM)
  add_executable(${room}_examples ${examples}.cc)
  attnlaw_compile_options(${room}_examples)
  attnlaw_plain(${room}_examples)
  target_link_libraries(${room}_examples PRIVATE attnlaw)
  add_test(NAME ${room}.ExamplesOfHeaders COMMAND ${room}_examples)
  set_tests_properties(${room}.ExamplesOfHeaders PROPERTIES LABELS ${room})
endforeach()
