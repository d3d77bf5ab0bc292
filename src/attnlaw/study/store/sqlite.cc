#include "attnlaw/study/store/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "attnlaw/base/reject.h"

namespace attnlaw::study::sqlite {
namespace {

namespace fs = std::filesystem;

/// The time that one process waits for another one's transaction: far longer than any put takes.
constexpr int kBusyMilliseconds = 60000;

int primary(int code) { return code & 0xff; }

const char* advice(int code) {
  switch (primary(code)) {
    case SQLITE_NOTADB:
      return "it is not a store; give another name";
    case SQLITE_CORRUPT:
      return "the file is damaged and was left as it is; take a copy from before, or see 'Damaged stores' in "
             "docs/store.md";
    case SQLITE_FULL:
      return "the disk is full: free some space and run again; what was stored before is safe";
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return "make the file and its directory writable, or use a copy";
    case SQLITE_CANTOPEN:
      return "the directory must exist and be writable";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process keeps it locked: see whether that one hangs, and try again";
    case SQLITE_IOERR:
      return "see whether the disk is full or failing, and run again; what was stored before is safe";
    default:
      return "what was stored before is safe";
  }
}

/// The message of SQLite, and that of the system beneath it.
std::string cause_of(sqlite3* database, int code) {
  std::string text = database ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  const int system = database ? sqlite3_system_errno(database) : 0;
  const bool of_files = primary(code) == SQLITE_CANTOPEN || primary(code) == SQLITE_IOERR;
  if (of_files && system != 0) text += fmt::format(" ({})", std::strerror(system));
  return text;
}

[[noreturn]] void fail(const std::string& path, sqlite3* database, int code) {
  throw Error(path, cause_of(database, code), advice(code), code);
}

/// The path as a URI: no name means anything special to SQLite then.
std::string uri_of(const std::string& path, const char* query) {
  std::string uri = "file://";
  for (const char c : fs::absolute(path).string())
    uri += c == '%' || c == '?' || c == '#' ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  return uri + query;
}

bool allows(const fs::path& path, int mode) { return access(path.c_str(), mode) == 0; }

/// Transactions of a writer that are not yet in the file itself.
bool has_pending(const std::string& path) {
  std::error_code none;
  const auto size = fs::file_size(path + "-wal", none);
  return !none && size > 0;
}

void require_possible(const std::string& path, Store::Access access) {
  std::error_code unreadable;
  const fs::file_status status = fs::status(path, unreadable);
  if (path.empty() || (access == Store::Access::read && status.type() == fs::file_type::not_found))
    throw Error(path, "there is no such file", "a store is made by attnlaw sweep", SQLITE_CANTOPEN);
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw Error(path, fs::is_directory(status) ? "it is a directory" : "it is not a regular file",
                "give the name of a file", SQLITE_CANTOPEN);
}

/// SQLite itself opens for reading what it may not write, and leaves its log beside it.
void require_writable(const std::string& path) {
  if (fs::exists(path) && !allows(path, W_OK))
    throw Error(path, std::strerror(errno), advice(SQLITE_READONLY), SQLITE_READONLY);
}

/// SQLite itself takes a file of a few bytes for a new database, and overwrites it.
void require_database(const std::string& path) {
  constexpr std::string_view kBeginning("SQLite format 3\0", 16);
  std::array<char, kBeginning.size()> beginning{};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  // What does not exist yet may be made by another process in the next moment.
  if (!file && errno != ENOENT) throw Error(path, std::strerror(errno), advice(SQLITE_READONLY), SQLITE_CANTOPEN);
  file.read(beginning.data(), beginning.size());
  const auto size = static_cast<std::size_t>(file.gcount());
  if (size > 0 && std::string_view(beginning.data(), size) != kBeginning)
    throw Error(path, "the file is not a database", advice(SQLITE_NOTADB), SQLITE_NOTADB);
}

/// Flags that leave no trace of reading. A connection that may write removes its shared memory and its log when
/// it is the last one; where it may not write, and no writer has left anything in the log, the file is read as it is.
std::pair<int, const char*> way_to_read(const std::string& path) {
  const fs::path directory = fs::absolute(path).parent_path();
  if (allows(path, W_OK) && allows(directory, W_OK)) return {SQLITE_OPEN_READWRITE, ""};
  return {SQLITE_OPEN_READONLY, has_pending(path) ? "" : "?immutable=1"};
}

}  // namespace

Error::Error(const std::string& path, const std::string& cause_, const std::string& advice, int result_code)
    : StoreError(fmt::format("cannot use the store '{}': {}; {}", path, cause_, advice)),
      cause(cause_),
      code(primary(result_code)) {}

Statement::Statement(sqlite3* database, const std::string& path, std::string_view sql)
    : database_(database), path_(path), statement_(nullptr, sqlite3_finalize) {
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement, &rest);
  statement_.reset(statement);
  require(code);
  const std::string_view tail(rest, static_cast<std::size_t>(sql.data() + sql.size() - rest));
  if (tail.find_first_not_of(" \t\r\n") != std::string_view::npos)
    base::reject("one statement at a time, got a second one: {}", tail);
}

void Statement::require(int code) const {
  if (code != SQLITE_OK) fail(path_, database_, code);
}

void Statement::bind(int parameter, std::string_view text) {
  require(sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}
void Statement::bind(int parameter, std::int64_t value) {
  require(sqlite3_bind_int64(statement_.get(), parameter, value));
}
void Statement::bind(int parameter, double value) { require(sqlite3_bind_double(statement_.get(), parameter, value)); }
void Statement::bind(int parameter, std::nullptr_t) { require(sqlite3_bind_null(statement_.get(), parameter)); }
void Statement::bind(int parameter, std::span<const std::byte> blob) {
  // A null pointer would bind null instead of an empty blob.
  const void* data = blob.empty() ? static_cast<const void*>("") : blob.data();
  require(sqlite3_bind_blob64(statement_.get(), parameter, data, blob.size(), SQLITE_TRANSIENT));
}

bool Statement::next() {
  const int code = sqlite3_step(statement_.get());
  if (code != SQLITE_ROW && code != SQLITE_DONE) fail(path_, database_, code);
  return code == SQLITE_ROW;
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

int Statement::columns() const { return sqlite3_column_count(statement_.get()); }
std::string Statement::name(int column) const { return sqlite3_column_name(statement_.get(), column); }

std::string Statement::text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_.get(), column);
  if (!text) return {};
  return {reinterpret_cast<const char*>(text),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::span<const std::byte> Statement::blob(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  return {static_cast<const std::byte*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

nlohmann::json Statement::value(int column) const {
  switch (sqlite3_column_type(statement_.get(), column)) {
    case SQLITE_INTEGER:
      return integer(column);
    case SQLITE_FLOAT:
      return real(column);
    case SQLITE_NULL:
      return nullptr;
    default:
      return text(column);
  }
}

int Statement::parameters() const { return sqlite3_bind_parameter_count(statement_.get()); }
bool Statement::reads_only() const { return sqlite3_stmt_readonly(statement_.get()) != 0; }

Connection::Connection(const std::string& path, Store::Access access) : path_(path), database_(nullptr, sqlite3_close) {
  const bool reading = access == Store::Access::read, in_memory = access == Store::Access::memory;
  if (!in_memory) {
    require_possible(path, access);
    require_database(path);
  }
  if (access == Store::Access::write) require_writable(path);
  const bool pending = reading && has_pending(path);
  const auto [flags, query] = reading ? way_to_read(path) : std::pair{SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, ""};
  const std::string place = in_memory ? ":memory:" : uri_of(path, query);
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(place.c_str(), &database, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(database);
  if (code != SQLITE_OK) fail(path, database, code);
  sqlite3_extended_result_codes(database, 1);
  sqlite3_busy_timeout(database, kBusyMilliseconds);
  // Otherwise a mistyped "column" is a string, silently.
  sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  script("PRAGMA foreign_keys = ON");
  if (!reading) return;
  script("PRAGMA query_only = ON");
  // Entries that a killed writer left in the log are read there, and moved into the file by the next writer.
  if (pending) sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

void Connection::script(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(path_, database_.get(), code);
}

std::int64_t Connection::integer(std::string_view sql) {
  const Query statement = query(sql);
  statement->next();
  return statement->integer(0);
}

std::int64_t Connection::last_id() const { return sqlite3_last_insert_rowid(database_.get()); }
std::int64_t Connection::changes() const { return sqlite3_changes64(database_.get()); }

Statement& Connection::prepared(std::string_view sql) {
  const auto kept = statements_.find(sql);
  if (kept != statements_.end()) return kept->second;
  return statements_.emplace(sql, Statement(database_.get(), path_, sql)).first->second;
}

Transaction::Transaction(Connection& connection, Kind kind) : connection_(connection) {
  connection_.run(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  // A full disk has rolled back already.
  if (open_ && sqlite3_get_autocommit(connection_.handle()) == 0)
    sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  connection_.run("COMMIT");
  open_ = false;
}

}  // namespace attnlaw::study::sqlite
