#include "attnlaw/study/store/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <stdexcept>
#include <vector>

#include "attnlaw/base/fields/rows.h"
#include "attnlaw/study/comparison.h"

namespace attnlaw::study {
namespace {

/// A result is kept as the task and the figures it consists of; the view takes columns out of them.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE result (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  code TEXT NOT NULL,
  task TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('converged', 'unconverged', 'failed')),
  error TEXT,
  figures TEXT,
  seconds REAL NOT NULL,
  finished TEXT NOT NULL
);
CREATE INDEX result_by_problem ON result (json_extract(task, '$.problem'));

CREATE TABLE array (
  result INTEGER NOT NULL REFERENCES result (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  data BLOB NOT NULL CHECK (length(data) % 8 = 0),
  PRIMARY KEY (result, position)
) WITHOUT ROWID;

CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  machine TEXT NOT NULL,
  pid INTEGER NOT NULL,
  started INTEGER NOT NULL,
  heartbeat REAL NOT NULL
);
CREATE TABLE claim (
  key TEXT PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX claim_by_run ON claim (run);

)sql";

/// A column of the view of results.
struct Column {
  std::string name;
  std::string expression;
  bool numeric = false;  ///< a number or nothing
};

/// Columns out of the JSON of a task.
void add_task(std::vector<Column>& columns, const char* of, bool numeric, std::initializer_list<const char*> names) {
  for (const char* name : names)
    columns.push_back({name, fmt::format("json_extract(task, '$.{}{}')", of, name), numeric});
}

/// Columns out of the figures of a theory or of an experiment, wherever their documents have them.
void add_figures(std::vector<Column>& columns, std::initializer_list<const char*> names) {
  const base::Description* documents[] = {&describe(static_cast<const theory::Solution*>(nullptr)),
                                          &describe(static_cast<const PredictedInstance*>(nullptr))};
  for (const char* name : names) {
    std::vector<std::string> places;
    for (const base::Description* document : documents)
      if (const auto place = base::place_of(*document, name))
        places.push_back(fmt::format("json_extract(figures, '$.{}')", *place));
    if (places.empty()) throw std::logic_error(fmt::format("no result has the figure {}", name));
    columns.push_back({name, fmt::format("coalesce({}, NULL)", fmt::join(places, ", ")), true});
  }
}

std::vector<Column> make_results_columns() {
  constexpr bool kNumeric = true, kAnything = false;
  std::vector<Column> columns{{"key", "key"}};
  add_task(columns, "", kAnything, {"kind"});
  add_task(columns, "problem.", kAnything, {"student", "head", "tokens", "attention", "readout", "labels", "loss"});
  add_task(columns, "problem.", kNumeric, {"alpha"});
  columns.push_back({"lambda", "coalesce(json_extract(figures, '$.lambda'), json_extract(task, '$.problem.lambda'))"});
  columns.push_back(
      {"lambda_rule",
       "CASE json_type(task, '$.problem.lambda') WHEN 'text' THEN json_extract(task, '$.problem.lambda') END"});
  add_task(columns, "problem.", kNumeric, {"beta", "target_beta", "noise"});
  add_task(columns, "problem.", kAnything, {"target"});
  add_task(columns, "problem.", kNumeric, {"width"});
  add_task(columns, "experiment.", kNumeric, {"d", "instance"});
  add_task(columns, "experiment.", kAnything, {"seed", "trainer", "precision"});
  add_task(columns, "", kNumeric, {"accuracy"});
  add_task(columns, "", kAnything, {"continued"});
  columns.push_back({"status", "status"});
  columns.push_back({"error", "coalesce(error, json_extract(figures, '$.diagnostics.message'))"});
  add_figures(columns, {"train", "test", "estimation", "objective", "q", "m", "V", "Q_star", "kkt", "replicon",
                        "zero_mass", "theory_train", "theory_test", "theory_estimation"});
  for (const char* threshold : {"recovery", "interpolation", "bayes_recovery"})
    columns.push_back({threshold, fmt::format("json_extract(figures, '$.{}.alpha')", threshold), kNumeric});
  add_figures(columns, {"excess_test", "squared_test", "sign_error", "test_noisy"});
  add_task(columns, "problem.", kAnything, {"penalty"});
  add_task(columns, "", kAnything, {"target_hash"});
  columns.push_back({"evidence", "json_extract(figures, '$.evidence')"});
  for (const char* column : {"seconds", "code", "finished", "id"}) columns.push_back({column, column});
  return columns;
}

const std::vector<Column>& results_columns() {
  static const std::vector<Column> columns = make_results_columns();
  return columns;
}

std::string results_view() {
  std::vector<std::string> columns;
  for (const Column& column : results_columns())
    columns.push_back(column.name == column.expression ? column.name
                                                       : fmt::format("{} AS {}", column.expression, column.name));
  return fmt::format("CREATE VIEW results AS SELECT\n  {}\nFROM result;\n", fmt::join(columns, ",\n  "));
}

/// The step to version 3: two names of a task that had a dash.
constexpr const char* kSnakeCase = R"sql(
UPDATE result SET task = replace(replace(task, '"target-beta":', '"target_beta":'), '"max-iterations":', '"max_iterations":');
)sql";
const std::string kDropView = "DROP VIEW IF EXISTS results;\n";

[[noreturn]] void refuse(const sqlite::Connection& connection, const std::string& cause) {
  throw StoreError(fmt::format("cannot use the store '{}': {}", connection.path(), cause));
}

void apply(sqlite::Connection& connection, std::span<const std::string> steps) {
  sqlite::Transaction transaction(connection, sqlite::Transaction::Kind::write);
  // Another process may have been faster.
  const auto latest = static_cast<std::int64_t>(steps.size());
  const std::int64_t version = connection.integer("PRAGMA user_version");
  for (std::int64_t step = version; step < latest; ++step) connection.script(steps[static_cast<std::size_t>(step)]);
  if (version < latest)
    connection.script(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, latest));
  transaction.commit();
}

}  // namespace

std::span<const std::string> schema_steps() {
  // The view keeps nothing: the last step makes it, whatever view there was. Version 2 had more columns, version 3
  // names in snake_case throughout, version 4 the test error on noisy labels and the name of a penalty, version 5 the
  // hash of a target in a file, version 6 what a result rests on.
  static const std::string steps[] = {kVersion1, kDropView, kSnakeCase,
                                      kDropView, kDropView, kDropView + results_view()};
  return steps;
}

bool is_numeric_column(std::string_view name) {
  const std::vector<Column>& columns = results_columns();
  return std::any_of(columns.begin(), columns.end(),
                     [&](const Column& column) { return column.numeric && column.name == name; });
}

std::int64_t schema_version(sqlite::Connection& connection, std::int64_t latest) {
  // One view of the file: another process may be creating the tables.
  sqlite::Transaction transaction(connection, sqlite::Transaction::Kind::read);
  const bool empty = connection.integer("SELECT count(*) FROM sqlite_schema") == 0;
  const std::int64_t application = connection.integer("PRAGMA application_id");
  const std::int64_t version = connection.integer("PRAGMA user_version");
  transaction.commit();
  if (application != kApplicationId && !(empty && application == 0 && version == 0))
    refuse(connection, "it is the SQLite database of another program; give another name");
  if (version > latest)
    refuse(connection, fmt::format("it is of version {}, written by a newer attnlaw; this one knows versions up to {}: "
                                   "use the newer one, or a store of its own",
                                   version, latest));
  return version;
}

void migrate(sqlite::Connection& connection, std::span<const std::string> steps) {
  const auto latest = static_cast<std::int64_t>(steps.size());
  if (schema_version(connection, latest) < latest) apply(connection, steps);
}

}  // namespace attnlaw::study
