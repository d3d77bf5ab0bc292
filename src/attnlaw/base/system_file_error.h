#pragma once
/// A file that the system does not open, read or write.

#include <string>
#include <utility>

#include "attnlaw/base/file.h"

namespace attnlaw::base {

/// A FileError with what the system says: its number (errno) and the path.
struct SystemFileError : FileError {
  /// `what` is the whole message.
  SystemFileError(const std::string& what, int number, std::string file)
      : FileError(what), cause(number), path(std::move(file)) {}

  int cause;
  std::string path;
};

}  // namespace attnlaw::base
