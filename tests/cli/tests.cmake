foreach(subject usage commands demo sweep lofi)
  attnlaw_test(cli ${subject})
  target_compile_definitions(cli_${subject}_test PRIVATE ATTNLAW_PROGRAM="$<TARGET_FILE:attnlaw_program>")
  add_dependencies(cli_${subject}_test attnlaw_program)
endforeach()
attnlaw_test(cli results)
target_compile_definitions(cli_results_test PRIVATE ATTNLAW_PROGRAM="$<TARGET_FILE:attnlaw_program>"
                                                    ATTNLAW_DOCS="${PROJECT_SOURCE_DIR}/docs")
add_dependencies(cli_results_test attnlaw_program)

attnlaw_test(cli figure)
target_compile_definitions(cli_figure_test PRIVATE ATTNLAW_PROGRAM="$<TARGET_FILE:attnlaw_program>")
add_dependencies(cli_figure_test attnlaw_program)
