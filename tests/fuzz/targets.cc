#include "fuzz/targets.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "attnlaw/base/file.h"
#include "attnlaw/base/memory.h"
#include "attnlaw/study/store/store.h"

namespace attnlaw::fuzz {
namespace {

/// Runs a reader; the exceptions that refuse an input end here.
template <void (*read)(std::string_view)>
void refusing(std::string_view input) try {
  read(input);
} catch (const std::invalid_argument&) {
} catch (const base::FileError&) {
} catch (const base::MemoryError&) {
} catch (const study::StoreError&) {
}

}  // namespace

std::span<const Target> targets() {
  static constexpr Target kTargets[] = {{"npy", refusing<npy>},
                                        {"number_table", refusing<number_table>},
                                        {"eigenvalues", refusing<eigenvalues>},
                                        {"study_file", refusing<study_file>},
                                        {"problem", refusing<problem>},
                                        {"task", refusing<task>},
                                        {"outcome", refusing<outcome>},
                                        {"request", refusing<request>},
                                        {"safetensors", refusing<safetensors>},
                                        {"gguf", refusing<gguf>},
                                        {"onnx", refusing<onnx>},
                                        {"npz", refusing<npz>},
                                        {"weights_npy", refusing<weights_npy>},
                                        {"model_configuration", refusing<model_configuration>},
                                        {"shard_index", refusing<shard_index>},
                                        {"tokenizer", refusing<tokenizer>},
                                        {"adapter_configuration", refusing<adapter_configuration>},
                                        {"command_line", refusing<command_line>}};
  return kTargets;
}

TemporaryFile::TemporaryFile(std::string_view content, const std::string& ending)
    : path_(fmt::format("{}/attnlaw-fuzz-{}{}", std::filesystem::temp_directory_path().string(), getpid(), ending)) {
  std::ofstream(path_, std::ios::binary) << content;
}

TemporaryFile::~TemporaryFile() { unlink(path_.c_str()); }

}  // namespace attnlaw::fuzz
