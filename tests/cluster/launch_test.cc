/// What a process learns of its launch from the environment.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "attnlaw/cluster/communicator_loader.h"

namespace attnlaw::cluster {
namespace {

/// Sets variables for as long as it lives; all that a launcher sets are unset but for these.
class Environment {
 public:
  explicit Environment(const std::map<std::string, std::string>& variables) {
    for (const char* name : kNames) unsetenv(name);
    for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    for (const char* name : kNames) unsetenv(name);
  }

 private:
  static constexpr const char* kNames[] = {
      "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_PROCID",
      "SLURM_NTASKS",         "SLURM_STEP_NUM_TASKS", "PMI_RANK",  "PMI_SIZE"};
};

const std::map<std::string, std::string> kStep{{"SLURM_JOB_ID", "4711"},
                                               {"SLURM_STEP_ID", "0"},
                                               {"SLURM_PROCID", "2"},
                                               {"SLURM_NTASKS", "4"},
                                               {"SLURM_STEP_NUM_TASKS", "4"}};

TEST(Strangers, AreTasksOfAStepWithoutPmix) {
  const Environment step(kStep);
  ASSERT_TRUE(strangers());
  EXPECT_EQ(strangers()->rank, 2);
  EXPECT_EQ(strangers()->size, 4);
  EXPECT_FALSE(launch());
}

TEST(Strangers, AreRanksOfAnotherMpi) {
  const Environment mpich({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}});
  ASSERT_TRUE(strangers());
  EXPECT_EQ(strangers()->size, 2);
}

TEST(Strangers, AreNoneWhereOneProcessRuns) {
  for (const auto& variables : std::initializer_list<std::map<std::string, std::string>>{
           {},
           {{"SLURM_JOB_ID", "1"}, {"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}},
           {{"SLURM_STEP_ID", "0"}, {"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}, {"SLURM_STEP_NUM_TASKS", "1"}},
           {{"PMI_RANK", "0"}, {"PMI_SIZE", "1"}},
           {{"PMI_RANK", ""}, {"PMI_SIZE", ""}}}) {
    const Environment alone(variables);
    EXPECT_FALSE(strangers());
    EXPECT_FALSE(launch());
  }
}

TEST(Strangers, AreNoneWhereRanksKnowEachOther) {
  std::map<std::string, std::string> known = kStep;
  known["PMIX_RANK"] = "2";
  const Environment step(known);
  EXPECT_FALSE(strangers());
  ASSERT_TRUE(launch());
  EXPECT_EQ(launch()->size, 4);
}

TEST(Launch, TakesAnEmptyVariableForNone) {
  const Environment empty(std::map<std::string, std::string>{{"OMPI_COMM_WORLD_RANK", ""}});
  EXPECT_FALSE(launch());
}

}  // namespace
}  // namespace attnlaw::cluster
