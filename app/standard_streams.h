#pragma once
/// The descriptors 0, 1 and 2 that a process is started with, which may be closed (cron, daemons), and what goes to
/// them.

#include <string>

namespace attnlaw::app {

/// Fills each of the descriptors 0, 1 and 2 that is closed, so that no file that is opened later becomes standard
/// output or standard error and receives their text. Reading from such a descriptor ends at once, writing to it fails.
void secure_standard_streams();

/// Writes all of the text to a descriptor; false, with errno set, if that fails.
bool put(int descriptor, const std::string& text);

/// Writes to standard error, as far as that is possible: a message that nobody can receive is no failure.
void put(const std::string& text);

/// Writes "attnlaw: " and the text as one line to standard error. Line ends, other control characters and bytes that
/// are no UTF-8, which names of files may have, are shown as escapes.
void say(const std::string& text);

}  // namespace attnlaw::app
