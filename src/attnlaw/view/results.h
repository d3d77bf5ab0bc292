#pragma once
/// These functions show rows of a store as tables and documents.

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "attnlaw/base/describe.h"
#include "attnlaw/report/table.h"
#include "attnlaw/study/store/store.h"

namespace attnlaw::view {

struct ResultsSummary {
  std::size_t rows = 0;
  std::map<std::string, std::size_t> statuses;  ///< how many of each
  std::map<std::string, std::size_t> codes;
};
const base::Description& describe(const ResultsSummary*);

/// `rows` must have all columns of the view.
ResultsSummary summarise(const study::Store::Rows& rows);
/// The summary stands on one line, e.g. "3 results: 2 converged, 1 failed; code 0.1.0+ab12 (this program)".
std::string text(const ResultsSummary& summary);

/// The list has an object for every row.
nlohmann::json rows_json(const study::Store::Rows& rows);

/// The table has every column and every row.
report::Table results_table(const study::Store::Rows& rows);

/// The overview is for people: it has the columns they compare, without those that are empty. Options that are the same
/// in all rows stand in the title, and a key is cut to the digits that tell it from others.
report::Table overview(const study::Store::Rows& rows);

}  // namespace attnlaw::view
