#pragma once
/// Options that every command takes, whatever it does: those that the program reads itself.

#include <span>
#include <string>

#include "attnlaw/operations/operation.h"

namespace attnlaw::operations {

/// A command tabulates and draws a density at so many points.
inline constexpr int kDensityPoints = 400;

enum class Format { table, json, csv };
std::span<const base::Named<Format>> names_table(Format);

struct CommonOptions {
  Format format = Format::table;
  std::string output;  ///< file; empty: standard output
  bool quiet = false;
};
const base::Description& describe(const CommonOptions*);

/// What every command takes: these, and the options of Run.
struct SharedOptions {
  CommonOptions program;
  Run run;
};
const base::Description& describe(const SharedOptions*);

/// Of operations that draw.
struct PageOptions {
  std::string html;  ///< where the page goes
};
const base::Description& describe(const PageOptions*);

/// An option with the document of the defaults that it is one of.
struct Option {
  const base::Field* field = nullptr;
  const nlohmann::json* defaults = nullptr;
  bool many = false;  ///< one of a problem, which takes several values

  /// The word for its value in the help.
  std::string value_name() const;
  /// Throws std::invalid_argument for a text that is no value.
  nlohmann::json value(const std::string& text) const;
};

/// The options that commands share, all of them.
std::vector<Option> shared_options();

/// All options of an operation: its own with that of the page and the common ones, which help, completion and manual
/// list, and those of the common ones that have no effect.
struct Options {
  std::vector<Option> own, common, idle;
};
Options options_of(const Operation& operation);

}  // namespace attnlaw::operations
