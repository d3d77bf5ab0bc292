#pragma once
/// Gives the values of enumerations their names in options, documents and messages.
///
/// An enumeration has names when `names_table(value)`, found by its argument, gives its table:
///
/// ```c++
/// std::span<const base::Named<Colour>> names_table(Colour);
/// ```

#include <concepts>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace attnlaw::base {

/// Returns a name as documents spell it: with underscores for the dashes of the command line.
std::string snake_case(std::string_view name);
/// Returns a name as the command line spells it: with dashes for underscores.
std::string dashed(std::string_view name);

/// Adds a name of a table to those that it has, as documents spell it. Throws std::invalid_argument if it is there, in
/// either spelling.
const std::string& add_name(std::set<std::string>& names, std::string_view name);

/// "a, b or c".
std::string alternatives(const std::vector<std::string>& words);

/// One value and its name; an array of them, in the order in which messages list them, is the table of an enumeration.
template <class Value>
struct Named {
  Value value;
  const char* name;
};

template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E value) {
  { names_table(value) } -> std::convertible_to<std::span<const Named<E>>>;
};

/// Throws std::logic_error for a value that its table lacks.
[[noreturn]] void throw_nameless();
/// Throws std::invalid_argument: "head must be softmax or linear, got 'x'".
[[noreturn]] void throw_unknown_name(std::string_view key, const std::vector<std::string>& accepted,
                                     std::string_view name);

/// Returns the name of a value. Throws std::logic_error if the table lacks it.
template <class Value>
constexpr const char* name_in(std::span<const Named<Value>> table, Value value) {
  for (const Named<Value>& entry : table)
    if (entry.value == value) return entry.name;
  throw_nameless();
}

/// Returns the value of a name. Throws std::invalid_argument for a name that the table lacks, with `key` (the field
/// that the name is for) and the names that are accepted.
template <class Value>
Value value_in(std::span<const Named<Value>> table, std::string_view key, std::string_view name) {
  std::vector<std::string> accepted;
  for (const Named<Value>& entry : table) {
    if (name == entry.name) return entry.value;
    accepted.emplace_back(entry.name);
  }
  throw_unknown_name(key, accepted, name);
}

template <class Value, std::size_t N>
constexpr const char* name_in(const Named<Value> (&table)[N], Value value) {
  return name_in(std::span<const Named<Value>>(table), value);
}
template <class Value, std::size_t N>
Value value_in(const Named<Value> (&table)[N], std::string_view key, std::string_view name) {
  return value_in(std::span<const Named<Value>>(table), key, name);
}

/// name, value_of and names_of look into the table of the enumeration itself.
template <NamedEnum E>
std::string name(E value) {
  return name_in(std::span<const Named<E>>(names_table(value)), value);
}
template <NamedEnum E>
E value_of(std::string_view key, std::string_view name) {
  return value_in(std::span<const Named<E>>(names_table(E{})), key, name);
}
template <NamedEnum E>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  for (const Named<E>& entry : names_table(E{})) names.emplace_back(entry.name);
  return names;
}

}  // namespace attnlaw::base
