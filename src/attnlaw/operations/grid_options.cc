#include "attnlaw/operations/grid_options.h"

#include "attnlaw/base/fields/text.h"
#include "attnlaw/base/numbers.h"

namespace attnlaw::operations {

std::vector<double> grid_from_text(const std::string& option, const std::string& text, study::Spacing spacing,
                                   int least) {
  const std::vector<std::string_view> parts = base::split(text, ',');
  if (parts.size() != 3) base::reject("{} takes FROM,TO,N, as in 0.1,2,20; got '{}'", option, text);
  const int count = base::integer_from_text("N of " + option, parts[2]);
  if (count < least) base::reject("N of {} must be at least {}, got {}", option, least, count);
  const double from = base::number_from_text("FROM of " + option, parts[0]);
  const double to = base::number_from_text("TO of " + option, parts[1]);
  try {
    return study::grid(from, to, count, spacing);
  } catch (const std::invalid_argument& error) {
    base::reject("{} '{}': {}", option, text, error.what());
  }
}

}  // namespace attnlaw::operations
