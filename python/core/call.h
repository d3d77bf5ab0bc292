#pragma once
/// Runs what may take long without holding up Python: other threads go on, and Ctrl-C ends it.

#include <nanobind/nanobind.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace attnlaw::python {

/// Calls body() on a thread of its own, without the GIL, and waits for it asleep. If a signal handler of Python raises
/// meanwhile (Ctrl-C: KeyboardInterrupt), the body is interrupted, its threads are joined, and that exception goes on;
/// otherwise an exception of the body does. Needs the GIL.
void run_interruptibly(const std::function<void()>& body);

/// An object whose copies any thread may make and drop, with or without the GIL.
std::shared_ptr<nanobind::object> shared(nanobind::object object);

/// Calls a function of Python as callback(label, done, total), from any thread. What it raises interrupts the body and
/// is raised where run_interruptibly was called. None: nothing is called.
std::function<void(const std::string&, int, int)> progress_to(nanobind::object callback);

}  // namespace attnlaw::python
