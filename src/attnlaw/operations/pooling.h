#pragma once
/// `pooling`: what survives of a signal when sequences of tokens are pooled by attention.

#include "attnlaw/operations/operation.h"
#include "attnlaw/view/pooling.h"

namespace attnlaw::operations {

struct Pooling {
  struct Input {
    laws::PoolingModel model;                     ///< α and κ given, or those of the sequences
    std::optional<std::string> profile, weights;  ///< specifications of sequences
    std::optional<int> length, d;                 ///< d: dimension of a simulation
    int instances = laws::PoolingExperimentOptions{}.instances;
    bool uncentred = false, fixed_length = false, own_scores = false;
    std::optional<laws::PooledSequences> sequences;  ///< what the specifications say
  };
  using Output = view::PoolingOutcome;
  static constexpr About about{"pooling", "signal recovery from attention-pooled sequences",
                               "attnlaw pooling --delta 0.5 --gamma 0.5 --mu2 1 --profile power:0.9,0.5 --length 16 "
                               "--weights optimal",
                               true};

  static Input read(const nlohmann::json& options);
  static std::vector<std::string> unread(const nlohmann::json& options);
  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Pooling::Input*);

}  // namespace attnlaw::operations
