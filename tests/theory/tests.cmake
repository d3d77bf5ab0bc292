if(NOT TARGET attnlaw_accuracy)
  add_subdirectory(${PROJECT_SOURCE_DIR}/bench/accuracy ${PROJECT_BINARY_DIR}/bench/accuracy)
endif()
target_link_libraries(theory_tests PRIVATE attnlaw_accuracy)
