#include "standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "attnlaw/base/printable.h"

namespace attnlaw::app {
namespace {

bool is_closed(int descriptor) { return fcntl(descriptor, F_GETFD) == -1 && errno == EBADF; }

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

void say(const std::string& text) { put("attnlaw: " + base::printable(text) + "\n"); }

}  // namespace attnlaw::app
