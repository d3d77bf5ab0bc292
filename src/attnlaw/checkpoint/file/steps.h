#pragma once
/// Finds the checkpoints that a training wrote one after the other.

#include <string>
#include <vector>

namespace attnlaw::checkpoint {

/// A checkpoint of a course of training.
struct StepFile {
  std::string path;
  double number = 0;  ///< the step: the number by which its name differs from those of the others, else its place
};

/// Brings paths whose names differ in numbers alone into the order of these; others stay as they are.
std::vector<StepFile> in_order(const std::vector<std::string>& paths);

/// Returns the steps below a folder: its folders with weights, or its safetensors files, whose names differ in numbers
/// alone ("checkpoint-500", "checkpoint-1000"), of several kinds of names the most frequent one. None if the folder is
/// itself a model, or has fewer than two.
std::vector<StepFile> steps_in(const std::string& path);

}  // namespace attnlaw::checkpoint
