# The questions of the page, natively; by WebAssembly and in browsers where the page is built.
set(core ${PROJECT_SOURCE_DIR}/explorer/core/answer.cc ${PROJECT_SOURCE_DIR}/explorer/core/alternatives.cc
         ${PROJECT_SOURCE_DIR}/explorer/core/in_context.cc)
target_sources(explorer_tests PRIVATE ${core})
target_include_directories(explorer_tests PRIVATE ${PROJECT_SOURCE_DIR}/explorer)

add_executable(explorer_native ${CMAKE_CURRENT_LIST_DIR}/native.cc ${core})
attnlaw_compile_options(explorer_native)
attnlaw_plain(explorer_native)
target_include_directories(explorer_native PRIVATE ${PROJECT_SOURCE_DIR}/explorer)
target_link_libraries(explorer_native PRIVATE attnlaw fmt::fmt)

# A test that says why it is skipped.
function(attnlaw_skipped name why)
  add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -E echo "skipped: ${why}")
  set_tests_properties(${name} PROPERTIES LABELS explorer SKIP_REGULAR_EXPRESSION "skipped")
endfunction()

find_program(NODE_EXECUTABLE NAMES node nodejs)
set(page ${PROJECT_BINARY_DIR}/src/attnlaw/explorer.html)
if(NOT ATTNLAW_HAS_EXPLORER)
  attnlaw_skipped(explorer.CasesAgreeWithNative "the page is not built (scripts/setup explorer)")
  attnlaw_skipped(explorer.PageInChromium "the page is not built (scripts/setup explorer)")
  return()
endif()
add_test(NAME explorer.CasesAgreeWithNative
         COMMAND ${NODE_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/cases_test.mjs ${ATTNLAW_EXPLORER_TREE}/explorer $<TARGET_FILE:explorer_native>)
set_tests_properties(explorer.CasesAgreeWithNative PROPERTIES LABELS explorer)

# Tests of the theory themselves, compiled to WebAssembly (explorer/CMakeLists.txt), which a build of the page leaves out.
add_test(NAME explorer.BuildTheoryTests
         COMMAND ${CMAKE_COMMAND} -E env NODE_PATH=/usr/share/nodejs ${CMAKE_COMMAND} --build ${ATTNLAW_EXPLORER_TREE} --target attnlaw_theory_tests)
set_tests_properties(explorer.BuildTheoryTests PROPERTIES LABELS explorer TIMEOUT 1800 FIXTURES_SETUP explorer_theory_tests)
add_test(NAME explorer.TheoryByWebAssembly COMMAND ${NODE_EXECUTABLE} ${ATTNLAW_EXPLORER_TREE}/explorer/attnlaw_theory_tests.js
         --gtest_filter=-*Slow*:*SampledMatri*:*TimeLimit*)
set_tests_properties(explorer.TheoryByWebAssembly PROPERTIES LABELS explorer TIMEOUT 600 FIXTURES_REQUIRED explorer_theory_tests)

if(NOT EXISTS ${CMAKE_CURRENT_LIST_DIR}/node_modules/.attnlaw-lock)
  attnlaw_skipped(explorer.PageInChromium "puppeteer-core is not installed (scripts/setup explorer, which needs npm)")
  return()
endif()
function(attnlaw_page_test name browser scheme)
  add_test(NAME explorer.${name} COMMAND ${NODE_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/page_test.mjs ${page} $<TARGET_FILE:attnlaw_program> ${browser} ${scheme})
  # Times are measured: nothing else runs meanwhile.
  set_tests_properties(explorer.${name} PROPERTIES LABELS explorer TIMEOUT 600 RUN_SERIAL ON)
  if(TARGET attnlaw_python AND Python_EXECUTABLE)
    set_tests_properties(explorer.${name} PROPERTIES ENVIRONMENT "ATTNLAW_PYTHON=${Python_EXECUTABLE};PYTHONPATH=${PROJECT_BINARY_DIR}/python")
  endif()
endfunction()
attnlaw_page_test(PageInChromium chromium file)
attnlaw_page_test(PageInChromiumOverHttp chromium http)
find_program(FIREFOX_EXECUTABLE firefox-esr)
if(FIREFOX_EXECUTABLE)
  attnlaw_page_test(PageInFirefox firefox file)
  attnlaw_page_test(PageInFirefoxOverHttp firefox http)
else()
  attnlaw_skipped(explorer.PageInFirefox "firefox-esr is not installed (scripts/setup explorer)")
endif()
