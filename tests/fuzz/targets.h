#pragma once
/// Readers of what others write, each of which must refuse any bytes with a message and nothing else. The program
/// `fuzz` (libFuzzer, scripts/fuzz) makes up bytes for them; the test Fuzz.* runs the inputs kept in corpus/<target>
/// through them, among which are those that once broke one.
///
/// A new target: a function in a file of its own or of its subject, a line in targets(), and a few small valid inputs
/// in corpus/<target>.

#include <span>
#include <string>
#include <string_view>

namespace attnlaw::fuzz {

struct Target {
  const char* name;
  void (*run)(std::string_view input);
};

/// All targets. run() returns if the reader accepts or refuses the input as it should (std::invalid_argument,
/// base::FileError, base::MemoryError, study::StoreError), throws FaultFound if what was read contradicts the input,
/// and lets any other exception pass.
std::span<const Target> targets();

/// Is thrown where a reader accepted something that it does not give back.
struct FaultFound {
  std::string what;
};

/// A file with this content, for readers that want a path. It is gone at the end of its life.
class TemporaryFile {
 public:
  /// `ending`: how its name ends, such as ".npy".
  TemporaryFile(std::string_view content, const std::string& ending);
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// files.cc
void npy(std::string_view input);
void number_table(std::string_view input);
void eigenvalues(std::string_view input);
// documents.cc
void study_file(std::string_view input);
void problem(std::string_view input);
void task(std::string_view input);
void outcome(std::string_view input);
void request(std::string_view input);
// checkpoints.cc
void safetensors(std::string_view input);
void gguf(std::string_view input);
void onnx(std::string_view input);
void npz(std::string_view input);
void weights_npy(std::string_view input);
void model_configuration(std::string_view input);
void shard_index(std::string_view input);
void tokenizer(std::string_view input);
void adapter_configuration(std::string_view input);
// command_line.cc
void command_line(std::string_view input);

}  // namespace attnlaw::fuzz
