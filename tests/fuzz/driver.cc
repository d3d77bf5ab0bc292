/// The program `fuzz TARGET [options of libFuzzer] [folders of inputs]`.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "fuzz/targets.h"

namespace {

const attnlaw::fuzz::Target* target = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const std::string_view name = *argc > 1 ? (*argv)[1] : "";
  for (const attnlaw::fuzz::Target& one : attnlaw::fuzz::targets())
    if (one.name == name) target = &one;
  if (!target) {
    std::fprintf(stderr, "fuzz takes the name of a target:");
    for (const attnlaw::fuzz::Target& one : attnlaw::fuzz::targets()) std::fprintf(stderr, " %s", one.name);
    std::fprintf(stderr, "\n");
    std::exit(2);
  }
  // libFuzzer takes what is left for its options and folders.
  (*argv)[1] = (*argv)[0];
  ++*argv;
  --*argc;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  try {
    target->run({reinterpret_cast<const char*>(data), size});
  } catch (const attnlaw::fuzz::FaultFound& fault) {
    std::fprintf(stderr, "%s\n", fault.what.c_str());
    std::abort();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "not a refusal: %s\n", error.what());
    std::abort();
  }
  return 0;
}
