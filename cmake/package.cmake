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
# What those need who link the library, which is static.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
    "libeigen3-dev, nlohmann-json3-dev, libopenblas-pthread-dev, liblapacke-dev, libfmt-dev, libsqlite3-dev, libzip-dev, libboost-math-dev")
include(CPack)
