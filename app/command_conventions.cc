#include "commands.h"
#include "conventions_text.h"
#include "output.h"

namespace attnlaw::legacy {

int run(const ConventionsArguments& arguments) {
  const Result result{{},
                      {{"schema", "attnlaw/2"}, {"command", "conventions"}, {"text", app::kConventions}},
                      {{}, {{"text"}}, {{std::string(app::kConventions)}}}};
  if (arguments.common.format == Format::table)
    emit_text(arguments.common, app::kConventions);
  else
    emit(arguments.common, result);
  return 0;
}

int run(const Help& help) {
  emit_text({}, help.text);
  return 0;
}

}  // namespace attnlaw::legacy
