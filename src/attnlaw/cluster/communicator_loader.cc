#include "attnlaw/cluster/communicator_loader.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "attnlaw/base/parallel.h"
#include "attnlaw/cluster/mpi_module.h"

namespace attnlaw::cluster {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModule = "attnlaw_mpi.so";

/// Returns the number that an environment variable begins with (Slurm writes "4(x2)"); nothing if it is not set.
std::optional<int> number_from(const char* variable) {
  const char* text = std::getenv(variable);
  if (!text) return std::nullopt;
  return std::atoi(text);
}

int first_of(std::initializer_list<const char*> variables, int otherwise) {
  for (const char* variable : variables)
    if (const auto number = number_from(variable)) return *number;
  return otherwise;
}

std::vector<fs::path> candidates() {
  if (const char* named = std::getenv("ATTNLAW_MPI_MODULE")) return {named};
  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
  return {folder / kModule, folder / ATTNLAW_MODULE_FOLDER / kModule};
}

MpiFactory load() {
  const std::vector<fs::path> paths = candidates();
  const auto there = std::find_if(paths.begin(), paths.end(), [](const fs::path& path) { return fs::exists(path); });
  if (there == paths.end()) {
    throw std::runtime_error("started as one of several processes, but there is no " + paths.front().string() +
                             ": this attnlaw was built without Open MPI; scripts/setup cluster, then build again");
  }
  // Open MPI loads parts of its own, which look for its symbols among the global ones.
  void* module = dlopen(there->c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (!module) throw std::runtime_error(std::string("Open MPI does not load: ") + dlerror());
  void* factory = dlsym(module, kMpiFactoryName);
  if (!factory) throw std::runtime_error(there->string() + " belongs to another version of attnlaw; build again");
  return reinterpret_cast<MpiFactory>(factory);
}

}  // namespace

std::optional<Launch> launch() {
  if (const auto rank = number_from("OMPI_COMM_WORLD_RANK"))
    return Launch{*rank, first_of({"OMPI_COMM_WORLD_SIZE"}, 1), first_of({"OMPI_COMM_WORLD_LOCAL_SIZE"}, 1)};
  if (const auto rank = number_from("PMIX_RANK"))
    return Launch{*rank, first_of({"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"}, 1),
                  first_of({"SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE"}, 1)};
  return std::nullopt;
}

std::unique_ptr<base::Communicator> connect(double silence_limit) {
  if (!launch()) return nullptr;
  return std::unique_ptr<base::Communicator>(load()(silence_limit));
}

int threads_of_rank(int wanted) {
  if (wanted > 0) return wanted;
  const int processors = base::available_threads();
  // mpirun says whether it has bound its ranks; srun gives each its own.
  const bool shared = std::getenv("OMPI_COMM_WORLD_RANK") && !std::getenv("OMPI_MCA_orte_bound_at_launch");
  return shared ? std::max(1, processors / launch()->local_size) : processors;
}

}  // namespace attnlaw::cluster
