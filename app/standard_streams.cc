#include "standard_streams.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

namespace attnlaw::app {
namespace {

bool is_closed(int descriptor) { return fcntl(descriptor, F_GETFD) == -1 && errno == EBADF; }

std::string on_one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    constexpr unsigned char kBlank = 0x20, kDelete = 0x7F;
    if (c == '\t')
      line += c;
    else if (c == '\n')
      line += "\\n";
    else if (byte < kBlank || byte == kDelete)
      line += fmt::format("\\x{:02X}", byte);
    else
      line += c;
  }
  return line;
}

}  // namespace

void secure_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (!is_closed(descriptor)) continue;
    // A directory takes no text, whoever asks: an output that is lost must not look written, as it would in /dev/null.
    const int opened =
        descriptor == STDIN_FILENO ? open("/dev/null", O_RDONLY) : open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    // The lowest free descriptor is taken: those below are open by now.
    if (opened != descriptor && opened > STDERR_FILENO) close(opened);
  }
}

bool put(int descriptor, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = write(descriptor, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    done += static_cast<std::size_t>(written);
  }
  return true;
}

void put(const std::string& text) { put(STDERR_FILENO, text); }

void say(const std::string& text) { put("attnlaw: " + on_one_line(text) + "\n"); }

}  // namespace attnlaw::app
