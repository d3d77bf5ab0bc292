#pragma once
/// Maps files into memory, so that only what is looked at is read.

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace attnlaw::checkpoint {

using Bytes = std::span<const std::byte>;

/// A regular file, mapped for reading.
class MappedFile {
 public:
  /// Throws base::FileError for what cannot be read and for what is no regular file (directories, FIFOs, devices);
  /// never waits for a FIFO.
  explicit MappedFile(std::string path);
  /// Bytes in memory, which must outlive the object, under the name of a file.
  MappedFile(std::string path, Bytes bytes);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  const std::string& path() const { return path_; }
  Bytes bytes() const { return bytes_; }
  /// Gives the memory of a part of the file back; it is read anew when it is looked at again.
  void release(Bytes part) const;

 private:
  std::string path_;
  Bytes bytes_;
  bool mapped_ = false;
};

}  // namespace attnlaw::checkpoint
