#pragma once
/// `lofi`: layer-wise spectral filtering of samples from a file, or of a built-in target beside its theory.

#include "attnlaw/operations/operation.h"
#include "attnlaw/view/lofi.h"

namespace attnlaw::operations {

struct Lofi {
  struct Input {
    std::string target = "sine:8,1.5";  ///< read if `data` is empty
    int d = 100;
    std::vector<int> n{16000};
    int instances = 1;          ///< 0: theory alone
    std::optional<int> test;    ///< none: 10000 of a target, a fifth of data
    std::string data, labels;   ///< files; empty: the built-in target, the last column of data
    std::optional<int> tokens;  ///< in a row of data; none: a row is one vector
    laws::LofiOptions options;
  };
  /// One of the two.
  struct Output {
    std::optional<view::LofiDataOutcome> data;
    std::optional<view::LofiTargetOutcome> target;
    std::string interrupted = {};  ///< "after 3 of 16 draws"; empty: all have ended
  };
  static constexpr About about{"lofi", "layer-wise spectral filtering: features, overlaps, errors by depth",
                               "attnlaw lofi --target sine:8,1.5 --d 100 --n 4000,16000", true};

  static Input read(const nlohmann::json& options);
  static std::vector<std::string> unread(const nlohmann::json& options);
  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Lofi::Input*);
const base::Description& describe(const Lofi::Output*);

}  // namespace attnlaw::operations
