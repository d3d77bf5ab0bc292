/// Keeps OpenBLAS from starting threads when it is loaded, one for each processor of the machine whatever the job may
/// use: attnlaw calls it from threads of its own, one product on one thread (base::use_one_blas_thread).

// OpenBLAS asks this function, which it exports, for the number in the environment variable OPENBLAS_NUM_THREADS before
// anything of the program runs. The program's own function comes first in the search order of the dynamic linker.
extern "C" __attribute__((visibility("default"))) int openblas_num_threads_env();

extern "C" int openblas_num_threads_env() { return 1; }
