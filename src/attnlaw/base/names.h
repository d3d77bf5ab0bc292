#pragma once
/// Enumerations and the names of their values in options, documents and messages.

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "attnlaw/base/reject.h"

namespace attnlaw::base {

/// The name of a field as documents spell it: underscores for the dashes that the command line has.
inline std::string snake_case(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

/// One value and its name; an array of them, in the order in which messages list them, is the table of an enumeration.
template <class Value>
struct Named {
  Value value;
  const char* name;
};

/// The name of a value; std::logic_error for one that the table lacks.
template <class Value, std::size_t N>
constexpr const char* name_in(const Named<Value> (&table)[N], Value value) {
  for (const Named<Value>& entry : table)
    if (entry.value == value) return entry.name;
  throw std::logic_error("a value without a name");
}

/// The value of a name; std::invalid_argument for any other, with `key`, what the name is of, and what is accepted.
template <class Value, std::size_t N>
Value value_in(const Named<Value> (&table)[N], const char* key, const std::string& name) {
  std::string accepted;
  for (std::size_t i = 0; i < N; ++i) {
    if (name == table[i].name) return table[i].value;
    accepted += (i == 0 ? "" : i + 1 == N ? " or " : ", ") + std::string(table[i].name);
  }
  reject("{} must be {}, got '{}'", key, accepted, name);
}

}  // namespace attnlaw::base
