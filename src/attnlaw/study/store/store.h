#pragma once
/// Results on disk: an SQLite database that survives whatever happens to its writers (docs/store.md).

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "attnlaw/study/outcome.h"
#include "attnlaw/study/task.h"

namespace attnlaw::study {

/// The store cannot be opened, read or written: missing, not a database, damaged, of a newer version, read-only, disk
/// full. The message names the path, the cause and what to do.
struct StoreError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One store opened by one process. Safe to use from several threads; several processes may use one store.
class Store {
 public:
  enum class Access {
    write,  ///< created if it is not there, migrated if it is of an older version
    read,   ///< changes nothing, not even the version
    memory  ///< no file: the results end with this object, and the path only names it in messages
  };
  explicit Store(const std::string& path, Access access = Access::write);
  Store(Store&&) noexcept;
  ~Store();

  const std::string& path() const;

  /// One result as it goes in.
  struct Entry {
    std::string key;
    std::string code;
    Task task;
    Outcome outcome;
  };
  /// Adds results in one transaction; on return they survive a kill of this process. A key that is there keeps its
  /// result, except a failed one, which is replaced. Returns how many were added or replaced.
  std::size_t put(std::span<const Entry> entries);

  /// The result under a key.
  std::optional<Outcome> find(const std::string& key, bool with_arrays = true) const;
  /// The task of a result (to_json of it) as it was stored.
  std::optional<nlohmann::json> task(const std::string& key) const;
  /// The keys among these that have a result, in order (a failed one counts only if `failed_too`).
  std::vector<bool> has(std::span<const std::string> keys, bool failed_too) const;
  /// All results of a problem (equal to_json), of any code: their keys.
  std::vector<std::string> find(const model::Problem& problem) const;

  /// Number of results, of this code and of others.
  struct Count {
    std::size_t this_code = 0, other_codes = 0;
  };
  Count count(const std::string& code) const;

  /// Takes those of `keys` that nobody else is computing: claims last until release, the end of this Store, or the
  /// death of this process (a process on another machine counts as dead when its heartbeat is older than a minute).
  /// Returns which were taken, in order.
  std::vector<bool> claim(std::span<const std::string> keys);
  void release(std::span<const std::string> keys);
  /// Renews the heartbeat: to be called every few seconds while claims are held.
  void heartbeat();

  /// Ends the claims and moves the log into the file, flushed to the disk. The end of this Store does the same, but
  /// cannot say that it failed; all that was put is safe in either case.
  void settle();

  /// Columns and rows of the view `results` (docs/store.md), in order of computation. `where`: an SQL expression on
  /// its columns; empty: all rows. Reads only. Throws std::invalid_argument for an expression that is none, or that
  /// would do more than read.
  struct Rows {
    std::vector<std::string> columns;
    std::vector<std::vector<nlohmann::json>> rows;  ///< numbers, strings and nulls
  };
  Rows select(const std::string& where) const;

  /// The complaints of `PRAGMA integrity_check`; empty if all is well.
  std::string integrity() const;

 private:
  struct Database;
  std::unique_ptr<Database> database_;
};

}  // namespace attnlaw::study
