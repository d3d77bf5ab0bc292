#include <filesystem>
#include <system_error>

#include "attnlaw/checkpoint/file/safetensors.h"
#include "attnlaw/checkpoint/tensor/refuse.h"

namespace attnlaw::checkpoint {
namespace {

namespace fs = std::filesystem;

/// Whether `path` lies in `folder` or below it; both have no links.
bool lies_in(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

}  // namespace

std::string beside(const std::string& file, const std::string& name) {
  const fs::path relative(name);
  if (name.empty() || relative.is_absolute() || name.find('\\') != std::string::npos ||
      name.find('\0') != std::string::npos)
    refuse(file, "the file name '{}' must be a path inside the folder", printable(name));
  for (const fs::path& part : relative)
    if (part == "..") refuse(file, "the file name '{}' must not leave the folder", printable(name));
  const fs::path folder = fs::path(file).parent_path();
  const fs::path path = folder / relative;
  std::error_code error;
  const fs::path target = fs::canonical(path, error);
  if (error) refuse(path.string(), "cannot be read: {}", error.message());
  const fs::path real_folder = fs::canonical(folder.empty() ? "." : folder, error);
  const fs::path real_home = fs::canonical(file, error).parent_path();
  if (error) refuse(file, "cannot be read: {}", error.message());
  if (!lies_in(target, real_folder) && !lies_in(target, real_home))
    refuse(path.string(), "is a link that leaves the folder of {}", printable(fs::path(file).filename().string()));
  return path.string();
}

}  // namespace attnlaw::checkpoint
