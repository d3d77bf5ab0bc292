#include "attnlaw/study/store/store.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <thread>

#include "attnlaw/base/fields/json.h"
#include "attnlaw/base/json_text.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/study/float64.h"
#include "attnlaw/study/store/process.h"
#include "attnlaw/study/store/schema.h"
#include "attnlaw/study/store/sqlite.h"

namespace attnlaw::study {
namespace {

using nlohmann::json;
using sqlite::Connection;
using sqlite::Query;
using sqlite::Transaction;

/// A process on another machine without a sign of life for this long counts as dead.
constexpr double kHeartbeatSeconds = 60;

/// Seconds since 1970: a clock that machines share.
double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

/// A log that readers and a writer share, where the file system can do that. The change needs the file for a moment
/// alone, and SQLite does not wait for that by itself.
void use_log(Connection& connection) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds kPatience{60};
  constexpr std::chrono::milliseconds kPause{5};
  const auto deadline = Clock::now() + kPatience;
  for (;;) try {
      connection.script("PRAGMA journal_mode = WAL");
      return;
    } catch (const sqlite::Error& error) {
      if (error.code != SQLITE_BUSY || Clock::now() > deadline) throw;
      std::this_thread::sleep_for(kPause);
    }
}

Connection open(const std::string& path, Store::Access access) {
  Connection connection(path, access);
  const auto latest = static_cast<std::int64_t>(schema_steps().size());
  const std::int64_t version = schema_version(connection, latest);
  if (access == Store::Access::read) {
    if (version == 0) throw sqlite::Error(path, "it is empty", "a store is made by attnlaw sweep", SQLITE_NOTADB);
    return connection;
  }
  if (access == Store::Access::memory) {
    migrate(connection);
    return connection;
  }
  use_log(connection);
  // In a log, a commit survives the death of the process; only a power failure may undo the last ones, whole.
  connection.script("PRAGMA synchronous = NORMAL");
  // Moving the log into the file flushes both to the disk: every 16 MB instead of every 4.
  connection.script("PRAGMA wal_autocheckpoint = 4000");
  migrate(connection);
  return connection;
}

/// The problem as a task of this kind has it: each kind leaves out what it does not read.
std::string problem_text(const model::Problem& problem, TaskKind kind) {
  Task task;
  task.kind = kind;
  task.problem = problem;
  return base::json_text(to_json(task).at("problem"));
}

/// A task as the table has it, with the hash of a target that a path alone does not tell.
std::string task_text(const Task& task) {
  nlohmann::json document = to_json(task);
  if (task.problem.target.spec().starts_with("file:")) document["target_hash"] = target_hash(task.problem.target);
  return base::json_text(document);
}

bool add(Connection& connection, const Store::Entry& entry) {
  const Outcome& outcome = entry.outcome;
  connection.run("DELETE FROM result WHERE key = ?1 AND status = 'failed'", entry.key);
  const auto text_if = [](bool present, const std::string& text) {
    return present ? std::optional(text) : std::nullopt;
  };
  const std::int64_t added = connection.run(
      "INSERT INTO result (key, code, task, status, error, figures, seconds, finished) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) ON CONFLICT (key) DO NOTHING",
      entry.key, entry.code, task_text(entry.task), base::name(outcome.status),
      text_if(!outcome.error.empty(), base::escaped(outcome.error)),
      text_if(!outcome.figures.is_null(), base::json_text(outcome.figures)), outcome.seconds);
  if (added == 0) return false;
  const std::int64_t id = connection.last_id();
  std::int64_t position = 0;
  for (const Array& array : outcome.arrays)
    connection.run("INSERT INTO array (result, position, name, data) VALUES (?1, ?2, ?3, ?4)", id, position++,
                   array.name, std::span<const std::byte>(little_endian(array.values)));
  return true;
}

std::vector<Array> arrays_of(Connection& connection, std::int64_t id) {
  std::vector<Array> arrays;
  const Query rows = connection.query("SELECT name, data FROM array WHERE result = ?1 ORDER BY position", id);
  while (rows->next()) arrays.push_back({rows->text(0), numbers_in(rows->blob(1))});
  return arrays;
}

void forget_dead_runs(Connection& connection) {
  std::vector<std::int64_t> dead;
  {
    const Query rows = connection.query("SELECT id, machine, pid, started, heartbeat FROM run");
    while (rows->next()) {
      const Process process{rows->text(1), rows->integer(2), rows->integer(3)};
      const bool recent = now() - rows->real(4) <= kHeartbeatSeconds;
      if (!is_alive(process).value_or(recent)) dead.push_back(rows->integer(0));
    }
  }
  for (const std::int64_t run : dead) connection.run("DELETE FROM run WHERE id = ?1", run);
}

/// Writes a sign of life, under a new number if there is none yet. Also brings back a run that others took for dead.
std::int64_t register_run(Connection& connection, std::optional<std::int64_t> run) {
  const Process process = this_process();
  connection.run(
      "INSERT INTO run (id, machine, pid, started, heartbeat) VALUES (?1, ?2, ?3, ?4, ?5) "
      "ON CONFLICT (id) DO UPDATE SET heartbeat = excluded.heartbeat",
      run, process.machine, process.pid, process.started, now());
  return run ? *run : connection.last_id();
}

/// Lets a statement read the results and nothing else.
int read_results_only(void*, int action, const char* table, const char*, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_READ:
      // A subquery without a table reads "".
      return std::set<std::string>{"result", "results", "array", "json_each", "json_tree", ""}.contains(table ? table
                                                                                                              : "")
                 ? SQLITE_OK
                 : SQLITE_DENY;
    default:
      return SQLITE_DENY;
  }
}

class ReadingResultsOnly {
 public:
  explicit ReadingResultsOnly(sqlite3* database) : database_(database) {
    sqlite3_set_authorizer(database_, read_results_only, nullptr);
  }
  ReadingResultsOnly(const ReadingResultsOnly&) = delete;
  ReadingResultsOnly& operator=(const ReadingResultsOnly&) = delete;
  ~ReadingResultsOnly() { sqlite3_set_authorizer(database_, nullptr, nullptr); }

 private:
  sqlite3* database_;
};

constexpr const char* kDamage = "see 'Damaged stores' in docs/store.md";

[[noreturn]] void report_damage(const std::string& path, const std::string& cause) {
  throw sqlite::Error(path, cause, kDamage, SQLITE_CORRUPT);
}

/// Reads a document that a result keeps.
json document_in(const std::string& path, const std::string& key, const char* what, const std::string& text) try {
  return base::parse_json(text);
} catch (const std::invalid_argument& error) {
  report_damage(path, fmt::format("the {} of result {} can no longer be read: {}", what, key, error.what()));
}

Outcome::Status status_in(const std::string& path, const std::string& key, const std::string& text) try {
  return base::value_of<Outcome::Status>("status", text);
} catch (const std::invalid_argument& error) {
  report_damage(path, fmt::format("result {} is damaged: {}", key, error.what()));
}

bool is_number_or_null(const json& value) { return value.is_number() || value.is_null(); }

bool is_kind(const json& value) {
  static const std::vector<std::string> kinds = base::names_of<TaskKind>();
  return value.is_string() && std::find(kinds.begin(), kinds.end(), value.get<std::string>()) != kinds.end();
}

/// Throws sqlite::Error if the figures of a result are not what its task leaves.
void require_figures(const std::string& path, const std::string& key, Outcome::Status status, const json& task,
                     const json& figures) {
  if (status == Outcome::Status::failed) return;
  const auto damaged = [&](const std::string& cause) {
    report_damage(path, fmt::format("the figures of result {} are damaged: {}", key, cause));
  };
  if (!figures.is_object() || figures.empty())
    damaged("they are " + (figures.is_null() ? "missing" : base::json_text(figures)));
  if (task.at("kind") == base::name(TaskKind::theory)) {
    for (const auto& [group, name] : {std::pair{"errors", "train"}, std::pair{"errors", "test"},
                                      std::pair{"errors", "estimation"}, std::pair{"diagnostics", "replicon"}}) {
      const json found = figures.value(group, json());
      if (!found.is_object() || !found.contains(name)) damaged(fmt::format("{}.{} is missing", group, name));
      if (!is_number_or_null(found[name]))
        damaged(fmt::format("{}.{} is {}", group, name, base::json_text(found[name])));
    }
  }
  const auto errors = figures.find("errors");
  if (errors == figures.end()) return;
  if (!errors->is_object()) damaged("errors is " + base::json_text(*errors));
  for (const auto& [name, value] : errors->items())
    if (!is_number_or_null(value)) damaged(fmt::format("errors.{} is {}", name, base::json_text(value)));
}

/// Throws sqlite::Error if the task of a result is none. Its problem is not read, as the file of a target may be gone.
void require_task(const std::string& path, const std::string& key, const json& task) {
  const auto damaged = [&](const std::string& cause) {
    report_damage(path, fmt::format("the task of result {} is damaged: {}", key, cause));
  };
  if (!task.is_object()) damaged("it is " + base::json_text(task));
  if (const json kind = task.value("kind", json()); !is_kind(kind)) damaged("its kind is " + base::json_text(kind));
  const json problem = task.value("problem", json());
  if (!problem.is_object()) damaged("its problem is " + base::json_text(problem));
  for (const char* name : {"alpha", "beta", "target_beta", "noise", "width"})
    if (const auto value = problem.find(name); value != problem.end() && !is_number_or_null(*value))
      damaged(fmt::format("its {} is {}", name, base::json_text(*value)));
}

/// SQLite calls a document of a result that is no JSON a mistake in the statement that reads it.
void require_documents(Connection& connection) {
  const Query row = connection.query(
      "SELECT key, CASE WHEN json_valid(task) THEN 'figures' ELSE 'task' END FROM result "
      "WHERE NOT json_valid(task) OR (figures IS NOT NULL AND NOT json_valid(figures)) LIMIT 1");
  if (row->next())
    report_damage(connection.path(),
                  fmt::format("the {} of result {} can no longer be read", row->text(1), row->text(0)));
}

/// A sound JSON document may still be no result. Whole documents are read of those alone that do not look like one.
void require_results(Connection& connection) {
  const Query row = connection.query(
      "SELECT key, status, figures, task FROM result WHERE coalesce(json_type(task, '$.problem'), '') <> 'object' OR "
      "(status <> 'failed' AND "
      "(figures IS NULL OR figures = '{}' OR substr(figures, 1, 1) <> '{' OR "
      "coalesce(json_type(figures, '$.errors'), 'object') <> 'object'))");
  while (row->next()) {
    const std::string key = row->text(0), figures = row->text(2);
    const json task = document_in(connection.path(), key, "task", row->text(3));
    require_task(connection.path(), key, task);
    require_figures(connection.path(), key, status_in(connection.path(), key, row->text(1)), task,
                    figures.empty() ? json() : document_in(connection.path(), key, "figures", figures));
  }
}

/// A mistake in the statement, not in the store.
bool is_mistake(const sqlite::Error& error) {
  return error.code == SQLITE_ERROR || error.code == SQLITE_AUTH || error.code == SQLITE_MISMATCH;
}

[[noreturn]] void reject_expression(Connection& connection, const std::string& where, const std::string& cause) {
  const Query view = connection.query("SELECT * FROM results LIMIT 0");
  std::string columns;
  for (int i = 0; i < view->columns(); ++i) columns += (i == 0 ? "" : ", ") + view->name(i);
  base::reject(
      "'{}' is no condition on results: {}. It is an SQL expression that reads, as in alpha > 0.3 AND student = "
      "'tied'; "
      "the columns are {}",
      where, cause, columns);
}

/// The condition stands in brackets: a comment in the condition ends before the bracket does.
sqlite::Statement prepare_select(Connection& connection, const std::string& where) {
  const std::string condition = where.empty() ? "1" : where + "\n";
  const auto prepare = [&](const std::string& sql) {
    sqlite::Statement statement(connection.handle(), connection.path(), sql);
    if (statement.parameters() > 0 || !statement.reads_only()) base::reject("parameters are not allowed");
    return statement;
  };
  const ReadingResultsOnly guard(connection.handle());
  // A condition that closes the bracket by itself and goes on may fit into one of these, but not into both.
  prepare("SELECT CASE WHEN (" + condition + ") THEN 1 END FROM results");
  return prepare("SELECT * FROM results WHERE (" + condition + ") ORDER BY id");
}

/// Throws sqlite::Error for a row whose columns are not what the view makes of a result.
void require_row(const std::string& path, const std::vector<std::string>& columns, const std::vector<json>& row) {
  const auto damaged = [&](std::size_t column) {
    const auto key = std::find(columns.begin(), columns.end(), "key") - columns.begin();
    report_damage(path,
                  fmt::format("result {} is damaged: its {} is {}", base::json_text(row[static_cast<std::size_t>(key)]),
                              columns[column], base::json_text(row[column])));
  };
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (is_numeric_column(columns[i]) && !is_number_or_null(row[i])) damaged(i);
    if (columns[i] == "kind" && !is_kind(row[i])) damaged(i);
  }
}

Store::Rows rows_of(const std::string& path, sqlite::Statement statement) {
  Store::Rows result;
  for (int i = 0; i < statement.columns(); ++i) result.columns.push_back(statement.name(i));
  while (statement.next()) {
    std::vector<json>& row = result.rows.emplace_back();
    for (int i = 0; i < statement.columns(); ++i) row.push_back(base::with_bytes(statement.value(i)));
    require_row(path, result.columns, row);
  }
  return result;
}

}  // namespace

struct Store::Database {
  std::string path;
  std::mutex mutex;  ///< guards all below
  Connection connection;
  std::optional<std::int64_t> run;  ///< under which this store holds claims
};

Store::Store(const std::string& path, Access access)
    : database_(new Database{.path = path, .mutex = {}, .connection = open(path, access), .run = std::nullopt}) {}

Store::Store(Store&&) noexcept = default;

Store::~Store() {
  if (!database_ || !database_->run) return;
  try {
    database_->connection.run("DELETE FROM run WHERE id = ?1", *database_->run);
  } catch (const StoreError&) {
    // The claims then last until this process ends.
  }
}

const std::string& Store::path() const { return database_->path; }

std::size_t Store::put(std::span<const Entry> entries) {
  const std::lock_guard lock(database_->mutex);
  Transaction transaction(database_->connection, Transaction::Kind::write);
  std::size_t added = 0;
  for (const Entry& entry : entries) added += add(database_->connection, entry) ? 1 : 0;
  transaction.commit();
  return added;
}

std::optional<Outcome> Store::find(const std::string& key, bool with_arrays) const {
  const std::lock_guard lock(database_->mutex);
  Connection& connection = database_->connection;
  Transaction transaction(connection, Transaction::Kind::read);
  const Query row =
      connection.query("SELECT id, status, error, figures, seconds, task FROM result WHERE key = ?1", key);
  if (!row->next()) return std::nullopt;
  Outcome outcome;
  outcome.status = status_in(database_->path, key, row->text(1));
  outcome.error = base::unescaped(row->text(2));
  if (const std::string figures = row->text(3); !figures.empty())
    outcome.figures = document_in(database_->path, key, "figures", figures);
  const json task = document_in(database_->path, key, "task", row->text(5));
  require_task(database_->path, key, task);
  require_figures(database_->path, key, outcome.status, task, outcome.figures);
  outcome.seconds = row->real(4);
  if (with_arrays) outcome.arrays = arrays_of(connection, row->integer(0));
  return outcome;
}

std::optional<json> Store::task(const std::string& key) const {
  const std::lock_guard lock(database_->mutex);
  const Query row = database_->connection.query("SELECT task FROM result WHERE key = ?1", key);
  if (!row->next()) return std::nullopt;
  json task = document_in(database_->path, key, "task", row->text(0));
  require_task(database_->path, key, task);
  return task;
}

std::vector<bool> Store::has(std::span<const std::string> keys, bool failed_too) const {
  const std::lock_guard lock(database_->mutex);
  Transaction transaction(database_->connection, Transaction::Kind::read);
  std::vector<bool> present;
  present.reserve(keys.size());
  for (const std::string& key : keys) {
    const Query row = database_->connection.query("SELECT status <> 'failed' FROM result WHERE key = ?1", key);
    present.push_back(row->next() && (failed_too || row->integer(0) != 0));
  }
  return present;
}

std::vector<std::string> Store::find(const model::Problem& problem) const {
  std::set<std::string> texts;
  for (const TaskKind kind : {TaskKind::theory, TaskKind::experiment, TaskKind::thresholds, TaskKind::scaling})
    texts.insert(problem_text(problem, kind));
  const std::lock_guard lock(database_->mutex);
  Transaction transaction(database_->connection, Transaction::Kind::read);
  std::vector<std::pair<std::int64_t, std::string>> found;
  for (const std::string& text : texts) {
    const Query rows =
        database_->connection.query("SELECT id, key FROM result WHERE json_extract(task, '$.problem') = ?1", text);
    while (rows->next()) found.emplace_back(rows->integer(0), rows->text(1));
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> keys;
  for (auto& [id, key] : found) keys.push_back(std::move(key));
  return keys;
}

Store::Count Store::count(const std::string& code) const {
  const std::lock_guard lock(database_->mutex);
  const Query row = database_->connection.query("SELECT count(*) FILTER (WHERE code = ?1), count(*) FROM result", code);
  row->next();
  const auto this_code = static_cast<std::size_t>(row->integer(0));
  return {this_code, static_cast<std::size_t>(row->integer(1)) - this_code};
}

std::vector<bool> Store::claim(std::span<const std::string> keys) {
  const std::lock_guard lock(database_->mutex);
  Connection& connection = database_->connection;
  Transaction transaction(connection, Transaction::Kind::write);
  forget_dead_runs(connection);
  const std::int64_t run = register_run(connection, database_->run);
  std::vector<bool> taken;
  taken.reserve(keys.size());
  for (const std::string& key : keys) {
    connection.run("INSERT INTO claim (key, run) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING", key, run);
    const Query owner = connection.query("SELECT run FROM claim WHERE key = ?1", key);
    owner->next();
    taken.push_back(owner->integer(0) == run);
  }
  transaction.commit();
  database_->run = run;
  return taken;
}

void Store::release(std::span<const std::string> keys) {
  const std::lock_guard lock(database_->mutex);
  if (!database_->run) return;
  Transaction transaction(database_->connection, Transaction::Kind::write);
  for (const std::string& key : keys)
    database_->connection.run("DELETE FROM claim WHERE key = ?1 AND run = ?2", key, *database_->run);
  transaction.commit();
}

void Store::heartbeat() {
  const std::lock_guard lock(database_->mutex);
  if (database_->run) register_run(database_->connection, database_->run);
}

void Store::settle() {
  const std::lock_guard lock(database_->mutex);
  Connection& connection = database_->connection;
  if (database_->run) connection.run("DELETE FROM run WHERE id = ?1", *database_->run);
  database_->run.reset();
  // Waits for nobody: what others still read is moved when they end.
  const Query log = connection.query("PRAGMA wal_checkpoint(PASSIVE)");
  log->next();
}

Store::Rows Store::select(const std::string& where) const {
  const std::lock_guard lock(database_->mutex);
  Connection& connection = database_->connection;
  try {
    Store::Rows rows = rows_of(database_->path, prepare_select(connection, where));
    require_results(connection);
    return rows;
  } catch (const sqlite::Error& error) {
    if (!is_mistake(error)) throw;
    require_documents(connection);
    reject_expression(connection, where, error.cause);
  } catch (const std::invalid_argument& error) {
    reject_expression(connection, where, error.what());
  }
}

std::string Store::integrity() const try {
  const std::lock_guard lock(database_->mutex);
  std::string faults;
  const Query rows = database_->connection.query("PRAGMA integrity_check");
  while (rows->next()) faults += (faults.empty() ? "" : "\n") + rows->text(0);
  return faults == "ok" ? "" : faults;
} catch (const sqlite::Error& error) {
  if (error.code != SQLITE_CORRUPT) throw;
  return error.cause;
}

}  // namespace attnlaw::study
