#include "attnlaw/checkpoint/inspection/null_tables.h"

namespace attnlaw::checkpoint {

const matrix_laws::BartlettTable& NullTables::at(int m, int d, int draws) {
  const std::lock_guard lock(mutex_);
  auto& table = tables_[{m, d}];
  if (!table) table = std::make_unique<matrix_laws::BartlettTable>(m, d, draws, seed_, threads_, progress_);
  return *table;
}

}  // namespace attnlaw::checkpoint
