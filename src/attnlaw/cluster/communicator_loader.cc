#include "attnlaw/cluster/communicator_loader.h"

#include <dlfcn.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
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

/// Returns the number that an environment variable begins with (Slurm writes "4(x2)"); nothing if it is not set, or
/// does not begin with one.
std::optional<int> number_from(const char* variable) {
  const char* text = std::getenv(variable);
  int number = 0;
  if (!text || std::from_chars(text, text + std::strlen(text), number).ec != std::errc()) return std::nullopt;
  return number;
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
  // Other launchers with PMIx do not say in the environment how many they start: there are at least those up to here.
  if (const auto rank = number_from("PMIX_RANK"))
    return Launch{*rank, std::max(*rank + 1, first_of({"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"}, 1)),
                  first_of({"SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE"}, 1)};
  return std::nullopt;
}

std::optional<Strangers> strangers() {
  if (launch()) return std::nullopt;
  // A step of Slurm has tasks of its own; SLURM_NTASKS alone is what a batch script or a shell of the job has as well.
  static constexpr struct {
    const char *rank, *size, *also = nullptr;
  } kLaunchers[] = {{"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_ID"},
                    {"PMI_RANK", "PMI_SIZE"},
                    {"MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"},
                    {"FLUX_TASK_RANK", "FLUX_JOB_SIZE"},
                    {"JSM_NAMESPACE_RANK", "JSM_NAMESPACE_SIZE"},
                    {"PALS_RANKID", "PMI_SIZE"},
                    {"PALS_RANKID", "PALS_SIZE"},
                    {"MPI_LOCALRANKID", "MPI_LOCALNRANKS"}};
  for (const auto& launcher : kLaunchers) {
    const auto rank = number_from(launcher.rank), size = number_from(launcher.size);
    if (rank && size && *size > 1 && (!launcher.also || number_from(launcher.also)))
      return Strangers{*rank, *size, launcher.size};
  }
  return std::nullopt;
}

std::unique_ptr<base::Communicator> connect(double silence_limit) {
  const auto here = launch();
  if (!here) return nullptr;
  std::unique_ptr<base::Communicator> communicator(load()(silence_limit));
  // Another Open MPI than the one that launched them, or a container without PMIx, leaves each alone.
  if (communicator->size() == 1 && here->size > 1)
    throw std::runtime_error("started as one of " + std::to_string(here->size) +
                             " processes, but MPI finds this one alone: the Open MPI that attnlaw was built with must "
                             "be the one that starts it");
  return communicator;
}

int threads_of_rank(int wanted) {
  if (wanted > 0) return wanted;
  const int processors = base::available_threads();
  // mpirun says whether it has bound its ranks; srun gives each its own.
  const bool shared = std::getenv("OMPI_COMM_WORLD_RANK") && !std::getenv("OMPI_MCA_orte_bound_at_launch");
  return shared ? std::max(1, processors / launch()->local_size) : processors;
}

}  // namespace attnlaw::cluster
