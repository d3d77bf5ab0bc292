#pragma once
/// A result is what an operation has to say, in each of the forms that people and programs ask for.

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attnlaw/report/page.h"
#include "attnlaw/report/table.h"
#include "attnlaw/view/warnings.h"

namespace attnlaw::view {

/// The table behind the CSV. Where it takes as long as a short calculation, it is made when it is asked for: a call
/// from Python mostly is not.
class Rows {
 public:
  Rows() = default;
  Rows(report::Table table) : table_(std::move(table)) {}
  explicit Rows(std::function<report::Table()> make) : make_(std::move(make)) {}

  report::Table table() const { return make_ ? make_() : table_; }

 private:
  report::Table table_;
  std::function<report::Table()> make_;
};

struct Result {
  std::vector<report::Table> tables = {};  ///< for people
  nlohmann::json document = {};            ///< for programs
  Rows rows = {};                          ///< the CSV: one record per row
  Warnings warnings = {};                  ///< under the tables, and `warnings` of the document
  std::string note = {};                   ///< printed last
  std::optional<report::Page> page = {};   ///< for who asks for a report
  std::string page_path = {};              ///< where the page goes, if the operation itself says so
  bool names_page = false;                 ///< whether the note says where the page is
  std::optional<std::string> text = {};    ///< instead of tables, and of rows if there are none
  bool converged = true;                   ///< whether the figures can be used; if not, the program ends with 1
  std::string interrupted = {};            ///< "after 3 of 16 instances": how far it came; empty: to its end
  std::string document_alone = {};         ///< why it is shown as its document, and not as CSV; empty: it is not
};

/// A section of a page has the title of its table as its heading.
inline report::Section section_of(report::Table table, std::optional<report::Chart> chart = {}) {
  std::string heading = std::exchange(table.title, {});
  return {std::move(heading), "", std::move(chart), std::move(table)};
}

/// Makes one section for each table.
inline std::vector<report::Section> sections_of(const std::vector<report::Table>& tables) {
  std::vector<report::Section> sections;
  for (const report::Table& table : tables) sections.push_back(section_of(table));
  return sections;
}

}  // namespace attnlaw::view
