target_compile_definitions(cli_tests PRIVATE ATTNLAW_PROGRAM="$<TARGET_FILE:attnlaw_program>" ATTNLAW_DOCS="${PROJECT_SOURCE_DIR}/docs")
add_dependencies(cli_tests attnlaw_program)

# Options and results stand in docs/ as the program describes them.
add_test(NAME cli.ReferenceTablesAreUpToDate COMMAND ${PROJECT_SOURCE_DIR}/scripts/reference_tables $<TARGET_FILE:attnlaw_program> --check)
set_tests_properties(cli.ReferenceTablesAreUpToDate PROPERTIES LABELS cli)

# What makes calls of the system fail in turn, loaded before the C library.
add_library(attnlaw_faults MODULE ${CMAKE_CURRENT_SOURCE_DIR}/faults/faults.c)
target_link_libraries(attnlaw_faults PRIVATE ${CMAKE_DL_LIBS})
# Its functions stand before those of the system.
target_compile_options(attnlaw_faults PRIVATE -fvisibility=default)
set_property(SOURCE ${CMAKE_CURRENT_SOURCE_DIR}/cli/faults_test.cc APPEND PROPERTY COMPILE_DEFINITIONS
             ATTNLAW_FAULTS="$<TARGET_FILE:attnlaw_faults>")
add_dependencies(cli_tests attnlaw_faults)

add_test(NAME cli.LinksOfTheDocumentationLeadSomewhere COMMAND ${PROJECT_SOURCE_DIR}/scripts/check_links)
set_tests_properties(cli.LinksOfTheDocumentationLeadSomewhere PROPERTIES LABELS cli)
