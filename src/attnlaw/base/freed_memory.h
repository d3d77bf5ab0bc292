#pragma once
/// What becomes of memory that was freed.

namespace attnlaw::base {

/// Keeps freed memory of up to some megabytes in the process instead of giving it back each time: for work that makes
/// and frees matrices again and again, whose pages the system would clear anew. It is for programs to decide: all of
/// the process is concerned. No effect but with the GNU C library.
void keep_freed_memory();

}  // namespace attnlaw::base
