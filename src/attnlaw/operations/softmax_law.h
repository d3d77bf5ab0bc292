#pragma once
/// `softmax-law`: the singular values of softmax attention at initialisation.

#include "attnlaw/operations/operation.h"
#include "attnlaw/view/softmax_law.h"

namespace attnlaw::operations {

struct SoftmaxLaw {
  /// The law that is asked for.
  struct Question {
    laws::SoftmaxParameters parameters;
    laws::Refinement refinement = laws::Refinement::none;
    int length = 1000;  ///< T of a simulation, of the refinement and of the diagnosis
  };
  struct Input {
    Question question;
    std::optional<int> simulate;  ///< T
    int instances = 4;
  };
  struct Output {
    Question asked;
    view::SoftmaxLawResult result;
  };
  static constexpr About about{"softmax-law", "singular values of softmax attention at initialisation",
                               "attnlaw softmax-law --beta 0.5 --rho 1 --simulate 1000 --instances 4 --html law.html",
                               true};

  static Input read(const nlohmann::json& options);
  static std::vector<std::string> unread(const nlohmann::json& options);
  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const SoftmaxLaw::Question*);
const base::Description& describe(const SoftmaxLaw::Input*);
const base::Description& describe(const SoftmaxLaw::Output*);

}  // namespace attnlaw::operations
