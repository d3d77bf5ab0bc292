#pragma once
/// `lora`: a pre-trained student fine-tuned by an adapter of rank one.

#include "attnlaw/operations/operation.h"
#include "attnlaw/operations/problem_options.h"
#include "attnlaw/view/lora.h"

namespace attnlaw::operations {

struct Lora {
  /// What was pre-trained: the overlaps of a student, or a problem, whose options have names of their own where the
  /// task has the same ones.
  struct Pretraining {
    std::optional<double> e_pre, q_pre, m_pre;
    std::optional<double> alpha, width, noise;
    nlohmann::json lambda, tokens;
    std::optional<model::Student> student;
    std::optional<model::Head> head;
    std::string target, file;
    bool recalibrate = false;  ///< with the factor of least E_pre
  };
  struct Input {
    laws::LoraTask task;
    std::vector<double> alpha_range;  ///< ratios of a curve; empty: none
    laws::LoraOptions theory;
    Pretraining given;
    laws::LoraExperimentOptions experiment;  ///< d = 0: none
    bool bayes = false;                      ///< also the posterior mean of the adapter

    // What `given` means:
    model::Target target;
    std::optional<laws::PretrainedOverlaps> overlaps;  ///< the student by its overlaps …
    std::optional<model::Problem> problem;             ///< … or as a problem to solve
  };
  using Output = view::LoraResult;
  static constexpr About about{"lora", "a pre-trained student fine-tuned by an adapter of rank one",
                               "attnlaw lora --head linear --tokens 1 --alpha-ft 6 --e-pre 0.4 --d 200 --instances 4",
                               true};

  static Input read(const nlohmann::json& options);
  static std::vector<std::string> unread(const nlohmann::json& options);
  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Lora::Pretraining*);
const base::Description& describe(const Lora::Input*);

}  // namespace attnlaw::operations
