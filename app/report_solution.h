#pragma once
/// How a solution of the theory reads as tables.

#include <initializer_list>
#include <string>
#include <string_view>

#include "attnlaw/report/table.h"
#include "attnlaw/theory/solution.h"

namespace attnlaw::app {

/// "T = 2, softmax head, α = 0.3, λ = 0.05, target wishart:0.5": what a heading says about a problem. Readout, labels,
/// loss, student and width are named where they are not the default: rows, soft, square, tied (untied with
/// cross-attention) at full width.
/// `without`: options of the command line that vary ("alpha", "lambda", "target", "noise").
std::string describe(const model::Problem& problem, std::initializer_list<std::string_view> without = {});

/// `asked`: the problem as given, whose λ may be a rule where that of the solution is the number found.
std::vector<report::Table> solution_tables(const theory::Solution& solution, const model::Problem& asked);
/// One row with every figure of the solution; the columns are the same for all students.
report::Table solution_row(const theory::Solution& solution, const model::Problem& asked);
/// Where the least test error is.
report::Table optimum_table(const theory::OptimalLambda& optimum);

}  // namespace attnlaw::app
