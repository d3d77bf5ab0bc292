#include "attnlaw/study/store/schema.h"

#include <fmt/format.h>

namespace attnlaw::study {
namespace {

/// A result is kept as the task and the figures it consists of; the view takes columns out of them. Of a theory the
/// errors stand under $.errors, of an experiment at the top (docs/json.md).
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

/// The view, with columns of later versions after those of the problem and after the figures.
std::string results_view(const char* of_problem, const char* of_figures, const char* target_beta = "\"target-beta\"") {
  constexpr const char* kFirst = R"sql(
CREATE VIEW results AS SELECT
  key,
  json_extract(task, '$.kind') AS kind,
  json_extract(task, '$.problem.student') AS student,
  json_extract(task, '$.problem.head') AS head,
  json_extract(task, '$.problem.tokens') AS tokens,
)sql";
  constexpr const char* kMiddle = R"sql(
  json_extract(task, '$.problem.alpha') AS alpha,
  coalesce(json_extract(figures, '$.lambda'), json_extract(task, '$.problem.lambda')) AS lambda,
  CASE json_type(task, '$.problem.lambda') WHEN 'text' THEN json_extract(task, '$.problem.lambda') END AS lambda_rule,
  json_extract(task, '$.problem.beta') AS beta,
  json_extract(task, '$.problem.{}') AS target_beta,
  json_extract(task, '$.problem.noise') AS noise,
  json_extract(task, '$.problem.target') AS target,
  json_extract(task, '$.problem.width') AS width,
  json_extract(task, '$.experiment.d') AS d,
  json_extract(task, '$.experiment.instance') AS instance,
  json_extract(task, '$.experiment.seed') AS seed,
  json_extract(task, '$.experiment.trainer') AS trainer,
  json_extract(task, '$.experiment.precision') AS precision,
  json_extract(task, '$.accuracy') AS accuracy,
  json_extract(task, '$.continued') AS continued,
  status,
  coalesce(error, json_extract(figures, '$.diagnostics.message')) AS error,
  coalesce(json_extract(figures, '$.errors.train'), json_extract(figures, '$.train')) AS train,
  coalesce(json_extract(figures, '$.errors.test'), json_extract(figures, '$.test')) AS test,
  coalesce(json_extract(figures, '$.errors.estimation'), json_extract(figures, '$.estimation')) AS estimation,
  coalesce(json_extract(figures, '$.errors.objective'), json_extract(figures, '$.objective')) AS objective,
  coalesce(json_extract(figures, '$.overlaps.q'), json_extract(figures, '$.q')) AS q,
  coalesce(json_extract(figures, '$.overlaps.m'), json_extract(figures, '$.m')) AS m,
  json_extract(figures, '$.overlaps.V') AS V,
  coalesce(json_extract(figures, '$.overlaps.Q_star'), json_extract(figures, '$.Q_star')) AS Q_star,
  json_extract(figures, '$.kkt') AS kkt,
  json_extract(figures, '$.diagnostics.replicon') AS replicon,
  json_extract(figures, '$.spectrum.zero_mass') AS zero_mass,
  json_extract(figures, '$.theory.train') AS theory_train,
  json_extract(figures, '$.theory.test') AS theory_test,
  json_extract(figures, '$.theory.estimation') AS theory_estimation,
  json_extract(figures, '$.recovery.alpha') AS recovery,
  json_extract(figures, '$.interpolation.alpha') AS interpolation,
  json_extract(figures, '$.bayes_recovery.alpha') AS bayes_recovery,
)sql";
  constexpr const char* kLast = R"sql(
  seconds,
  code,
  finished,
  id
FROM result;
)sql";
  return fmt::format("{}{}{}{}{}", kFirst, of_problem, fmt::format(kMiddle, target_beta), of_figures, kLast);
}

/// Version 2: attention, readout, labels and loss of the problem; what the losses have beside their own value.
constexpr const char* kProblemColumns2 = R"sql(
  json_extract(task, '$.problem.attention') AS attention,
  json_extract(task, '$.problem.readout') AS readout,
  json_extract(task, '$.problem.labels') AS labels,
  json_extract(task, '$.problem.loss') AS loss,
)sql";
constexpr const char* kFigureColumns2 = R"sql(
  coalesce(json_extract(figures, '$.loss_figures.excess_test'), json_extract(figures, '$.excess_test')) AS excess_test,
  coalesce(json_extract(figures, '$.loss_figures.squared_test'), json_extract(figures, '$.squared_test'))
    AS squared_test,
  coalesce(json_extract(figures, '$.loss_figures.sign_error'), json_extract(figures, '$.sign_error')) AS sign_error,
)sql";

/// The step to version 3: two names of a task that had a dash.
constexpr const char* kSnakeCase = R"sql(
UPDATE result SET task = replace(replace(task, '"target-beta":', '"target_beta":'), '"max-iterations":', '"max_iterations":');
DROP VIEW results;
)sql";

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
  static const std::string steps[] = {kVersion1 + results_view("", ""),
                                      "DROP VIEW results;" + results_view(kProblemColumns2, kFigureColumns2),
                                      // Version 3: names in snake_case throughout.
                                      kSnakeCase + results_view(kProblemColumns2, kFigureColumns2, "target_beta")};
  return steps;
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
