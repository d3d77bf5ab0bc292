#include "trial.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <ctime>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "attnlaw/base/memory.h"
#include "attnlaw/operations/operation.h"

namespace attnlaw::reliability {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr base::Named<Outcome> kOutcomes[] = {
    {Outcome::answered, "answered"}, {Outcome::coarse, "answered, accuracy stated"},
    {Outcome::refused, "refused"},   {Outcome::unconverged, "unconverged"},
    {Outcome::wrong, "wrong"},       {Outcome::late, "late"},
    {Outcome::crashed, "crashed"}};

constexpr double kAccuracy = 1e-3;  ///< of a first answer
constexpr double kFiner = 0.1;      ///< the second one has so much of it
/// An answer that differs from the second one by more than this, in units of what both claim, is wrong.
constexpr double kMostUnits = 3;

/// Processor time of this process, which has one thread: what a machine does beside it does not count.
double seconds_used() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

bool has_accuracy(const Question& question) {
  return question.command == "solve" || question.command == "lora" || question.command == "scaling";
}

view::Result answer(const Question& question) {
  operations::Run run;
  run.threads = 1;
  return operations::find(question.command).run(question.options, run);
}

/// Finer, where an accuracy can be asked for; else nearly the same question, whose answer is nearly the same.
Question second_question(Question question) {
  if (has_accuracy(question)) {
    question.options["accuracy"] = kFiner * kAccuracy;
    return question;
  }
  constexpr double kNearly = 1 + 1e-9;
  for (auto& value : question.options)
    if (value.is_number_float()) value = value.get<double>() * kNearly;
  return question;
}

/// The numbers of a document by their paths, errors and laws alone: counters and times tell nothing of them.
void collect(const json& value, const std::string& path, std::vector<std::pair<std::string, double>>& numbers) {
  constexpr std::array kLeftOut{"problem",    "diagnostics", "parameters", "model",   "task",         "points",
                                "iterations", "warnings",    "density",    "seconds", "sensitivities"};
  if (value.is_number()) numbers.emplace_back(path, value.get<double>());
  if (value.is_object()) {
    for (const auto& [key, child] : value.items())
      if (std::find(kLeftOut.begin(), kLeftOut.end(), key) == kLeftOut.end()) collect(child, path + "/" + key, numbers);
  }
  if (value.is_array())
    for (std::size_t i = 0; i < value.size(); ++i) collect(value[i], fmt::format("{}/{}", path, i), numbers);
}

/// What two answers are compared in.
json figures_of(const Question& question, const json& document) {
  if (question.command == "solve") {
    // The test error is flat at the best penalty, which is known to half as many digits; other errors are not.
    const json& errors = document.at("errors");
    return question.options.value("lambda", json()) == "optimal" ? json{{"test", errors.at("test")}} : errors;
  }
  if (question.command == "lora") return document.at("prediction").at("errors");
  if (question.command == "softmax-law") {
    // Distances of two laws that nearly agree are the rounding of what they are differences of.
    json figures = document;
    for (const char* distance : {"wasserstein", "wasserstein_squared"}) figures["marchenko_pastur"].erase(distance);
    return figures;
  }
  return document;
}

/// The standard error that a solution states of an error of this path; 0 where nothing is stated.
double stated_error(const json& document, const std::string& path) {
  const auto diagnostics = document.find("diagnostics");
  if (diagnostics == document.end()) return 0;
  return diagnostics->at("sampling_error").value(path.substr(1), 0.0);
}

struct Difference {
  double units = 0;
  std::string where;
};

Difference difference(const Question& question, const json& first, const json& second) {
  std::vector<std::pair<std::string, double>> a, b;
  collect(figures_of(question, first), "", a), collect(figures_of(question, second), "", b);
  Difference largest;
  if (a.size() != b.size()) return largest;  // one has a feature more, as at a threshold
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double distance = std::abs(a[i].second - b[i].second);
    constexpr double kRounding = 1e-12;
    const double claimed = kAccuracy * std::max(std::abs(a[i].second), std::abs(b[i].second)) +
                           2 * (stated_error(first, a[i].first) + stated_error(second, a[i].first)) + kRounding;
    if (distance > largest.units * claimed)
      largest = {distance / claimed, fmt::format("{} {:.6g}, then {:.6g}", a[i].first, a[i].second, b[i].second)};
  }
  return largest;
}

bool any_shortfall(const json& document) {
  const auto diagnostics = document.find("diagnostics");
  return diagnostics != document.end() && !diagnostics->value("message", json()).is_null() &&
         diagnostics->value("message", std::string()) != "";
}

std::string joined(const view::Warnings& warnings) {
  std::string text;
  for (const std::string& line : warnings) text += (text.empty() ? "" : "; ") + line;
  return text;
}

json document_of(const Trial& trial) {
  return {{"outcome", base::name(trial.outcome)},
          {"seconds", trial.seconds},
          {"deviation", trial.deviation},
          {"remark", trial.remark}};
}

void write_line(const Trial& trial, int pipe) {
  const std::string line = document_of(trial).dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  for (std::size_t written = 0; written < line.size();) {
    const ssize_t count = write(pipe, line.data() + written, line.size() - written);
    if (count <= 0) return;
    written += static_cast<std::size_t>(count);
  }
}

/// What an answer says of itself.
void judge_alone(const view::Result& first, Trial& trial) {
  trial.outcome = Outcome::answered;
  if (!first.converged) {
    trial.outcome = Outcome::unconverged;
  } else if (any_shortfall(first.document)) {
    trial.outcome = Outcome::coarse;
  }
  if (trial.outcome != Outcome::answered) trial.remark = joined(first.warnings);
}

/// What a second answer says of it.
void judge_beside(const view::Result& first, const view::Result& second, Trial& trial) {
  if (!second.converged) return;
  const Difference largest = difference(trial.question, first.document, second.document);
  trial.deviation = largest.units;
  if (largest.units <= kMostUnits) return;
  trial.outcome = Outcome::wrong;
  trial.remark = largest.where;
}

/// Writes a line after the first answer, and another one after the second.
void judge(Trial& trial, const Limits& limits, int pipe) {
  const double begin = seconds_used();
  const view::Result first = answer(trial.question);
  trial.seconds = seconds_used() - begin;
  judge_alone(first, trial);
  write_line(trial, pipe);
  if (!first.converged || trial.seconds > limits.second_answer) return;
  judge_beside(first, answer(second_question(trial.question)), trial);
  write_line(trial, pipe);
}

/// Processor seconds for both answers: a second one to ten times the accuracy takes longer than the first.
double patience(const Limits& limits) {
  constexpr double kSecondAnswer = 40;
  return limits.seconds + kSecondAnswer * limits.second_answer;
}

void run_child(const Question& question, const Limits& limits, int pipe) {
  constexpr rlim_t kMemory = rlim_t{4} << 30;
  const rlimit memory{kMemory, kMemory};
  setrlimit(RLIMIT_AS, &memory);
  const auto most = static_cast<rlim_t>(patience(limits));
  const rlimit time{most, most + 1};
  setrlimit(RLIMIT_CPU, &time);
  Trial trial{question};
  const double begin = seconds_used();
  const auto ended = [&](Outcome outcome, const char* remark) {
    trial.seconds = seconds_used() - begin, trial.outcome = outcome, trial.remark = remark;
    write_line(trial, pipe);
  };
  try {
    judge(trial, limits, pipe);
  } catch (const std::invalid_argument& error) {
    ended(Outcome::refused, error.what());
  } catch (const std::logic_error& error) {
    ended(Outcome::crashed, error.what());
  } catch (const std::runtime_error& error) {  // the program says it, and ends with exit code 1
    ended(Outcome::unconverged, error.what());
  } catch (const std::exception& error) {
    ended(Outcome::crashed, error.what());
  }
}

/// Everything that the child writes until it ends; nothing more after the deadline.
std::string read_until(int pipe, Clock::time_point deadline) {
  std::string text;
  std::array<char, 4096> buffer;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd ready{pipe, POLLIN, 0};
    if (left <= 0 || poll(&ready, 1, static_cast<int>(left)) <= 0) return text;
    const ssize_t count = read(pipe, buffer.data(), buffer.size());
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

/// The last line that is whole.
std::string last_line(const std::string& text) {
  const std::size_t end = text.rfind('\n');
  if (end == std::string::npos || end == 0) return {};
  const std::size_t before = text.rfind('\n', end - 1);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  return text.substr(begin, end - begin);
}

}  // namespace

std::span<const base::Named<Outcome>> names_table(Outcome) { return kOutcomes; }

Trial try_question(const Question& question, const Limits& limits) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe to a child");
  // One that waits and does not compute is not awaited for ever.
  constexpr int kAsLong = 60;
  const auto deadline = Clock::now() + kAsLong * std::chrono::seconds(static_cast<long>(patience(limits)));
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no child process");
  if (child == 0) {
    run_child(question, limits, ends[1]);
    _exit(0);
  }
  close(ends[1]);
  const std::string text = read_until(ends[0], deadline);
  close(ends[0]);
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  Trial trial{question};
  const json said = json::parse(last_line(text), nullptr, false);
  if (said.is_object()) {
    trial.outcome = base::value_of<Outcome>("outcome", said.at("outcome").get<std::string>());
    trial.seconds = said.at("seconds"), trial.deviation = said.at("deviation"), trial.remark = said.at("remark");
    if (trial.seconds > limits.seconds) trial.outcome = Outcome::late;
    return trial;
  }
  trial.seconds = patience(limits);
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (signal == SIGXCPU || Clock::now() >= deadline) {
    trial.outcome = Outcome::late;
  } else {
    trial.seconds = 0, trial.remark = fmt::format("signal {}", signal);
  }
  return trial;
}

}  // namespace attnlaw::reliability
