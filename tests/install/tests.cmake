add_test(NAME install.PackageServesAPlainProgram
         COMMAND ${CMAKE_CURRENT_LIST_DIR}/install_test.sh ${PROJECT_BINARY_DIR} ${PROJECT_BINARY_DIR}/install_test
                 ${CMAKE_CXX_COMPILER} -DCMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS})
set_tests_properties(install.PackageServesAPlainProgram PROPERTIES LABELS install)

set(street -DTABLE=${PROJECT_SOURCE_DIR}/DEVELOPERS.md -P ${CMAKE_CURRENT_LIST_DIR}/rooms_test.cmake)
add_test(NAME base.RoomsKeepToThoseBelow COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} ${street})
add_test(NAME base.RoomsTestFindsFaults COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_CURRENT_LIST_DIR}/rooms_broken ${street})
set_tests_properties(base.RoomsKeepToThoseBelow base.RoomsTestFindsFaults PROPERTIES LABELS base)
set_tests_properties(base.RoomsTestFindsFaults PROPERTIES PASS_REGULAR_EXPRESSION
  "base/up.h includes 'report'.*theory/channel/up.h includes 'theory/prior'.*theory/elsewhere/new.h: 'theory/elsewhere' is not in the table")
