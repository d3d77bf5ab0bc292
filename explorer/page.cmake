# attnlaw_explorer_page(name.cc): writes the source of report::explorer_page, which carries the page with live theory. Another
# configuration of this project, by Emscripten, builds it, and again when a file changes that it is made of. Sets
# ATTNLAW_HAS_EXPLORER.
set(explorer ${CMAKE_CURRENT_LIST_DIR})

set(ATTNLAW_EXPLORER_TREE ${PROJECT_BINARY_DIR}/wasm CACHE PATH "Where the page of attnlaw explore is built; several build trees may share one")

# In `result`: whether there is to be a page. AUTO: where Emscripten is.
function(attnlaw_has_explorer result)
  find_program(EMCC_EXECUTABLE emcc)
  find_program(NODE_EXECUTABLE NAMES node nodejs)
  set(toolchain /usr/share/emscripten/cmake/Modules/Platform/Emscripten.cmake)
  set(has ${ATTNLAW_EXPLORER})
  if(ATTNLAW_EXPLORER STREQUAL AUTO)
    set(has OFF)
    if(EMCC_EXECUTABLE AND NODE_EXECUTABLE AND EXISTS ${toolchain})
      set(has ON)
    endif()
  elseif(has AND NOT (EMCC_EXECUTABLE AND NODE_EXECUTABLE AND EXISTS ${toolchain}))
    message(FATAL_ERROR "the explorer needs Emscripten and node: run scripts/setup explorer")
  endif()
  if(NOT has)
    message(STATUS "the page of attnlaw explore is left out: it needs scripts/setup explorer")
  endif()
  set(${result} ${has} PARENT_SCOPE)
  set(toolchain ${toolchain} PARENT_SCOPE)
endfunction()

function(attnlaw_explorer_page source)
  attnlaw_has_explorer(has)
  set(page ${CMAKE_CURRENT_BINARY_DIR}/explorer.html)
  if(has)
    set(tree ${ATTNLAW_EXPLORER_TREE})
    file(GLOB_RECURSE made_of CONFIGURE_DEPENDS ${explorer}/*.cc ${explorer}/*.h ${explorer}/web/*)
    foreach(room base matrix_laws model theory study laws/in_context)
      file(GLOB_RECURSE files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/attnlaw/${room}/*.cc ${PROJECT_SOURCE_DIR}/src/attnlaw/${room}/*.h)
      list(APPEND made_of ${files})
    endforeach()
    set(others CMakeLists.txt bundle.mjs load_core.mjs sobol_table.mjs)
    list(TRANSFORM others PREPEND ${explorer}/)
    # The version stands in the first; the second is what a page reports its errors by.
    list(APPEND others ${PROJECT_SOURCE_DIR}/CMakeLists.txt ${PROJECT_SOURCE_DIR}/src/attnlaw/report/web/recorder.js ${PROJECT_SOURCE_DIR}/cmake/unity.cmake)
    # The packages of JavaScript that Emscripten runs are where Debian puts them.
    set(environment ${CMAKE_COMMAND} -E env NODE_PATH=/usr/share/nodejs)
    add_custom_command(
      OUTPUT ${page}
      COMMAND ${environment} ${CMAKE_COMMAND} -S ${PROJECT_SOURCE_DIR} -B ${tree} -G ${CMAKE_GENERATOR} -DCMAKE_TOOLCHAIN_FILE=${toolchain}
              -DCMAKE_BUILD_TYPE=Release
      COMMAND ${environment} ${CMAKE_COMMAND} --build ${tree}
      COMMAND ${CMAKE_COMMAND} -E copy ${tree}/explorer/explorer.html ${page}
      DEPENDS ${made_of} ${others} COMMENT "Building the page of attnlaw explore" VERBATIM)
    set_property(SOURCE ${source} PROPERTY OBJECT_DEPENDS ${page})
  else()
    # Of another name: a page that was built stays as it is, and is not taken for one that is to be built again.
    set(page ${CMAKE_CURRENT_BINARY_DIR}/no_explorer.html)
    file(WRITE ${page} "")
  endif()
  set(hash ${has})
  configure_file(${explorer}/page.cc.in ${source} @ONLY)
  set(ATTNLAW_HAS_EXPLORER ${has} CACHE INTERNAL "there is a page of attnlaw explore")
endfunction()
