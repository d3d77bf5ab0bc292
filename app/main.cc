#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <stdexcept>

#include "commands.h"
#include "output.h"

namespace {

constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

int complain(const std::exception& error, int code) {
  fmt::print(stderr, "attnlaw: {}\n", error.what());
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace attnlaw::app;
  try {
    remember_command_line(command_line(argc, argv));
    return std::visit([](const auto& arguments) { return run(arguments); }, parse_arguments(argc, argv));
  } catch (const std::invalid_argument& error) {
    return complain(error, kBadUsage);
  } catch (const std::exception& error) {
    return complain(error, kFailed);
  }
}
