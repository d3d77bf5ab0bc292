/// Answers the questions of the page by the native library: one a line, each with its answer and the milliseconds that
/// it took on a line of its own.

#include <chrono>
#include <iostream>
#include <string>

#include "core/answer.h"

int main() {
  for (std::string question; std::getline(std::cin, question);) {
    const auto begin = std::chrono::steady_clock::now();
    const std::string answer = attnlaw::explorer::answer(question);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::cout << answer << "\n" << 1000 * seconds << "\n";
  }
}
