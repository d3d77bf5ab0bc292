target_compile_definitions(cli_tests PRIVATE ATTNLAW_PROGRAM="$<TARGET_FILE:attnlaw_program>" ATTNLAW_DOCS="${PROJECT_SOURCE_DIR}/docs")
add_dependencies(cli_tests attnlaw_program)

# Options and results stand in docs/ as the program describes them.
add_test(NAME cli.ReferenceTablesAreUpToDate COMMAND ${PROJECT_SOURCE_DIR}/scripts/reference_tables $<TARGET_FILE:attnlaw_program> --check)
set_tests_properties(cli.ReferenceTablesAreUpToDate PROPERTIES LABELS cli)
