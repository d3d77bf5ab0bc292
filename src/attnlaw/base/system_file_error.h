#pragma once
/// A file that the system does not open, read or write.

#include <string>
#include <utility>

#include "attnlaw/base/file.h"

namespace attnlaw::base {

/// A FileError with what the system says: its number (errno) and the path.
struct SystemFileError : FileError {
  /// `what` is the whole message.
  SystemFileError(const std::string& what, int cause, std::string path)
      : FileError(what), cause(cause), path(std::move(path)) {}

  int cause;
  std::string path;
};

}  // namespace attnlaw::base
