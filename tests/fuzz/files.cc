/// Files of numbers.
#include <cmath>

#include "attnlaw/base/number_array.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/model/problem.h"
#include "fuzz/targets.h"

namespace attnlaw::fuzz {

void npy(std::string_view input) {
  const base::NumberArray array = base::parse_npy(input, "fuzz.npy");
  if (array.values.size() == 0 || !array.values.allFinite()) throw FaultFound{"an array without finite numbers"};
}

void number_table(std::string_view input) {
  for (const auto& line : base::parse_number_lines(input, "fuzz.txt", 0, "numbers"))
    for (const double number : line)
      if (!std::isfinite(number)) throw FaultFound{"a number that is not finite"};
}

void eigenvalues(std::string_view input) {
  const TemporaryFile file(input, ".txt");
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.target = model::Target::parse("file:" + file.path());
  problem.validate();
  if (!(problem.target.spectrum().second_moment() > 0)) throw FaultFound{"a target without size"};
}

}  // namespace attnlaw::fuzz
