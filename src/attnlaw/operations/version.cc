#include "attnlaw/operations/version.h"

#include "attnlaw/view/columns.h"

namespace attnlaw::operations {

const base::Description& describe(const Version::Output*) {
  static const base::Description description{"the parts of the program",
                                             {base::field("parts", &Version::Output::parts, {})}};
  return description;
}

Version::Output Version::run(const Input&, const Run&) { return {base::build()}; }

view::Result Version::show(const Output& output, const Run&) {
  report::Table table{"", {{"part"}, {"version"}}};
  base::for_each_field(describe(&output.parts), [&](const base::Field& field) {
    view::add(table, field.name, field.get(&output.parts).get<std::string>());
  });
  return {.tables = {table}, .rows = table};
}

}  // namespace attnlaw::operations
