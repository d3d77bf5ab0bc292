/// docs/csv.md names every column that the program prints.

#include "cli/csv.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace attnlaw::test {
namespace {

TEST(Csv, EveryColumnIsDocumented) {
  const std::string problem = " --alpha 1 --lambda 0.1 --head linear ";
  const std::string small = " --d 10 --instances 2 --precision double ";
  const std::pair<const char*, std::string> cases[] = {
      {"solve", problem},
      {"solve", " --alpha 1 --lambda 0.1 --labels sign "},
      {"simulate", problem + small},
      {"simulate", " --alpha 1 --lambda 0.1 --labels sign " + small},
      {"simulate", " --alpha 1 --lambda 0.5 --loss cross-entropy " + small},
      {"spectrum", problem + small},
      {"spectrum", problem + "--along alpha:0.5,1,2"},
      {"spectrum", problem + "--attention cross --along lambda:0.5,1,2"},
      {"thresholds", "--head linear"},
      {"thresholds", problem + "--alpha-range 0.5,1,3"},
      {"thresholds", problem + "--alpha-range 0.5,1,2 --noise-range 0,1,2"},
      {"thresholds", problem + "--alpha-range 0.5,1,2 --kappa-range 0.5,1,2"},
      {"limits", "--head linear --tokens 1 --alpha 1 --noise 0.1 --lambda 0.1"},
      {"scaling", "--head linear --noise 0.5 --target powerlaw:1,10 --n 1e2,1e3,3"},
      {"scaling", "--attention cross --head linear --noise 0.5 --target powerlaw:1,10 --n 1e2,1e3,3"},
      {"figure", "--list"},
      {"softmax-law", "--beta 0.5 --rho 1"},
      {"pooling", "--delta 0.5 --gamma 0.5 --mu2 1 --alpha-pool 1"},
      {"icl", "--context 2 --tasks 0.5 --sequences 2 --lambda 0.1 --d 6"},
      {"lora", "--head linear --tokens 1 --alpha-ft 6 --e-pre 0.4"},
      {"lofi", "--target sine:8,1.5 --d 30 --n 2000"}};
  for (const auto& [command, arguments] : cases) {
    const Outcome outcome = attnlaw(std::string(command) + " " + arguments + " --format csv");
    EXPECT_EQ(outcome.code, 0) << command << arguments << "\n" << outcome.err;
    const std::string text = documented_columns(command);
    for (const std::string& column : columns_of(outcome.out))
      EXPECT_NE(text.find("`" + column + "`"), std::string::npos) << command << " " << column;
  }
}

}  // namespace
}  // namespace attnlaw::test
