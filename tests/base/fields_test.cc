/// One description of a struct, and all that follows from it.

#include "attnlaw/base/fields/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "attnlaw/base/fields/rows.h"
#include "attnlaw/base/fields/schema.h"
#include "attnlaw/base/fields/text.h"

namespace attnlaw::base {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

enum class Colour { red, dark_blue };

std::span<const Named<Colour>> names_table(Colour) {
  static constexpr Named<Colour> kColours[] = {{Colour::red, "red"}, {Colour::dark_blue, "dark-blue"}};
  return kColours;
}

struct Inner {
  double q = 1;
  std::vector<double> roots = {1.5, 2};
};

const Description& describe(const Inner*) {
  static const Description description{"what is inside",
                                       {field("q", &Inner::q, {.symbol = "q", .doc = "its square"}),
                                        field("roots", &Inner::roots, {.doc = "where it vanishes"})}};
  return description;
}

struct Ratio {
  double value = 0.5;
};

const Description& describe(const Ratio*) {
  static const Description description{"a ratio",
                                       {field("ratio", &Ratio::value, {.range = {0, 1}, .doc = "of two things"})}};
  return description;
}

struct Outer : Ratio {
  double alpha = 1;
  int tokens = 2;
  std::uint64_t seed = 0;
  bool fast = false;
  Colour colour = Colour::red;
  std::string file;
  std::optional<double> limit;
  Inner inner, error;

  double twice() const { return 2 * alpha; }
};

const Description& describe(const Outer*) {
  using O = Outer;
  static const Description description{
      "a toy",
      {field("alpha", &O::alpha,
             {.symbol = "α", .unit = "n/d²", .range = {0, 10, true}, .doc = "how many", .required = true}),
       field("tokens", &O::tokens, {.range = {1}, .doc = "how long"}), field("seed", &O::seed, {.doc = "any number"}),
       field("fast", &O::fast, {.doc = "less of it"}), field("colour", &O::colour, {.doc = "how it looks"}),
       field("file_name", &O::file, {.doc = "where it is", .value_name = "FILE"}),
       field("limit", &O::limit, {.doc = "where it ends"}), field("inner", &O::inner, {}),
       field("error", &O::error, {}).nested(Nesting::suffixed),
       figure("twice", &O::twice, {.doc = "two times alpha"}).when([](const O& o) { return o.alpha > 1; }),
       inherited<O, Ratio>()}};
  return description;
}

Outer read_outer(const json& document) {
  Outer outer;
  read(document, outer, "a toy");
  return outer;
}

TEST(Fields, WriteADocument) {
  Outer outer;
  outer.file = "x";
  EXPECT_EQ(json_of(outer), json::parse(R"({"alpha": 1.0, "tokens": 2, "seed": 0, "fast": false, "colour": "red",
    "file_name": "x", "inner": {"q": 1.0, "roots": [1.5, 2.0]}, "error": {"q": 1.0, "roots": [1.5, 2.0]}, "ratio": 0.5})"));
  outer.limit = 3;
  outer.alpha = 2;
  EXPECT_EQ(json_of(outer)["limit"], 3);
  EXPECT_EQ(json_of(outer)["twice"], 4);
}

TEST(Fields, ReadWhatTheyWrite) {
  Outer outer;
  outer.alpha = 0.1;
  outer.seed = std::numeric_limits<std::uint64_t>::max();
  outer.colour = Colour::dark_blue;
  outer.limit = -2;
  outer.inner.roots = {};
  outer.value = 0.25;
  EXPECT_EQ(json_of(read_outer(json::parse(json_of(outer).dump()))), json_of(outer));
}

TEST(Fields, ReadNamesWithDashesToo) { EXPECT_EQ(read_outer({{"alpha", 1}, {"file-name", "a"}}).file, "a"); }

struct Custom {
  json value;
};

const Description& describe(const Custom*) {
  static const Description description{"a toy with a form of its own",
                                       {custom<Custom>(
                                           "size", {Kind::value}, [](const Custom& c) { return c.value; },
                                           [](Custom& c, const json& value) { c.value = value; },
                                           {.range = {0, 1, true}, .doc = "a number, or a word"})}};
  return description;
}

TEST(Fields, OfAFormOfTheirOwnKeepToTheirRange) {
  Custom custom;
  read({{"size", "large"}}, custom, "a toy");
  EXPECT_EQ(custom.value, "large");
  EXPECT_THAT(
      [&] {
        read({{"size", 0}}, custom, "a toy");
      },
      ThrowsMessage<std::invalid_argument>("size must be a finite number > 0, got 0"));
}

TEST(Fields, RefuseANameThatStandsTwice) {
  const char* twice = "file_name stands here twice; with dashes and with underscores it is one name";
  EXPECT_THAT(
      [&] {
        read_outer({{"alpha", 1}, {"file-name", "a"}, {"file_name", "b"}});
      },
      ThrowsMessage<std::invalid_argument>(twice));
  EXPECT_THAT([&] { parse_json(R"({"file_name": "a", "inner": {"q": 1}, "file_name": "b"})"); },
              ThrowsMessage<std::invalid_argument>(twice));
  EXPECT_EQ(parse_json(R"([{"q": 1}, {"q": {"q": 2}}])").size(), 2u);
  EXPECT_THROW(parse_json("{"), std::invalid_argument);
}

TEST(Fields, RefuseWhatTheyDoNotAccept) {
  const std::pair<const char*, const char*> cases[] = {
      {R"([1])", "a toy must be an object"},
      {R"({})", "alpha is required: a number > 0, at most 10"},
      {R"({"alpha": 1, "tokken": 3})", "unknown key 'tokken' in a toy"},
      {R"({"alpha": 1, "tokken": 3})", "did you mean 'tokens'?"},
      {R"({"alpha": "1"})", "alpha must be a number, got \"1\""},
      {R"({"alpha": 0})", "alpha must be a finite number > 0, got 0"},
      {R"({"alpha": 11})", "alpha must be at most 10, got 11"},
      {R"({"alpha": 1, "tokens": 0})", "tokens must be an integer >= 1, got 0"},
      {R"({"alpha": 1, "tokens": 1.5})", "tokens must be an integer, got 1.5"},
      {R"({"alpha": 1, "tokens": 4294967298})", "tokens must fit in 32 bits"},
      {R"({"alpha": 1, "seed": -1})", "seed must be an integer >= 0, got -1"},
      {R"({"alpha": 1, "fast": 1})", "fast must be true or false, got 1"},
      {R"({"alpha": 1, "colour": "blue"})", "colour must be red or dark-blue, got 'blue'"},
      {R"({"alpha": 1, "ratio": 2})", "ratio must be at most 1, got 2"},
      {R"({"alpha": 1, "inner": {"p": 1}})", "unknown key 'p' in inner"},
      {R"({"alpha": 1, "twice": 2})", "unknown key 'twice'"},
  };
  for (const auto& [text, message] : cases)
    EXPECT_THAT([&] { read_outer(json::parse(text)); }, ThrowsMessage<std::invalid_argument>(HasSubstr(message)));
}

TEST(Fields, AreCheckedAfterTheyWereSet) {
  Outer outer;
  outer.value = std::nan("");
  EXPECT_THAT([&] { require_in_ranges(describe(&outer), &outer); },
              ThrowsMessage<std::invalid_argument>("ratio must be a finite number >= 0, got nan"));
}

TEST(Fields, AreOptionsOfACommandLine) {
  const Description& description = describe(static_cast<Outer*>(nullptr));
  const auto named = [&](const char* name) -> const Field& { return *find_field(description, name); };
  EXPECT_EQ(option_name(named("file_name")), "--file-name");
  EXPECT_EQ(value_name(named("colour")), "red|dark-blue");
  EXPECT_EQ(value_name(named("file_name")), "FILE");
  EXPECT_EQ(from_text(named("alpha"), "+0.5"), 0.5);
  EXPECT_EQ(from_text(named("seed"), "18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_THAT([&] { from_text(named("alpha"), "x"); },
              ThrowsMessage<std::invalid_argument>("--alpha takes a number, got 'x'"));
  EXPECT_THAT([&] { from_text(named("tokens"), "1.5"); },
              ThrowsMessage<std::invalid_argument>("--tokens takes a whole number, got '1.5'"));
  EXPECT_THAT([&] { from_text(named("colour"), "blue"); },
              ThrowsMessage<std::invalid_argument>("--colour takes red, dark-blue, got 'blue'"));
  const json defaults = json_of(Outer{});
  EXPECT_EQ(help(named("alpha"), defaults), "how many (required)");
  EXPECT_EQ(help(named("tokens"), defaults), "how long (default 2)");
  EXPECT_EQ(help(named("file_name"), defaults), "where it is");
  const Description& inner = describe(static_cast<Inner*>(nullptr));
  EXPECT_EQ(value_name(*find_field(inner, "roots")), "X[,X...]");
  EXPECT_EQ(from_text(*find_field(inner, "roots"), "1,2.5"), json::parse("[1.0, 2.5]"));
}

TEST(Fields, AreColumnsOfRows) {
  Outer outer;
  outer.error.q = 3;
  const Description& description = describe(&outer);
  EXPECT_THAT(columns(description), ElementsAre("alpha", "tokens", "seed", "fast", "colour", "file_name", "limit", "q",
                                                "roots", "q_error", "roots_error", "twice", "ratio"));
  const std::vector<json> row = cells(json_of(outer), description);
  ASSERT_EQ(row.size(), columns(description).size());
  EXPECT_EQ(row[0], 1);
  EXPECT_TRUE(row[6].is_null());
  EXPECT_EQ(row[8], "1.5;2");
  EXPECT_EQ(row[9], 3);
  EXPECT_EQ(place_of(description, "q_error"), "error.q");
  EXPECT_EQ(place_of(description, "q_nothing"), std::nullopt);
  outer.error.q = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(cells(json_of(outer), description)[9].is_null());
}

TEST(Fields, AreASchema) {
  const json schema = schema_of(describe(static_cast<Outer*>(nullptr)), json_of(Outer{}));
  EXPECT_EQ(schema["doc"], "a toy");
  const json& alpha = schema["fields"][0];
  EXPECT_EQ(alpha, json::parse(R"({"name": "alpha", "type": "number", "doc": "how many", "symbol": "α", "unit": "n/d²",
    "range": {"least": 0.0, "most": 10.0, "open": true}, "required": true})"));
  EXPECT_EQ(schema["fields"][1]["default"], 2);
  EXPECT_THAT(schema["fields"][4]["choices"], ElementsAre("red", "dark-blue"));
  EXPECT_EQ(schema["fields"][7]["doc"], "what is inside");
  EXPECT_EQ(schema["fields"][7]["fields"][1]["item"]["type"], "number");
}

}  // namespace
}  // namespace attnlaw::base
