#pragma once
/// How exactly nulls are computed, and the tables that all heads of one shape share.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "attnlaw/base/describe.h"
#include "attnlaw/matrix_laws/nulls/bartlett_table.h"

namespace attnlaw::checkpoint {

struct NullOptions {
  bool exact_tables = false;  ///< tables and Monte Carlo in place of closed forms, and the tests that have none
  int table_draws = 20000;    ///< null heads of one table
  int draws = 999;            ///< rotations of one head
  double level = 0.05;        ///< of discoveries, after the correction for the number of heads
};
const base::Description& describe(const NullOptions*);

/// Bartlett tables by (m, d), drawn when they are first asked for. Safe to use from several threads.
class NullTables {
 public:
  NullTables(std::uint64_t seed, int threads, std::function<void(int, int)> progress = {})
      : seed_(seed), threads_(threads), progress_(std::move(progress)) {}

  const matrix_laws::BartlettTable& at(int m, int d, int draws);

 private:
  std::uint64_t seed_;
  int threads_;
  std::function<void(int, int)> progress_;
  std::mutex mutex_;
  std::map<std::pair<int, int>, std::unique_ptr<matrix_laws::BartlettTable>> tables_;
};

}  // namespace attnlaw::checkpoint
