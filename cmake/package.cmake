# cpack: a Debian package of all that cmake --install installs (scripts/package debian makes one that travels).
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME attnlaw)
set(CPACK_PACKAGE_CONTACT "the attnlaw authors <attnlaw@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
# The libraries that the program and the module for MPI are linked with, with the versions that have their symbols.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# What those need who link the library: of a static one also what it stands on.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libeigen3-dev, nlohmann-json3-dev")
if(ATTNLAW_LEVELS)
  # The program finds its library where the package has it, and the loader of the machine is told of it.
  set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/src/attnlaw)
else()
  string(APPEND CPACK_DEBIAN_PACKAGE_SUGGESTS
         ", libopenblas-pthread-dev, liblapacke-dev, libfmt-dev, libsqlite3-dev, libzip-dev, libboost-math-dev")
endif()
include(CPack)
