/// The one function that the page calls.

#include <emscripten/emscripten.h>

#include <string>

#include "core/answer.h"

/// The answer lives until the next question.
extern "C" EMSCRIPTEN_KEEPALIVE const char* attnlaw_answer(const char* question) {
  static std::string text;
  text = attnlaw::explorer::answer(question);
  return text.c_str();
}
