#include "attnlaw/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <optional>
#include <utility>

#include "attnlaw/base/memory.h"
#include "attnlaw/base/system_file_error.h"

namespace attnlaw::base {
namespace {

[[noreturn]] void fail_to(const char* verb, const std::string& path, int cause) {
  throw SystemFileError(fmt::format("cannot {} '{}': {}", verb, path, std::strerror(cause)), cause, path);
}

[[noreturn]] void fail(const std::string& path, int cause) { fail_to("write", path, cause); }

/// Returns the directory part of a path with its last slash; empty for a bare name.
std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

/// Follows a chain of symbolic links to the name at its end, which need not exist: open(2) would create it.
std::string follow_links(const std::string& path) {
  constexpr int kMostLinks = 40;  // Linux follows no more
  std::string current = path;
  for (int links = 0; links <= kMostLinks; ++links) {
    std::error_code not_a_link;
    const std::string next = std::filesystem::read_symlink(current, not_a_link).string();
    if (not_a_link) return current;
    current = next.starts_with('/') ? next : directory_of(current) + next;
  }
  fail(path, ELOOP);
}

/// Says where the content goes: to an open descriptor, a special file, or a regular file.
struct Destination {
  std::string path;            ///< the path as given, for messages
  int open_descriptor = -1;    ///< standard output or error, if the path names the same file
  bool special = false;        ///< a device, FIFO or socket: cannot be replaced, only written
  std::string file;            ///< otherwise the regular file to replace or create, symbolic links followed
  std::optional<mode_t> mode;  ///< the mode of the file to be replaced
};

Destination destination_of(const std::string& path) {
  Destination destination;
  destination.path = path;
  if (path.empty()) fail(path, ENOENT);
  struct stat status;
  if (stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) fail(path, errno);
    destination.file = follow_links(path);
    return destination;
  }
  if (S_ISDIR(status.st_mode)) fail(path, EISDIR);
  // /dev/stdout may be redirected to a file that is appended to: replacing it would lose what is already there.
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat standard;
    if (fstat(descriptor, &standard) == 0 && standard.st_dev == status.st_dev && standard.st_ino == status.st_ino) {
      destination.open_descriptor = descriptor;
      return destination;
    }
  }
  if (faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) fail(path, errno);
  destination.special = !S_ISREG(status.st_mode);
  if (!destination.special) {
    constexpr mode_t kPermissions = 07777;
    destination.file = follow_links(path);
    destination.mode = status.st_mode & kPermissions;
  }
  return destination;
}

/// Holds an open file, and throws FileError if any operation on it fails.
class OpenFile {
 public:
  OpenFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {
    if (descriptor_ < 0) fail(path_, errno);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  void write(std::string_view content) {
    while (!content.empty()) {
      const ssize_t written = ::write(descriptor_, content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail(path_, errno);
      content.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void flush_to_disk() {
    if (fsync(descriptor_) != 0) fail(path_, errno);
  }

  void set_mode(mode_t mode) {
    if (fchmod(descriptor_, mode) != 0) fail(path_, errno);
  }

  void close() {
    if (::close(std::exchange(descriptor_, -1)) != 0) fail(path_, errno);
  }

 private:
  std::string path_;
  int descriptor_;
};

/// Holds a temporary file beside its destination and removes it unless it has been renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const Destination& destination)
      : destination_(destination), file_(destination.path, create(destination, name_)) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!renamed_) unlink(name_.c_str());
  }

  void write(std::string_view content) { file_.write(content); }

  void rename_to_destination() {
    if (destination_.mode) file_.set_mode(*destination_.mode);
    file_.flush_to_disk();
    file_.close();
    if (std::rename(name_.c_str(), destination_.file.c_str()) != 0) fail(destination_.path, errno);
    renamed_ = true;
  }

 private:
  /// Opens a new file under an unused name (mode 0666 less the umask, as any new file) and returns its descriptor; -1
  /// with errno set if that fails.
  static int create(const Destination& destination, std::string& name) {
    static std::atomic<unsigned> counter{0};
    for (;;) {
      name = fmt::format("{}.attnlaw.{}.{}.tmp", directory_of(destination.file), getpid(), counter.fetch_add(1));
      const int descriptor = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor >= 0 || errno != EEXIST) return descriptor;
    }
  }

  const Destination& destination_;
  std::string name_;
  OpenFile file_;
  bool renamed_ = false;
};

}  // namespace

void write_atomically(const std::string& path, std::string_view content) {
  const Destination destination = destination_of(path);
  if (destination.open_descriptor >= 0 || destination.special) {
    OpenFile file(path, destination.special ? open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY)
                                            : fcntl(destination.open_descriptor, F_DUPFD_CLOEXEC, 0));
    file.write(content);
    file.close();
    return;
  }
  TemporaryFile file(destination);
  file.write(content);
  file.rename_to_destination();
}

void require_writable(const std::string& path) {
  const Destination destination = destination_of(path);
  if (!destination.file.empty()) const TemporaryFile probe(destination);
}

namespace {

[[noreturn]] void refuse_size(const std::string& path, std::uint64_t size) {
  throw FileError(fmt::format("cannot read '{}': it has {} or more, this process may use {} of memory", path,
                              bytes_text(static_cast<double>(size)), bytes_text(static_cast<double>(memory_limit()))));
}

/// Tells whether a device gives bytes for ever: any but terminals, and /dev/null, which gives none.
bool is_endless(const std::string& path, const struct stat& status) {
  if (!S_ISCHR(status.st_mode)) return false;
  struct stat null;
  if (stat("/dev/null", &null) == 0 && null.st_rdev == status.st_rdev) return false;
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (descriptor < 0) return false;  // who reads it says why
  const bool terminal = isatty(descriptor) != 0;
  close(descriptor);
  return !terminal;
}

/// Returns the size of a regular file, 0 for anything else. Throws FileError for one that is larger than the memory
/// that this process may use, and for a device without end.
std::size_t size_with_room(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return 0;
  if (is_endless(path, status))
    throw FileError(fmt::format("cannot read '{}': it is a device, whose bytes have no end", path));
  if (!S_ISREG(status.st_mode)) return 0;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > memory_limit()) refuse_size(path, size);
  return size;
}

/// The contents that a ReadOnceScope of this thread remembers; null without one.
thread_local std::map<std::string, std::string>* remembered_contents = nullptr;
constexpr std::size_t kMostRemembered = 1 << 26;

/// Gives the content room for so many bytes. Throws FileError where they would not fit beside those that are there,
/// which are copied.
void make_room(const std::string& path, std::string& content, std::size_t bytes) {
  if (bytes <= content.capacity()) return;
  const std::size_t next = std::max(bytes, 2 * content.capacity());
  if (next + content.size() > memory_limit()) refuse_size(path, content.size());
  try {
    content.reserve(next);
  } catch (const std::bad_alloc&) {
    refuse_size(path, content.size());
  }
}

std::string read_anew(const std::string& path) {
  const std::size_t known = size_with_room(path);
  std::ifstream file(path, std::ios::binary);
  if (!file) fail_to("read", path, errno);
  std::string content;
  // A pipe has no size, and perhaps no end.
  constexpr std::size_t kBlock = 1 << 16;
  content.reserve(known + kBlock);
  while (file) {
    const std::size_t size = content.size();
    make_room(path, content, size + kBlock);
    content.resize(size + kBlock);
    file.read(content.data() + size, kBlock);
    content.resize(size + static_cast<std::size_t>(file.gcount()));
  }
  // A directory can be opened, only reading from it fails.
  if (file.bad()) fail_to("read", path, errno);
  return content;
}

}  // namespace

std::string read_text(const std::string& path) {
  if (!remembered_contents) return read_anew(path);
  if (const auto known = remembered_contents->find(path); known != remembered_contents->end()) return known->second;
  std::string content = read_anew(path);
  if (content.size() <= kMostRemembered) remembered_contents->emplace(path, content);
  return content;
}

ReadOnceScope::ReadOnceScope() : before_(remembered_contents) {
  if (!before_) remembered_contents = &contents_;
}
ReadOnceScope::~ReadOnceScope() { remembered_contents = before_; }

}  // namespace attnlaw::base
