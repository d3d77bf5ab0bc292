#pragma once
/// SQLite as the store uses it: resources as values, codes as StoreError.

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "attnlaw/study/store/store.h"

struct sqlite3;
struct sqlite3_stmt;

namespace attnlaw::study::sqlite {

/// A refusal by SQLite, which names the store, the cause and what to do.
struct Error : StoreError {
  Error(const std::string& path, const std::string& cause_, const std::string& advice, int result_code);
  std::string cause;
  int code;  ///< primary result code of SQLite
};

/// A prepared statement.
class Statement {
 public:
  /// Throws Error; std::invalid_argument if more than one statement stands in `sql`.
  Statement(sqlite3* database, const std::string& path, std::string_view sql);

  /// Parameters count from 1, columns from 0.
  void bind(int parameter, std::string_view text);
  void bind(int parameter, const std::string& text) { bind(parameter, std::string_view(text)); }
  void bind(int parameter, const char* text) { bind(parameter, std::string_view(text)); }
  void bind(int parameter, std::int64_t value);
  void bind(int parameter, double value);
  void bind(int parameter, std::nullptr_t);
  void bind(int parameter, std::span<const std::byte> blob);
  template <class Value>
  void bind(int parameter, const std::optional<Value>& value) {
    value ? bind(parameter, *value) : bind(parameter, nullptr);
  }

  /// Goes to the next row; false: there is none.
  bool next();
  /// Ready to run again; without this a read of the database goes on.
  void reset();

  int columns() const;
  std::string name(int column) const;
  std::string text(int column) const;  ///< empty if null
  std::int64_t integer(int column) const;
  double real(int column) const;
  /// Valid up to the next call of next or reset.
  std::span<const std::byte> blob(int column) const;
  /// A number, a string or null.
  nlohmann::json value(int column) const;

  int parameters() const;
  bool reads_only() const;

 private:
  void require(int code) const;

  sqlite3* database_;
  std::string path_;
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_;
};

/// A statement in use: reset at the end.
class Query {
 public:
  explicit Query(Statement& statement) : statement_(&statement) {}
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query() { statement_->reset(); }
  Statement* operator->() const { return statement_; }

 private:
  Statement* statement_;
};

/// One connection; not for several threads at once.
class Connection {
 public:
  /// Opens an existing or (Access::write) a new file without changing it. Throws Error.
  Connection(const std::string& path, Store::Access access);

  /// A prepared statement with its parameters bound, kept for the next time: one use at a time of the same text.
  template <class... Values>
  Query query(std::string_view sql, const Values&... values) {
    Statement& statement = prepared(sql);
    int parameter = 0;
    (statement.bind(++parameter, values), ...);
    return Query(statement);
  }
  /// Runs to the end; how many rows were inserted, deleted or updated.
  template <class... Values>
  std::int64_t run(std::string_view sql, const Values&... values) {
    const Query statement = query(sql, values...);
    while (statement->next()) {
    }
    return changes();
  }
  /// Any number of statements without parameters.
  void script(const std::string& sql);
  /// The integer that a statement answers first.
  std::int64_t integer(std::string_view sql);

  std::int64_t last_id() const;
  sqlite3* handle() const { return database_.get(); }
  const std::string& path() const { return path_; }

 private:
  Statement& prepared(std::string_view sql);
  std::int64_t changes() const;

  std::string path_;
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> database_;
  std::map<std::string, Statement, std::less<>> statements_;
};

/// All or nothing: rolled back unless committed.
class Transaction {
 public:
  enum class Kind { read, write };
  Transaction(Connection& connection, Kind kind);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace attnlaw::study::sqlite
