#include "attnlaw/operations/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>

#include "attnlaw/base/file.h"
#include "attnlaw/base/npy.h"
#include "attnlaw/checkpoint/file/steps.h"

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

/// Both sides of every outlier, d×size arrays; without outliers no folder is made.
std::vector<std::string> write_directions(const std::vector<OutlierDirections>& all, const std::string& directory) {
  std::vector<std::string> written;
  if (all.empty()) return written;
  make_directory(directory);
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

/// The checkpoints that are asked for; those of a folder of steps, or without a path one made of options.
std::vector<checkpoint::StepFile> steps_of(const Inspect::Input& input) {
  std::vector<checkpoint::StepFile> steps;
  if (input.after.empty() && !input.checkpoint.empty()) steps = checkpoint::steps_in(input.checkpoint);
  if (!steps.empty()) return steps;
  std::vector<std::string> paths{input.checkpoint};
  paths.insert(paths.end(), input.after.begin(), input.after.end());
  if (paths.size() > 2) return checkpoint::in_order(paths);
  for (const std::string& path : paths) steps.push_back({path});
  return steps;
}

/// One or two models: with its base an adapter is what it changes, before and after.
struct Pair {
  checkpoint::Model first;
  std::optional<checkpoint::Model> after;
};
Pair open_pair(const std::vector<checkpoint::StepFile>& steps, const checkpoint::OpenOptions& options) {
  if (steps.size() == 2)
    return {checkpoint::open_model(steps.front().path, options), checkpoint::open_model(steps.back().path, options)};
  checkpoint::Model model = checkpoint::open_model(steps.front().path, options);
  if (options.base.empty()) return {std::move(model), {}};
  checkpoint::OpenOptions of_base = options;
  of_base.base.clear();
  return {checkpoint::open_model(options.base, of_base), std::move(model)};
}

Inspect::Input prepared(Inspect::Input input, const Run& run) {
  input.inspect.seed = run.seed;
  input.inspect.threads = run.threads;
  input.inspect.keep_directions = !input.directions.empty();
  input.open.keep_going = input.inspect.keep_going;
  return input;
}

/// One model, or how it changed until `after`.
void inspect_model(const checkpoint::Model& model, const checkpoint::Model* after, const Inspect::Input& input,
                   const Run& run, Inspect::Output& output) {
  checkpoint::NullTables tables(run.seed, run.threads);
  const auto inspect = [&](const checkpoint::Model& of) {
    return checkpoint::inspect(of, input.inspect, tables, progress_of(run, "heads of " + of.file));
  };
  if (after) {
    output.changes = checkpoint::compare(model, *after, input.inspect, progress_of(run, "changes"));
    output.inspection = inspect(*after);
    output.before = inspect(model);
  } else {
    output.inspection = inspect(model);
  }
}

void inspect_course(const std::vector<checkpoint::StepFile>& steps, const Inspect::Input& input, const Run& run,
                    Inspect::Output& output) {
  const auto progress = [&run](const std::string& label, int done, int total) {
    if (run.progress) run.progress(label, done, total);
  };
  checkpoint::Followed followed = checkpoint::follow(steps, input.open, input.inspect, progress);
  output.inspection = std::move(followed.last);
  output.course = std::move(followed.course);
}

Inspect::Output written(Inspect::Output output, const Inspect::Input& input) {
  if (!input.directions.empty()) output.written = write_directions(output.inspection.directions, input.directions);
  return output;
}

}  // namespace

const base::Description& describe(const Inspect::Input*) {
  using I = Inspect::Input;
  static const base::Description description{
      "which checkpoint, and what of it",
      {base::field("checkpoint", &I::checkpoint,
                   {.doc = "file or folder, or a folder of steps; none with --q and --k",
                    .value_name = "CHECKPOINT",
                    .positional = true}),
       base::field("after", &I::after,
                   {.doc = "a later checkpoint of the same model, to compare with; several: the course of training",
                    .value_name = "AFTER...",
                    .positional = true}),
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

std::vector<std::string> Inspect::unused(const Output& output) {
  const auto any = [&](auto&& uses) {
    const auto in = [&](const checkpoint::Inspection& found) {
      return std::any_of(found.heads.begin(), found.heads.end(), [&](const checkpoint::HeadReport& head) {
        return head.inspected() && uses(head, found.exact_tables);
      });
    };
    return in(output.inspection) || (output.before && in(*output.before));
  };
  // Of a course only the last step is here in full.
  if (output.course) return {};
  const bool tables = any(&checkpoint::draws_table), rotations = any(&checkpoint::draws_rotations);
  const bool fits = any([](const checkpoint::HeadReport& head, bool) { return !std::isnan(head.fit.p); });
  const bool implies =
      any([](const checkpoint::HeadReport& head, bool) { return !std::isnan(head.fit.implied_noise); });
  const bool tested = !output.inspection.nulls.empty() || (output.before && !output.before->nulls.empty());
  std::vector<std::string> names;
  if (!tested) names = {"exact_tables", "level"};
  if (!tables) names.emplace_back("table_draws");
  if (!rotations) names.emplace_back("draws");
  if (!tables && !rotations && !fits) names.emplace_back("seed");
  if (!implies) names.emplace_back("samples");
  return names;
}

Inspect::Output Inspect::run(const Input& given, const Run& run) {
  const Input input = prepared(given, run);
  const std::vector<checkpoint::StepFile> steps = steps_of(input);
  Output output;
  if (steps.size() > 2) {
    inspect_course(steps, input, run, output);
  } else {
    Pair models = open_pair(steps, input.open);
    if (models.after && input.open.keep_going) checkpoint::keep_common_layers({&models.first, &*models.after});
    inspect_model(models.first, models.after ? &*models.after : nullptr, input, run, output);
  }
  return written(std::move(output), input);
}

Inspect::Output Inspect::run(const Input& given, const checkpoint::Model& model, const Run& run) {
  const Input input = prepared(given, run);
  Output output;
  inspect_model(model, nullptr, input, run, output);
  return written(std::move(output), input);
}

}  // namespace attnlaw::operations
