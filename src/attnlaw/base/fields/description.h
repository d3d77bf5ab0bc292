#pragma once
/// A struct describes its fields once. Everything that reads, writes, documents or asks for them follows from that
/// description: JSON and TOML (json.h), the command line (text.h), rows of tables (rows.h), the schema (schema.h).
///
/// A struct is described by a function beside it, `const base::Description& describe(const S*)`, which is found by its
/// argument and written with the builders of fields.h.

#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "attnlaw/base/describe.h"

namespace attnlaw::base {

/// A number is in the range if least ≤ x ≤ most, or least < x ≤ most for an open range.
struct Range {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool open = false;

  bool bounded() const { return least > -std::numeric_limits<double>::infinity() || above(); }
  bool above() const { return most < std::numeric_limits<double>::infinity(); }
};

inline constexpr Range kPositive{0, std::numeric_limits<double>::infinity(), true};

/// Tells people what a field is and what it accepts. The texts live as long as the program: they are literals, which
/// compile in a fraction of the time of strings.
struct About {
  std::string_view symbol = {};  ///< how formulas write it: "α"
  std::string_view unit = {};    ///< "n/d²"; empty for pure numbers
  Range range = {};
  std::string_view doc = {};         ///< one sentence, or the part of one that says what the field is
  bool required = false;             ///< there is no default: leaving it out is an error
  std::string_view accepts = {};     ///< what it accepts, in words, where type and range do not say it
  std::string_view otherwise = {};   ///< the default in words, where it is not the value in a default struct
  std::string_view value_name = {};  ///< the word for a value in the help: "FILE"
  bool positional = false;           ///< the command line takes its value without a name
};

enum class Kind {
  number,
  integer,
  flag,    ///< true or false
  text,    ///< any string
  choice,  ///< one of a few words
  value,   ///< a number or a word: the field's own `set` tells which
  list,    ///< any number of values of one type
  object   ///< a described struct, or without a description any JSON object
};

struct Type {
  Kind kind = Kind::value;
  std::vector<std::string> choices = {};
  const Description& (*object)() = nullptr;
  std::shared_ptr<const Type> item = {};
};

/// Says how the fields of an inner struct are named.
enum class Nesting {
  own,       ///< the inner struct is an object of its own
  flat,      ///< its fields stand beside those of the outer struct
  suffixed,  ///< as own, but the column of sampling_error.test is test_sampling_error
  prefixed   ///< as own, but the column of sampling_error.test is sampling_error_test
};

/// One field of a struct whose type is erased: the functions take pointers to the described struct.
struct Field {
  std::string name;
  About about;
  Type type;
  Nesting nesting = Nesting::own;
  /// Its value in documents.
  std::function<nlohmann::json(const void*)> get = {};
  /// Takes a value of a document; empty for what is only computed. Throws std::invalid_argument.
  std::function<void(void*, const nlohmann::json&)> set = {};
  /// Whether documents have the field; empty: always.
  std::function<bool(const void*)> present = {};
  bool in(const void* object) const { return !present || present(object); }
  /// The address of a struct inside; empty for all others.
  std::function<void*(void*)> part = {};
};

struct Description {
  std::string doc;  ///< what the struct is, one sentence
  std::vector<Field> fields;
};

/// Is thrown when a required field was left out; what() says what the field accepts.
struct MissingField : std::invalid_argument {
  MissingField(std::string name, std::string accepts);
  std::string field, accepted;
};

/// Calls visit(field) for every field, those of flat parts in the place of the part; of parts that exclude each other
/// and share a name, for the first.
void for_each_field(const Description& description, const std::function<void(const Field&)>& visit);

/// The same for an object, with the address of the struct that a field belongs to; flat parts that it lacks are left
/// out.
void for_each_field(const Description& description, void* object,
                    const std::function<void(const Field&, void*)>& visit);

/// The field of this name, flat ones included; null if there is none.
const Field* find_field(const Description& description, std::string_view name);
std::vector<std::string> field_names(const Description& description);

/// Says in words what a field accepts: "a number > 0", "softmax, linear or hardmax".
std::string accepted(const Field& field);

/// Throws std::invalid_argument unless a number, or an integer, lies in the range: "alpha must be a finite number > 0,
/// got -1".
void require_in(const Range& range, std::string_view name, double value, bool integer = false);

/// Applies require_in to every number of a described struct.
void require_in_ranges(const Description& description, const void* object);

/// Throws std::invalid_argument unless a word is among the accepted ones: the complaint, "; accepted: …", and the
/// nearest.
void require_among(std::string_view word, const std::vector<std::string>& accepted, std::string_view complaint);
/// The same for a key of `what`: "unknown key 'alpa' in a problem; accepted: …".
void require_known(std::string_view key, const std::vector<std::string>& accepted, std::string_view what);

/// "; did you mean 'x'?" where a word differs by a slip from one that is accepted, else nothing.
std::string suggestion(std::string_view word, const std::vector<std::string>& accepted);

}  // namespace attnlaw::base
