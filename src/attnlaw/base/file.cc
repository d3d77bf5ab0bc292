#include "attnlaw/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace attnlaw::base {
namespace {

/// A temporary file beside its destination, removed unless it has been renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& path) : path_(path), temporary_(fmt::format("{}.{}.tmp", path, getpid())) {
    descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor_ < 0) fail();
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!renamed_) unlink(temporary_.c_str());
  }

  void write(std::string_view content) {
    while (!content.empty()) {
      const ssize_t written = ::write(descriptor_, content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail();
      content.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void rename_to_destination() {
    if (fsync(descriptor_) != 0) fail();
    if (close(descriptor_) != 0) fail();
    descriptor_ = -1;
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail();
    renamed_ = true;
  }

 private:
  [[noreturn]] void fail() const {
    const int cause = errno;
    if (!temporary_.empty()) unlink(temporary_.c_str());
    throw FileError(fmt::format("cannot write '{}': {}", path_, std::strerror(cause)));
  }

  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

}  // namespace

void write_atomically(const std::string& path, std::string_view content) {
  TemporaryFile file(path);
  file.write(content);
  file.rename_to_destination();
}

void require_writable(const std::string& path) { const TemporaryFile probe(path); }

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw FileError(fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  std::ostringstream content;
  // A directory opens, and only reading from it fails.
  file.peek();
  content << file.rdbuf();
  if (file.bad()) throw FileError(fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  return std::move(content).str();
}

}  // namespace attnlaw::base
