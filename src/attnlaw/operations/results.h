#pragma once
/// `results`: what is in the store of a study.

#include "attnlaw/operations/operation.h"
#include "attnlaw/view/results.h"

namespace attnlaw::operations {

struct Results {
  struct Input {
    std::string store;                 ///< file
    std::string where;                 ///< SQL expression; empty: all rows
    std::vector<std::string> columns;  ///< empty: all
    std::vector<std::string> order;    ///< columns to sort by, the first one first; a minus before one: descending
    std::string key;                   ///< how the key of one result begins; empty: list the results
    std::string array;                 ///< of that result; empty: all of it
  };
  /// Rows of the view `results`.
  struct Listing {
    study::Store::Rows all;  ///< with every column
    study::Store::Rows picked;
    bool chosen = false;  ///< columns were asked for
    view::ResultsSummary summary;
  };
  /// One result.
  struct Whole {
    std::string code, finished;
    nlohmann::json task;
    study::Outcome::Status status = {};
    std::optional<std::string> error;
    nlohmann::json figures, arrays;
    double seconds = 0;
  };
  /// An array of one result.
  struct Values {
    std::string array;
    std::vector<double> values;
  };
  struct Output {
    std::string store;
    std::optional<Listing> listing;  ///< or else, of the result of this key, one of the others
    std::optional<std::string> key;
    std::optional<Whole> whole;
    std::optional<Values> values;
  };
  static constexpr About about{
      "results", "rows of the store of a study",
      "attnlaw results study.db --where \"student = 'tied' AND alpha < 1\" --format csv --output tied.csv"};
  static constexpr bool threaded = false;

  static Input read(const nlohmann::json& options);
  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Results::Input*);
const base::Description& describe(const Results::Listing*);
const base::Description& describe(const Results::Whole*);
const base::Description& describe(const Results::Values*);
const base::Description& describe(const Results::Output*);

}  // namespace attnlaw::operations
