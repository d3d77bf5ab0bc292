target_compile_definitions(cli_tests PRIVATE ATTNLAW_PROGRAM="$<TARGET_FILE:attnlaw_program>" ATTNLAW_DOCS="${PROJECT_SOURCE_DIR}/docs")
add_dependencies(cli_tests attnlaw_program)
