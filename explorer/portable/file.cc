/// base/file.h where there are no files.

#include "attnlaw/base/file.h"

namespace attnlaw::base {

std::string read_text(const std::string& path) {
  throw FileError("cannot read '" + path +
                  "': a page in a browser has no files; list the eigenvalues as spikes:D,s1,s2");
}

}  // namespace attnlaw::base
