#pragma once
/// Long calls into libraries that know nothing of interruptions (base/interrupt.h).

#include <functional>

namespace attnlaw::base {

/// Calls body() and returns, or throws what it threw. Where the calling thread can be interrupted, body() runs on a
/// thread of its own; when the flag is set, Interrupted is thrown within 50 ms, and that thread goes on to the end of
/// body() with nobody waiting, except for the end of the process. So body() owns all that it reads and writes.
void call_apart(const std::function<void()>& body);

}  // namespace attnlaw::base
