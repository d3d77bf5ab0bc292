#pragma once
/// The builders of a description, for the file that defines `describe`: a struct's own `<name>_fields.cc`.
///
/// ```c++
/// struct Point { double x = 0; int count = 1; double length() const { return std::abs(x); } };
/// const base::Description& describe(const Point*) {
///   static const base::Description description{"a point", {
///       base::field("x", &Point::x, {.symbol = "x", .range = {0, 10}, .doc = "where it is"}),
///       base::field("count", &Point::count, {.range = {1}, .doc = "how often it was seen"}),
///       base::figure("length", &Point::length, {.doc = "distance from 0"})}};
///   return description;
/// }
/// ```

#include <array>
#include <concepts>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "attnlaw/base/fields/description.h"
#include "attnlaw/base/fields/json.h"
#include "attnlaw/base/names.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::base {

/// A struct that says what its fields are.
template <class S>
concept Described = requires(const S* object) {
  { describe(object) } -> std::same_as<const Description&>;
};

namespace detail {

template <class T>
struct OptionalOf : std::false_type {};
template <class T>
struct OptionalOf<std::optional<T>> : std::true_type {
  using Item = T;
};
template <class T>
struct ListOf : std::false_type {};
template <class T, class A>
struct ListOf<std::vector<T, A>> : std::true_type {
  using Item = T;
};
template <class T, std::size_t N>
struct ListOf<std::array<T, N>> : std::true_type {
  using Item = T;
};

template <class S>
const Description& description_of() {
  return describe(static_cast<const S*>(nullptr));
}

}  // namespace detail

template <class T>
Type type_of() {
  if constexpr (std::same_as<T, nlohmann::json>) {
    return {Kind::value};  // before all others: a document converts to almost anything
  } else if constexpr (std::same_as<T, bool>) {
    return {Kind::flag};
  } else if constexpr (std::integral<T>) {
    return {Kind::integer};
  } else if constexpr (std::floating_point<T>) {
    return {Kind::number};
  } else if constexpr (std::convertible_to<T, std::string>) {
    return {Kind::text};
  } else if constexpr (NamedEnum<T>) {
    return {Kind::choice, names_of<T>()};
  } else if constexpr (detail::OptionalOf<T>::value) {
    return type_of<typename detail::OptionalOf<T>::Item>();
  } else if constexpr (detail::ListOf<T>::value) {
    return {Kind::list, {}, nullptr, std::make_shared<const Type>(type_of<typename detail::ListOf<T>::Item>())};
  } else if constexpr (Described<T>) {
    return {Kind::object, {}, &detail::description_of<T>};
  } else {
    static_assert(
        !std::same_as<T, T>,
        "a field is a number, text, flag, named enum, described struct, document, or a list or optional of these");
  }
}

/// A value as documents have it; NaN becomes null when it is written.
template <class T>
nlohmann::json value_json(const T& value) {
  if constexpr (NamedEnum<T>) {
    return std::string(name(value));
  } else if constexpr (detail::OptionalOf<T>::value) {
    return value ? value_json(*value) : nlohmann::json(nullptr);
  } else if constexpr (detail::ListOf<T>::value) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& item : value) list.push_back(value_json(item));
    return list;
  } else if constexpr (Described<T>) {
    return to_json(describe(&value), &value);
  } else {
    return value;
  }
}

/// Takes a value of a document. Throws std::invalid_argument that names the field, what it accepts and the value.
template <class T>
void read_value(const nlohmann::json& value, const std::string& field, T& out) {
  if constexpr (std::same_as<T, bool>) {
    out = read_flag(value, field);
  } else if constexpr (std::integral<T>) {
    using Limits = std::numeric_limits<T>;
    require_integer(value, field, static_cast<double>(Limits::min()), static_cast<double>(Limits::max()));
    out = value.get<T>();
  } else if constexpr (std::floating_point<T>) {
    out = read_number(value, field);
  } else if constexpr (std::same_as<T, std::string>) {
    out = read_text(value, field);
  } else if constexpr (NamedEnum<T>) {
    out = value_of<T>(field, read_text(value, field));
  } else if constexpr (detail::OptionalOf<T>::value) {
    if (value.is_null()) return out.reset();
    read_value(value, field, out.emplace());
  } else if constexpr (detail::ListOf<T>::value) {
    out.clear();
    // One value is a list of one.
    if (!value.is_array()) return read_value(value, field, out.emplace_back());
    for (const auto& item : value) read_value(item, field, out.emplace_back());
  } else if constexpr (Described<T>) {
    from_json(value, describe(&out), &out, field);
  } else {
    out = value;
  }
}

/// A field of S; `when` makes documents leave it out unless the condition holds.
template <class S>
struct FieldOf : Field {
  FieldOf when(bool (*condition)(const S&)) && {
    present = [condition, before = std::move(present)](const void* object) {
      return (!before || before(object)) && condition(*static_cast<const S*>(object));
    };
    return std::move(*this);
  }
  /// Words that a text may be, beside any other: they are offered where one is typed.
  FieldOf words(std::vector<std::string> known) && {
    type.choices = std::move(known);
    return std::move(*this);
  }
  /// How rows name the fields of a struct inside.
  FieldOf nested(Nesting how) && {
    nesting = how;
    return std::move(*this);
  }
};

/// A data member. An optional without a value is left out of documents.
template <class S, class T>
requires std::is_object_v<T> FieldOf<S> field(std::string name, T S::*member, About about) {
  FieldOf<S> made;
  made.name = name;
  made.type = type_of<T>();
  made.get = [member](const void* object) { return value_json(static_cast<const S*>(object)->*member); };
  made.set = [member, name, range = about.range](void* object, const nlohmann::json& value) {
    T& out = static_cast<S*>(object)->*member;
    read_value(value, name, out);
    require_all_in(range, name, value, type_of<T>().kind == Kind::integer);
  };
  if constexpr (detail::OptionalOf<T>::value)
    made.present = [member](const void* object) { return (static_cast<const S*>(object)->*member).has_value(); };
  if constexpr (Described<T>)
    made.part = [member](void* object) -> void* { return &(static_cast<S*>(object)->*member); };
  made.about = std::move(about);
  return made;
}

/// What is computed of a struct: a member function without arguments, or a function of the struct.
template <class S, class Function>
FieldOf<S> figure_of(std::string name, Function function, About about) {
  using T = std::remove_cvref_t<std::invoke_result_t<Function, const S&>>;
  FieldOf<S> made;
  made.name = std::move(name);
  made.type = type_of<T>();
  made.get = [function](const void* object) {
    return value_json(std::invoke(function, *static_cast<const S*>(object)));
  };
  if constexpr (detail::OptionalOf<T>::value)
    made.present = [function](const void* object) {
      return std::invoke(function, *static_cast<const S*>(object)).has_value();
    };
  made.about = std::move(about);
  return made;
}
template <class S, class T>
FieldOf<S> figure(std::string name, T (S::*function)() const, About about) {
  return figure_of<S>(std::move(name), function, std::move(about));
}

/// A field with a form of its own in documents: `get` writes it, `set` reads it (none: it is only written).
template <class S>
FieldOf<S> custom(std::string name, Type type, nlohmann::json (*get)(const S&), void (*set)(S&, const nlohmann::json&),
                  About about) {
  FieldOf<S> made;
  made.name = std::move(name);
  made.type = std::move(type);
  made.get = [get](const void* object) { return get(*static_cast<const S*>(object)); };
  if (set)
    made.set = [set, name = made.name, range = about.range, integer = made.type.kind == Kind::integer](
                   void* object, const nlohmann::json& value) {
      set(*static_cast<S*>(object), value);
      require_all_in(range, name, value, integer);
    };
  made.about = std::move(about);
  return made;
}

/// A struct inside, whose fields stand beside those of S.
template <class S, Described T>
FieldOf<S> flat(T S::*member) {
  FieldOf<S> made = field("", member, {});
  made.nesting = Nesting::flat;
  return made;
}

/// The fields of a base class.
template <class S, Described Base>
requires std::derived_from<S, Base> FieldOf<S> inherited() {
  FieldOf<S> made;
  made.type = type_of<Base>();
  made.nesting = Nesting::flat;
  made.part = [](void* object) -> void* { return static_cast<Base*>(static_cast<S*>(object)); };
  return made;
}

/// The document of a described struct, and back: `read` changes what the document has and leaves the rest, `from`
/// begins with a default one.
template <Described S>
nlohmann::json json_of(const S& object) {
  return to_json(describe(&object), &object);
}
template <Described S>
void read(const nlohmann::json& document, S& object, const std::string& what) {
  from_json(document, describe(&object), &object, what);
}

}  // namespace attnlaw::base
