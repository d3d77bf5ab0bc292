#pragma once
/// One question in a process of its own: what became of it.

#include <span>
#include <string>
#include <string_view>

#include "attnlaw/base/names.h"
#include "random_questions.h"

namespace attnlaw::reliability {

enum class Outcome {
  answered,     ///< with the accuracy asked for
  coarse,       ///< with a stated accuracy that is less
  refused,      ///< options that are not accepted, with a message
  unconverged,  ///< without an answer, and said so
  wrong,        ///< without a word: against a second answer, or a figure that is no number
  late,         ///< beyond the processor time that it may take
  crashed       ///< by a signal or an error that is none of the program's own
};
std::span<const base::Named<Outcome>> names_table(Outcome);

struct Trial {
  Question question;
  Outcome outcome = Outcome::crashed;
  double seconds = 0;       ///< of the first answer, of the processor
  double deviation = 0;     ///< of the second one, in units of what both claim
  std::string remark = {};  ///< what was said, or what is wrong
};

struct Limits {
  double seconds = 60;  ///< of the processor, for the first answer
  /// A second answer is asked for where the first took at most this long.
  double second_answer = 3;
};

/// Asks in a child process, which may use 4 GiB.
Trial try_question(const Question& question, const Limits& limits);

}  // namespace attnlaw::reliability
