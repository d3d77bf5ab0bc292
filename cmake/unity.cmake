# attnlaw_unity(target sources...): the sources of a folder are compiled as one, because instantiating the same templates in
# each of them is most of the time of a build. So names are unique in a folder, those of unnamed namespaces too.
function(attnlaw_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${ATTNLAW_UNITY} UNITY_BUILD_MODE GROUP)
  # GCC takes a source that is included for a header, in which unnamed namespaces would be a mistake.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  foreach(source IN LISTS ARGN)
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} OUTPUT_VARIABLE folder)
    cmake_path(REMOVE_FILENAME folder)
    string(MAKE_C_IDENTIFIER "${folder}" folder)
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${folder})
  endforeach()
endfunction()
