# Where the program looks for the module once it is installed, seen from its own folder.
file(RELATIVE_PATH module_folder ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR}/attnlaw)
set_property(SOURCE ${CMAKE_CURRENT_LIST_DIR}/communicator_loader.cc
             APPEND PROPERTY COMPILE_DEFINITIONS ATTNLAW_MODULE_FOLDER="${module_folder}")

# MPI stands in a module of its own, which is loaded under mpirun alone.
find_package(MPI 3.0 COMPONENTS C GLOBAL)
if(MPI_C_FOUND)
  add_library(attnlaw_mpi MODULE ${CMAKE_CURRENT_LIST_DIR}/mpi_module.cc)
  attnlaw_compile_options(attnlaw_mpi)
  target_compile_features(attnlaw_mpi PRIVATE cxx_std_20)
  target_compile_definitions(attnlaw_mpi PRIVATE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
  target_include_directories(attnlaw_mpi PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(attnlaw_mpi PRIVATE MPI::MPI_C Threads::Threads)
  # Beside the program.
  set_target_properties(attnlaw_mpi PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/app)
  install(TARGETS attnlaw_mpi LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/attnlaw)
endif()
