#pragma once
/// Rows of the accuracy tables: the worst error over many points, where it was met, and what is allowed.

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "reference_law.h"

namespace attnlaw::accuracy {

struct Row {
  std::string quantity;
  std::string range;
  double bound = 0;
  long points = 0;
  double worst = 0;
  std::string where;

  /// |value − reference|/scale; what is not a number is infinitely wrong.
  void compare(double value, const Real& reference, const Real& scale, const std::function<std::string()>& at);
  bool missed() const { return !(worst <= bound); }
};

struct Table {
  std::string title;
  std::string remarks;
  std::vector<Row> rows;

  std::string markdown() const;
};

/// Random parameters: the same for every compiler.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : generator_(seed) {}
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(generator_() >> 11) * 0x1p-53;
  }
  /// 10^uniform.
  double decades(double low, double high);
  int integer(int low, int high) { return low + static_cast<int>(uniform(0, high - low + 1)); }
  double normal();

 private:
  std::mt19937_64 generator_;
};

/// `effort` = 1: the published tables; less: fewer points, for a test.
std::vector<Table> law_tables(double effort);
std::vector<Table> theory_tables(double effort);
Table proximal_table(double effort);

}  // namespace attnlaw::accuracy
