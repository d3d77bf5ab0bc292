#pragma once
/// The tables of a store and how an older store becomes a newer one (docs/store.md).

#include <span>
#include <string_view>

#include "attnlaw/study/store/sqlite.h"

namespace attnlaw::study {

/// "attn" in ASCII: in PRAGMA application_id, what tells a store from other SQLite databases.
inline constexpr std::int64_t kApplicationId = 0x6174746e;

/// Step v (from 0) takes a store of version v to version v + 1; an empty database has version 0. A released step never
/// changes a table in another way: a new version is a new step.
std::span<const std::string> schema_steps();

/// Tells whether the view of results shows a number, or nothing, in a column.
bool is_numeric_column(std::string_view name);

/// The version of a store, in PRAGMA user_version. Throws StoreError for a database of another program and for a store
/// of a version later than `latest`; 0 for an empty database.
std::int64_t schema_version(sqlite::Connection& connection, std::int64_t latest);

/// Takes a store through the steps it has not had, in one transaction; changes nothing if it has had all of them.
void migrate(sqlite::Connection& connection, std::span<const std::string> steps = schema_steps());

}  // namespace attnlaw::study
