#include "attnlaw/view/page_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "attnlaw/base/build.h"
#include "attnlaw/base/file.h"

namespace attnlaw::view {

void write_page(report::Page page, const Warnings& warnings, const std::string& path, const std::string& command,
                const std::string& date) {
  if (!warnings.empty()) page.sections.push_back({"Warnings", fmt::format("{}", fmt::join(warnings, "\n\n"))});
  page.command = command;
  page.version = base::build().attnlaw;
  page.date = date;
  base::write_atomically(path, report::html(page));
}

}  // namespace attnlaw::view
