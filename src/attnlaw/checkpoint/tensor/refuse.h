#pragma once
/// Refuses what a file contains, in one line.

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "attnlaw/base/file.h"

namespace attnlaw::checkpoint {

/// Returns a name out of a file as it may be printed (base::printable_name), no more than 200 bytes of it.
std::string printable(std::string_view name);
/// A whole path in a message (base::printable).
std::string printable_path(std::string_view path);

/// Throws base::FileError: "path: message".
template <class... Arguments>
[[noreturn]] void refuse(std::string_view path, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  throw base::FileError(
      fmt::format("{}: {}", printable_path(path), fmt::format(format, std::forward<Arguments>(arguments)...)));
}

/// Throws base::FileError for weights that are a pickle, with what to do.
[[noreturn]] inline void refuse_pickle(std::string_view path) {
  refuse(path,
         "is a pickle of PyTorch, which could run code and is never read; convert it: "
         "safetensors.torch.save_file(torch.load(FILE, weights_only=True), \"model.safetensors\")");
}

}  // namespace attnlaw::checkpoint
