#include "progress.h"

#include <fmt/format.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <set>
#include <string_view>
#include <system_error>

#include "attnlaw/view/columns.h"
#include "standard_streams.h"

namespace attnlaw::app {
namespace {

using Clock = std::chrono::steady_clock;

/// Seconds between the lines that stand for a bar where there is no terminal.
constexpr double kLineInterval = 60;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Tells whether standard error is a terminal on which a line can be written over.
bool can_move_back() {
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) && terminal && *terminal && std::string_view(terminal) != "dumb";
}

std::string bar(std::size_t done, std::size_t total) {
  constexpr std::size_t kWidth = 24;
  const std::size_t filled = total == 0 ? kWidth : kWidth * done / total;
  return fmt::format("[{:=<{}}{: <{}}] {}/{}", "", filled, "", kWidth - filled, done, total);
}

// ---- the line a minute while nothing is counted ---------------------------------------------------------------------
//
// A timer of the process asks for it, not a thread. Its handler does no more than a handler may: it reads atomic
// variables and calls write(2).

/// What is waited for, null if something is counted. The texts are never freed, as a handler may be writing one.
std::atomic<const std::string*> awaited{nullptr};
/// Seconds of the clock at which it began, and at which the last line was written.
std::atomic<std::int64_t> awaited_since{0}, last_line{0};

std::int64_t clock_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(Clock::now().time_since_epoch()).count();
}

void await(const std::string& what) {
  static std::set<std::string>& texts = *new std::set<std::string>;
  if (what.empty()) {
    awaited = nullptr;
    return;
  }
  const std::string* const text = &*texts.insert(what + " ... ").first;
  if (text == awaited) return;
  awaited_since = clock_seconds();
  awaited = text;
}

void write_awaited(int) {
  const int error = errno;
  const std::int64_t now = clock_seconds();
  const std::string* const text = awaited;
  if (text && now - last_line >= static_cast<std::int64_t>(kLineInterval)) {
    last_line = now;
    constexpr std::int64_t kMinute = 60;
    constexpr std::string_view kUnit = " min\n";
    char passed[32];
    char* end = std::to_chars(std::begin(passed), std::end(passed), (now - awaited_since) / kMinute).ptr;
    for (const char c : kUnit) *end++ = c;
    if (write(STDERR_FILENO, text->data(), text->size()) >= 0)
      static_cast<void>(!write(STDERR_FILENO, passed, static_cast<std::size_t>(end - passed)));
  }
  errno = error;
}

/// The handler looks more often than it writes, as something else may have written in between; 0 seconds end it.
void look_every(int seconds) {
  const itimerval interval{.it_interval = {.tv_sec = seconds, .tv_usec = 0},
                           .it_value = {.tv_sec = seconds, .tv_usec = 0}};
  setitimer(ITIMER_REAL, &interval, nullptr);
}

void begin_lines() {
  constexpr int kLook = 5;
  last_line = clock_seconds();
  struct sigaction action = {};
  action.sa_handler = write_awaited;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
  look_every(kLook);
}

}  // namespace

Progress::Progress(bool quiet) : quiet_(quiet), terminal_(can_move_back()), next_line_(kLineInterval) {}

void Progress::attach(operations::Run& run, const std::string& command) {
  if (quiet_) return;
  run.study_progress = [this](const std::string& label, const study::RunProgress& progress) {
    update_study(label, progress);
  };
  run.note = [this](const std::string& text) { note(text); };
  run.expected = [this](const std::string& label, double seconds) { expect(label, seconds); };
  run.progress = [this](const std::string& label, int done, int total) { update(label, done, total); };
  wait_for(command);
  if (!terminal_) return begin_lines();
  try {
    ticker_ = std::jthread([this](const std::stop_token& stop) { tick(stop); });
  } catch (const std::system_error&) {
    // The work needs no line: it shows what is counted, and nothing in between.
  }
}

void Progress::clear() {
  if (!quiet_ && !terminal_) look_every(0);
  if (ticker_.joinable()) {
    ticker_.request_stop();
    ticker_.join();
  }
  const std::lock_guard lock(mutex_);
  clear_line();
}

void Progress::clear_line() {
  if (width_ == 0) return;
  show("");
  put("\r");
}

void Progress::tick(const std::stop_token& stop) {
  constexpr std::chrono::seconds kInterval{1};
  std::unique_lock lock(mutex_);
  while (!woken_.wait_for(lock, stop, kInterval, [&] { return stop.stop_requested(); }))
    if (!waiting_.empty()) write(fmt::format("{} ... {}", waiting_, passed()));
}

std::string Progress::passed() const {
  const double now = seconds_since(begin_);
  const std::string text = view::duration(now);
  return expected_ > now ? fmt::format("{}, about {} left", text, view::duration(expected_ - now)) : text;
}

void Progress::wait_for(const std::string& what) {
  waiting_ = what;
  if (terminal_) return;
  await(expected_ > 0 && !what.empty() ? fmt::format("{}, about {} in all", what, view::duration(expected_)) : what);
}

void Progress::write(const std::string& line) {
  if (terminal_) return show(line);
  if (seconds_since(start_) < next_line_) return;
  next_line_ = seconds_since(start_) + kLineInterval;
  last_line = clock_seconds();
  put(line + "\n");
}

/// The line that stood there is painted over with blanks, so that no terminal needs to know an escape code.
void Progress::show(const std::string& line) {
  if (!line.empty() || width_ > 0) put(fmt::format("\r{: <{}}", line, width_));
  width_ = line.size();
}

void Progress::note(const std::string& text) {
  const std::lock_guard lock(mutex_);
  clear_line();
  say(text);
}

void Progress::begin(const std::string& label) {
  if (label == label_) return;
  label_ = label;
  expected_ = 0;
  begin_ = Clock::now();
}

void Progress::expect(const std::string& label, double seconds) {
  const std::lock_guard lock(mutex_);
  label_.clear();
  begin(label);
  expected_ = seconds;
  wait_for(label);
}

void Progress::update(const std::string& label, int done, int total) {
  const std::lock_guard lock(mutex_);
  begin(label);
  wait_for(done > 0 ? "" : label);
  if (done > 0)
    write(fmt::format("{} {}, {} left", label, bar(static_cast<std::size_t>(done), static_cast<std::size_t>(total)),
                      view::duration(seconds_since(begin_) / done * (total - done))));
  else
    write(label + " ...");
}

void Progress::update_study(const std::string& label, const study::RunProgress& progress) {
  const std::lock_guard lock(mutex_);
  begin(label);
  std::string line = label + " " + bar(progress.reused + progress.done, progress.total);
  const auto add = [&](std::size_t count, const char* what) {
    if (count > 0) line += fmt::format(", {} {}", count, what);
  };
  add(progress.running, "running");
  add(progress.failed, "failed");
  add(progress.unconverged, "unconverged");
  add(progress.elsewhere, "elsewhere");
  add(progress.lost_workers, "workers lost");
  wait_for(std::isfinite(progress.seconds_left) ? "" : line);
  if (waiting_.empty()) line += fmt::format(", {} left", view::duration(progress.seconds_left));
  write(line);
}

}  // namespace attnlaw::app
