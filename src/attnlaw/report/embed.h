#pragma once
/// Takes files into the library.

#include "attnlaw/report/assets.h"

// Puts the bytes of a file between two symbols. The hashes make this file, and so its object, change with the assets.
#define ATTNLAW_EMBED(name, path, hash)                                                           \
  asm(".pushsection .rodata\n"                                                                    \
      ".hidden attnlaw_" #name "_begin\n.globl attnlaw_" #name "_begin\nattnlaw_" #name "_begin:\n" \
      ".incbin \"" path "\"\n"                                                                    \
      ".hidden attnlaw_" #name "_end\n.globl attnlaw_" #name "_end\nattnlaw_" #name "_end:\n"     \
      ".popsection\n");                                                                           \
  extern "C" const char attnlaw_##name##_begin[];                                                 \
  extern "C" const char attnlaw_##name##_end[];                                                   \
  std::string_view attnlaw::report::name() { return {attnlaw_##name##_begin, attnlaw_##name##_end}; }
