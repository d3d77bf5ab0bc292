#include "attnlaw/operations/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "attnlaw/base/file.h"
#include "attnlaw/base/npy.h"

namespace attnlaw::operations {
namespace {

using checkpoint::OutlierDirections;

void write_directions(const Eigen::MatrixXd& directions, const std::string& path, std::vector<std::string>& written) {
  const std::span values(directions.data(), static_cast<std::size_t>(directions.size()));
  base::write_atomically(path, base::npy_bytes(values, static_cast<std::size_t>(directions.rows()),
                                               static_cast<std::size_t>(directions.cols())));
  written.push_back(path);
}

/// A block is a prefix of names inside the checkpoint: as part of a file name it must not lead elsewhere.
std::string file_name_of(std::string block) {
  const auto plain = [](unsigned char c) { return c < 0x80 && (std::isalnum(c) || c == '.' || c == '_' || c == '-'); };
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool dots = block[i] == '.' && (i == 0 || block[i - 1] == '.' || block.substr(i, 2) == "..");
    if (dots || !plain(static_cast<unsigned char>(block[i]))) block[i] = '_';
  }
  return block;
}

/// Both sides of every outlier, d×size arrays.
std::vector<std::string> write_directions(const std::vector<OutlierDirections>& all, const std::string& directory) {
  make_directory(directory);
  std::vector<std::string> written;
  for (const OutlierDirections& at : all) {
    const std::string block = at.block.empty() ? "" : file_name_of(at.block) + "_";
    std::string start = fmt::format("{}/{}layer{}_head{}_outlier{}", directory, block, at.layer, at.head, at.outlier);
    // Blocks that differ in replaced characters alone.
    while (std::find(written.begin(), written.end(), start + "_left.npy") != written.end()) start += "_";
    write_directions(at.left, start + "_left.npy", written);
    write_directions(at.right, start + "_right.npy", written);
  }
  return written;
}

}  // namespace

const base::Description& describe(const Inspect::Input*) {
  using I = Inspect::Input;
  static const base::Description description{
      "which checkpoint, and what of it",
      {base::field("checkpoint", &I::checkpoint,
                   {.doc = "file or folder; none with --q and --k", .value_name = "CHECKPOINT", .positional = true}),
       base::field(
           "after", &I::after,
           {.doc = "a later checkpoint of the same model, to compare with", .value_name = "AFTER", .positional = true}),
       base::flat(&I::open), base::flat(&I::inspect),
       base::field("directions", &I::directions,
                   {.doc = "write the directions of outliers to this folder, as .npy", .value_name = "FOLDER"})}};
  return description;
}

Inspect::Input Inspect::read(const nlohmann::json& options) {
  Input input;
  base::read(options, input, "options of inspect");
  refuse(input.checkpoint.empty() && (input.open.query.empty() || input.open.key.empty()),
         "inspect takes a checkpoint, or --q FILE.npy and --k FILE.npy");
  refuse(input.checkpoint.empty() && !input.after.empty(), "a comparison takes two checkpoints");
  return input;
}

std::vector<std::string> Inspect::unread(const nlohmann::json& options) {
  const bool draws = options.value("exact_tables", false);
  std::vector<std::string> names;
  if (!draws) names = {"table_draws", "draws"};
  return names;
}

Inspect::Output Inspect::run(const Input& input, const Run& run) {
  return Inspect::run(input, checkpoint::open_model(input.checkpoint, input.open), run);
}

Inspect::Output Inspect::run(const Input& given, const checkpoint::Model& model, const Run& run) {
  Input input = given;
  input.inspect.seed = run.seed;
  input.inspect.threads = run.threads;
  input.inspect.keep_directions = !input.directions.empty();
  checkpoint::NullTables tables(run.seed, run.threads);
  const auto inspect = [&](const checkpoint::Model& of) {
    return checkpoint::inspect(of, input.inspect, tables, progress_of(run, "heads of " + of.file));
  };
  Output output;
  if (input.after.empty()) {
    output.inspection = inspect(model);
  } else {
    const checkpoint::Model after = checkpoint::open_model(input.after, input.open);
    output.changes = checkpoint::compare(model, after, input.inspect, progress_of(run, "changes"));
    output.inspection = inspect(after);
    output.before = inspect(model);
  }
  if (!input.directions.empty()) output.written = write_directions(output.inspection.directions, input.directions);
  return output;
}

}  // namespace attnlaw::operations
