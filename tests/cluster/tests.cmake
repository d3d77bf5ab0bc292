# Several processes. What they are run as: `ranks`, and the program itself.
add_executable(cluster_ranks cluster/ranks.cc)
attnlaw_compile_options(cluster_ranks)
target_link_libraries(cluster_ranks PRIVATE attnlaw fmt::fmt)
target_compile_definitions(cluster_tests PRIVATE ATTNLAW_PROGRAM="$<TARGET_FILE:attnlaw_program>"
                                                 ATTNLAW_RANKS="$<TARGET_FILE:cluster_ranks>")
add_dependencies(cluster_tests attnlaw_program cluster_ranks)
if(TARGET attnlaw_mpi)
  add_dependencies(cluster_tests attnlaw_mpi)
  target_compile_definitions(cluster_tests PRIVATE ATTNLAW_MPI_MODULE="$<TARGET_FILE:attnlaw_mpi>" ATTNLAW_MPIRUN="${MPIEXEC_EXECUTABLE}")
endif()
