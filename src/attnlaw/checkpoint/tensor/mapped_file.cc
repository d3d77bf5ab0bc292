#include "attnlaw/checkpoint/tensor/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "attnlaw/base/system_file_error.h"
#include "attnlaw/checkpoint/tensor/refuse.h"

namespace attnlaw::checkpoint {
namespace {

/// A descriptor that is closed at the end.
struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) close(value);
  }
};

const char* kind(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

}  // namespace

MappedFile::MappedFile(std::string path) : path_(std::move(path)) {
  const Descriptor file{open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (const int cause = errno; file.value < 0)
    throw base::SystemFileError(fmt::format("{}: cannot be read: {}", printable_path(path_), std::strerror(cause)),
                                cause, path_);
  struct stat status {};
  if (fstat(file.value, &status) != 0) refuse(path_, "cannot be read: {}", std::strerror(errno));
  if (!S_ISREG(status.st_mode)) refuse(path_, "must be a regular file, it is {}", kind(status.st_mode));
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) refuse(path_, "the file is empty");
  void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value, 0);
  if (memory == MAP_FAILED) refuse(path_, "cannot be mapped: {}", std::strerror(errno));
  bytes_ = {static_cast<const std::byte*>(memory), size};
  mapped_ = true;
}

MappedFile::MappedFile(std::string path, Bytes bytes) : path_(std::move(path)), bytes_(bytes) {
  if (bytes_.empty()) refuse(path_, "the file is empty");
}

MappedFile::~MappedFile() {
  if (mapped_) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void MappedFile::release(Bytes part) const {
  if (!mapped_) return;
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(part.data());
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t last = (begin + part.size()) / page * page;
  // What the advice cannot be followed for stays in memory: the result is the same.
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace attnlaw::checkpoint
