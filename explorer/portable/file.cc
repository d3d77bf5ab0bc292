/// base/file.h and base/number_array.h where there are no files.

#include "attnlaw/base/file.h"

#include "attnlaw/base/number_array.h"

namespace attnlaw::base {

std::string read_text(const std::string& path) {
  throw FileError("cannot read '" + path +
                  "': a page in a browser has no files; list the eigenvalues as spikes:D,s1,s2");
}

NumberArray read_number_array(const std::string& path, std::string_view) {
  read_text(path);
  return {};
}

}  // namespace attnlaw::base
