#pragma once
/// `inspect`: the query-key maps of a real transformer against exact null laws.

#include "attnlaw/checkpoint/open.h"
#include "attnlaw/operations/operation.h"
#include "attnlaw/view/inspect.h"

namespace attnlaw::operations {

struct Inspect {
  struct Input {
    std::string checkpoint;          ///< path
    std::vector<std::string> after;  ///< paths: one for a comparison, more for a course of training
    checkpoint::OpenOptions open;
    checkpoint::InspectOptions inspect;
    std::string directions;  ///< folder for the directions of outliers
  };
  using Output = view::InspectOutcome;
  static constexpr About about{"inspect", "query-key maps of a real transformer against exact null laws",
                               "attnlaw inspect model.safetensors --html report.html", true};

  static Input read(const nlohmann::json& options);
  static std::vector<std::string> unused(const Output& output);
  static Output run(const Input& input, const Run& run);
  /// The same of a model that is open, whose checkpoint the input only names.
  static Output run(const Input& input, const checkpoint::Model& model, const Run& run);
  static view::Result show(const Output& output, const Run& run) { return view::show(output, run.draw); }
};

const base::Description& describe(const Inspect::Input*);

}  // namespace attnlaw::operations
