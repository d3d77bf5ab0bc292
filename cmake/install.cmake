# cmake --install: the library, its headers, the package that find_package(attnlaw) finds, and the program.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/attnlaw)

install(TARGETS attnlaw attnlaw_interface EXPORT attnlawTargets)
get_property(app_targets DIRECTORY app PROPERTY BUILDSYSTEM_TARGETS)
foreach(target IN LISTS app_targets)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL EXECUTABLE)
    install(TARGETS ${target})
  endif()
endforeach()
if(EXISTS ${PROJECT_SOURCE_DIR}/share)
  install(DIRECTORY share/ DESTINATION ${CMAKE_INSTALL_DATADIR})
endif()
install(EXPORT attnlawTargets NAMESPACE attnlaw:: DESTINATION ${package_dir})
# How a room does its work is its own affair: no other header includes these (base.HeadersCarryNoWeight looks).
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/internal_headers.txt internal_headers)
set(internal_patterns "")
foreach(header IN LISTS internal_headers)
  list(APPEND internal_patterns PATTERN ${header} EXCLUDE)
endforeach()
install(DIRECTORY src/attnlaw/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/attnlaw
        FILES_MATCHING PATTERN "*.h" PATTERN web EXCLUDE ${internal_patterns})
install(FILES LICENSE README.md CHANGELOG.md docs/licences.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs figures DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md" PATTERN "*.png" PATTERN "*.toml")

configure_package_config_file(cmake/attnlawConfig.cmake.in ${PROJECT_BINARY_DIR}/attnlawConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/attnlawConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/attnlawConfig.cmake ${PROJECT_BINARY_DIR}/attnlawConfigVersion.cmake cmake/FindLAPACKE.cmake cmake/FindZip.cmake
        DESTINATION ${package_dir})
