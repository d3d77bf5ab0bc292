#pragma once
/// Writes files so that they are whole or absent, and reads them.

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace attnlaw::base {

/// Is thrown when a file cannot be read or written; the message names path and cause.
struct FileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Writes `content` to a temporary name beside `path`, flushes it to disk and renames it: a reader sees the old file or
/// the whole new one. A symbolic link stays and its target is replaced; a replaced file keeps its mode. What cannot be
/// replaced (a device, a FIFO, standard output) is written directly. Throws FileError (directory, unwritable directory,
/// disk full, ...) and leaves nothing behind.
void write_atomically(const std::string& path, std::string_view content);

/// Throws FileError where write_atomically could only fail, so that a long computation can ask before it begins. It
/// does not open devices and FIFOs.
void require_writable(const std::string& path);

/// Returns the content of the file, which may be a pipe. Throws FileError if it cannot be read, is larger than the
/// memory that this process may use, or is a device without end (/dev/zero).
std::string read_text(const std::string& path);

/// While one lives, read_text() gives its thread the same content for a path every time: what is said of a file at the
/// end is said of what was read at the beginning, and a pipe, which can be read once, counts as a file. Scopes inside
/// of a scope are one with it. Files of more than 64 MiB are read anew.
class ReadOnceScope {
 public:
  ReadOnceScope();
  ~ReadOnceScope();
  ReadOnceScope(const ReadOnceScope&) = delete;
  ReadOnceScope& operator=(const ReadOnceScope&) = delete;

 private:
  std::map<std::string, std::string> contents_;
  std::map<std::string, std::string>* before_;
};

}  // namespace attnlaw::base
