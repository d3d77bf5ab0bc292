#pragma once
/// These functions show a solution of the theory as tables.

#include <string>
#include <vector>

#include "attnlaw/report/page.h"
#include "attnlaw/report/table.h"
#include "attnlaw/theory/solution.h"
#include "attnlaw/view/rows.h"

namespace attnlaw::view {

/// Returns what a heading says about a problem: "T = 2, softmax head, α = 0.3, λ = 0.05, target wishart:0.5". Readout,
/// labels, loss, student and width are named where they are not the default: rows, soft, square, tied (untied with
/// cross-attention) at full width. `without` names options of the command line that vary ("alpha", "lambda", "target",
/// "noise").
std::string describe(const model::Problem& problem, const std::vector<std::string>& without = {});

/// Returns the name that tables have for a figure: "sign error" for the identifier sign_error.
std::string words(std::string figure);

/// Every option of a resolved problem becomes a CSV column. `asked` is the problem as given, whose λ may be a rule
/// where that of the resolved one is the number found.
Fields problem_fields(const model::Problem& problem, const model::Problem& asked);

/// Adds columns with these options of a problem to the numbers of a chart, the same in every row.
void add_constants(report::Table& data, const model::Problem& problem, const std::vector<std::string>& options);

std::vector<report::Table> solution_tables(const theory::Solution& solution, const model::Problem& asked);
/// The page has these tables, and the spectrum of the trained S over its band where it has a law.
report::Page solution_page(const theory::Solution& solution, const std::vector<report::Table>& tables);
/// The one row has every figure of the solution; the columns are the same for all students.
report::Table solution_row(const theory::Solution& solution, const model::Problem& asked);
/// The same cells for the document of a solution, whose problem was resolved to `problem`.
Fields solution_fields(const nlohmann::json& document, const model::Problem& problem, const model::Problem& asked);
/// The table says where the least test error is.
report::Table optimum_table(const theory::OptimalLambda& optimum);

}  // namespace attnlaw::view
