/// Asks the theory random questions, and counts what becomes of them:
/// `reliability --count N [--seed N] [--command NAME] [--minutes N]`. A trial that crashed, came late, was wrong or has
/// no answer is printed at once. Exit code 1 if one crashed, came late, or was wrong.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "trial.h"

namespace {

using namespace attnlaw::reliability;

struct Options {
  int count = 1000;
  std::uint64_t seed = 1;
  std::string command = {};
  double minutes = 1e6;
};

int usage() {
  std::fputs("usage: reliability [--count N] [--seed N] [--command NAME] [--minutes N]\n", stderr);
  return 2;
}

void print_counts(const std::vector<Trial>& trials) {
  std::map<std::string, std::map<Outcome, int>> counts;
  for (const Trial& trial : trials) ++counts[trial.question.command][trial.outcome], ++counts["all"][trial.outcome];
  fmt::print("| command | questions |");
  for (const auto& [outcome, name] : names_table(Outcome{})) fmt::print(" {} |", name);
  fmt::print("\n|---|---|");
  for (std::size_t i = 0; i < names_table(Outcome{}).size(); ++i) fmt::print("---|");
  for (auto& [command, of] : counts) {
    int sum = 0;
    for (const auto& [outcome, count] : of) sum += count;
    fmt::print("\n| {} | {} |", command, sum);
    for (const auto& [outcome, name] : names_table(Outcome{})) fmt::print(" {} |", of[outcome]);
  }
  fmt::print("\n");
}

void print_trial(const Trial& trial) {
  fmt::print("{:8.2f} s  {:<12} {}\n", trial.seconds, attnlaw::base::name(trial.outcome), trial.question.text());
  if (!trial.remark.empty()) fmt::print("            {}\n", trial.remark);
}

bool failed(const Trial& trial) {
  return trial.outcome == Outcome::wrong || trial.outcome == Outcome::late || trial.outcome == Outcome::crashed;
}

std::vector<Trial> ask(const Options& options) {
  attnlaw::accuracy::Draw draw(options.seed);
  const Limits limits;
  const auto begin = std::chrono::steady_clock::now();
  std::vector<Trial> trials;
  for (int i = 0; i < options.count; ++i) {
    if (std::chrono::duration<double, std::ratio<60>>(std::chrono::steady_clock::now() - begin).count() >
        options.minutes)
      break;
    trials.push_back(try_question(draw_question(draw, options.command), limits));
    if (failed(trials.back()) || trials.back().outcome == Outcome::unconverged) print_trial(trials.back());
    std::fflush(stdout);
  }
  return trials;
}

void print_slowest(std::vector<Trial> trials) {
  constexpr std::size_t kSlowest = 50;
  std::sort(trials.begin(), trials.end(), [](const Trial& a, const Trial& b) { return a.seconds > b.seconds; });
  fmt::print("\nThe slowest:\n");
  for (std::size_t i = 0; i < std::min(kSlowest, trials.size()); ++i) print_trial(trials[i]);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) return usage();
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--count")
      options.count = std::stoi(value);
    else if (name == "--seed")
      options.seed = std::stoull(value);
    else if (name == "--command")
      options.command = value;
    else if (name == "--minutes")
      options.minutes = std::stod(value);
    else
      return usage();
  }
  const std::vector<Trial> trials = ask(options);
  fmt::print("\n");
  print_counts(trials);
  print_slowest(trials);
  return std::any_of(trials.begin(), trials.end(), failed) ? 1 : 0;
}
