#pragma once
/// Builds descriptions. Only the file that defines `describe`, a struct's own `<name>_fields.cc`, includes this.
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

/// Holds for a struct that has a `describe` beside it.
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

template <class T>
concept DescribedOptional = Described<typename OptionalOf<T>::Item>;

template <class S>
const Description& description_of() {
  return describe(static_cast<const S*>(nullptr));
}

}  // namespace detail

template <class T>
Type type_of() {
  if constexpr (std::same_as<T, nlohmann::json>) {
    return {Kind::value};  // comes first, as a document converts to almost anything
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

/// Returns a value as documents write it; NaN becomes null when the document is written out.
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

/// Stores a value of a document in `out`. Throws std::invalid_argument that names the field, what it accepts and the
/// value.
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
    // A single value stands for a list of one.
    if (!value.is_array()) return read_value(value, field, out.emplace_back());
    for (const auto& item : value) read_value(item, field, out.emplace_back());
  } else if constexpr (Described<T>) {
    from_json(value, describe(&out), &out, field);
  } else {
    out = value;
  }
}

/// A field of S that can be refined as it is built: field(...).when(...).nested(...).
template <class S>
struct FieldOf : Field {
  /// Makes documents leave the field out unless the condition holds.
  FieldOf when(bool (*condition)(const S&)) && {
    present = [condition, before = std::move(present)](const void* object) {
      return (!before || before(object)) && condition(*static_cast<const S*>(object));
    };
    return std::move(*this);
  }
  /// How it takes a value of a document: set(object, value), before the range is looked at.
  template <class Set>
  FieldOf read_by(Set take) && {
    set = [take, name = name, range = about.range, integer = type.kind == Kind::integer](void* object,
                                                                                         const nlohmann::json& value) {
      take(*static_cast<S*>(object), value);
      require_all_in(range, name, value, integer);
    };
    return std::move(*this);
  }
  /// Words that a text may be, beside any other: they are offered where one is typed.
  FieldOf words(std::vector<std::string> known) && {
    type.choices = std::move(known);
    return std::move(*this);
  }
  /// Documents have it without a value, too: as null.
  FieldOf nullable() && {
    present = nullptr;
    return std::move(*this);
  }
  /// How rows name the fields of a struct inside.
  FieldOf nested(Nesting how) && {
    nesting = how;
    return std::move(*this);
  }
};

namespace detail {

/// What turns a value into a document and back, its type erased: once for each type, whatever struct it is in.
struct Accessors {
  nlohmann::json (*get)(const void*);
  void (*read)(const nlohmann::json&, const std::string& field, void*);
  bool (*has_value)(const void*) = nullptr;  ///< of an optional
};

template <class T>
Accessors accessors() {
  Accessors made{[](const void* value) { return value_json(*static_cast<const T*>(value)); },
                 [](const nlohmann::json& value, const std::string& field, void* out) {
                   read_value(value, field, *static_cast<T*>(out));
                 }};
  if constexpr (OptionalOf<T>::value)
    made.has_value = [](const void* value) { return static_cast<const T*>(value)->has_value(); };
  return made;
}

/// Returns the field of the member that `place` finds in a struct.
Field member_field(std::string_view name, const About& about, Type type, const std::function<void*(void*)>& place,
                   const Accessors& accessors);

}  // namespace detail

/// What is computed of a struct: a member function without arguments, or a function of the struct. Without a value an
/// optional is left out of documents.
template <class S, class Function>
FieldOf<S> figure_of(std::string_view name, Function function, const About& about) {
  using T = std::remove_cvref_t<std::invoke_result_t<Function, const S&>>;
  const auto value_of = [function](const void* object) -> decltype(auto) {
    return std::invoke(function, *static_cast<const S*>(object));
  };
  FieldOf<S> made{{std::string(name), about, type_of<T>()}};
  made.get = [value_of](const void* object) { return value_json(value_of(object)); };
  if constexpr (detail::OptionalOf<T>::value)
    made.present = [value_of](const void* object) { return value_of(object).has_value(); };
  return made;
}
template <class S, class T>
FieldOf<S> figure(std::string_view name, T (S::*function)() const, const About& about) {
  return figure_of<S>(name, function, about);
}

/// A data member.
template <class S, class T>
requires std::is_object_v<T> FieldOf<S> field(std::string_view name, T S::*member, const About& about) {
  const auto place = [member](void* object) -> void* { return &(static_cast<S*>(object)->*member); };
  return {detail::member_field(name, about, type_of<T>(), place, detail::accessors<T>())};
}

/// A field with a form of its own in documents: `get` writes it, `set` reads it (null: it is only written).
template <class S, class Get, class Set>
FieldOf<S> custom(std::string_view name, Type type, Get get, Set set, const About& about) {
  FieldOf<S> made{{std::string(name), about, std::move(type)}};
  made.get = [get](const void* object) { return get(*static_cast<const S*>(object)); };
  if constexpr (std::same_as<Set, std::nullptr_t>)
    return made;
  else
    return std::move(made).read_by(set);
}

/// A struct inside, if there is one, whose fields stand beside those of S.
template <class S, class T>
requires Described<T> || detail::DescribedOptional<T> FieldOf<S> flat(T S::*member) {
  FieldOf<S> made{{"", {}, type_of<T>(), Nesting::flat}};
  made.part = [member](void* object) -> void* {
    auto& part = static_cast<S*>(object)->*member;
    if constexpr (Described<T>)
      return &part;
    else
      return &*part;
  };
  if constexpr (!Described<T>)
    made.present = [member](const void* object) { return (static_cast<const S*>(object)->*member).has_value(); };
  return made;
}

/// Describes the fields of a base class of S, beside those of S.
template <class S, Described Base>
requires std::derived_from<S, Base> FieldOf<S> inherited() {
  FieldOf<S> made;
  made.type = type_of<Base>();
  made.nesting = Nesting::flat;
  made.part = [](void* object) -> void* { return static_cast<Base*>(static_cast<S*>(object)); };
  return made;
}

/// json_of returns the document of a described struct; `read` sets the fields that a document has and leaves the
/// others. `what` names the document in messages.
template <Described S>
nlohmann::json json_of(const S& object) {
  return to_json(describe(&object), &object);
}
template <Described S>
void read(const nlohmann::json& document, S& object, const std::string& what) {
  from_json(document, describe(&object), &object, what);
}

}  // namespace attnlaw::base
