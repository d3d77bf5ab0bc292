target_compile_definitions(report_tests PRIVATE ATTNLAW_ROOT="${PROJECT_SOURCE_DIR}")
add_test(NAME report.LicencesPageIsCurrent COMMAND ${PROJECT_SOURCE_DIR}/scripts/licences --check)
set_tests_properties(report.LicencesPageIsCurrent PROPERTIES LABELS report)
