foreach(subject usage commands csv demo sweep results figure softmax_law pooling lora lofi)
  attnlaw_test(cli ${subject})
  target_compile_definitions(cli_${subject}_test PRIVATE ATTNLAW_PROGRAM="$<TARGET_FILE:attnlaw_program>"
                                                         ATTNLAW_DOCS="${PROJECT_SOURCE_DIR}/docs")
  add_dependencies(cli_${subject}_test attnlaw_program)
endforeach()
