# Read by ctest after the tests of the rooms are known: those whose name contains "Slow" have the label "slow" alone.
foreach(room base matrix_laws model theory experiment laws study cluster report cli)
  foreach(test IN LISTS ${room}_test_names)
    if(test MATCHES "Slow")
      set_tests_properties("${test}" PROPERTIES LABELS slow)
    endif()
  endforeach()
endforeach()
