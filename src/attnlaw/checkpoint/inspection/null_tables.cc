#include "attnlaw/checkpoint/inspection/null_tables.h"

#include <algorithm>

namespace attnlaw::checkpoint {
namespace {

namespace laws = attnlaw::matrix_laws;

/// Below this p-value of a table the Tracy-Widom tail continues it.
constexpr double kTableReach = 1e-4;

/// A p-value of a table, continued by a tail where the table ends.
double continued(double exact, double tail, int draws) {
  const double floor = laws::monte_carlo_p_value(0, static_cast<std::size_t>(draws));
  if (exact <= floor) return std::min(exact, tail);
  return exact >= kTableReach ? exact : tail;
}

}  // namespace

const matrix_laws::BartlettTable& NullTables::at(int m, int d, int draws) {
  const std::lock_guard lock(mutex_);
  auto& table = tables_[{m, d, draws}];
  if (!table) table = std::make_unique<matrix_laws::BartlettTable>(m, d, draws, seed_, threads_);
  return *table;
}

std::vector<std::tuple<int, int, int>> NullTables::drawn() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::tuple<int, int, int>> shapes;
  for (const auto& [shape, table] : tables_) shapes.push_back(shape);
  return shapes;
}

LeadingTest NullTables::leading(int m, int d, const laws::HeadStatistics& head, const NullOptions& options, int draws) {
  LeadingTest test;
  double largest_score = 0;
  if (laws::edge_scores_hold(m, d)) {
    test.score = laws::leading_share_score(m, d, head.share * m);
    largest_score = laws::factor_product_score(m, d, head.largest);
  } else {
    const laws::HeadStatistics scores = at(m, d, draws).scores(head);
    test.score = scores.share;
    largest_score = scores.largest;
  }
  test.p = laws::edge_p_value(test.score);
  test.largest_p = laws::edge_p_value(largest_score);
  if (!takes_table(m, d, options)) return test;
  const laws::HeadStatistics exact = at(m, d, draws).p_values(head);
  test.p = continued(exact.share, test.p, draws);
  test.largest_p = continued(exact.largest, test.largest_p, draws);
  return test;
}

}  // namespace attnlaw::checkpoint
