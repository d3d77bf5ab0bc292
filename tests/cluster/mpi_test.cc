/// Several processes under mpirun: what they promise each other, and the program as a user starts it.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/program.h"

namespace attnlaw::test {
namespace {

using nlohmann::json;

#ifdef ATTNLAW_MPIRUN

/// mpirun as root, with more ranks than processors, silent about the machine.
std::string mpirun(int ranks, const std::string& options = "") {
  return "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 '" ATTNLAW_MPIRUN "' --oversubscribe " + options +
         " -n " + std::to_string(ranks) + " ";
}

Outcome shell(const std::string& command) {
  const Scratch scratch;
  const std::string out = (scratch / "out").string(), err = (scratch / "err").string();
  const int status = std::system(("{ " + command + "; } >'" + out + "' 2>'" + err + "'").c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, slurp(out), slurp(err)};
}

Outcome ranks(int count, const std::string& scenario, const std::string& options = "") {
  return shell("timeout 60 env ATTNLAW_MPI_MODULE='" ATTNLAW_MPI_MODULE "' " + mpirun(count, options) +
               "'" ATTNLAW_RANKS "' " + scenario);
}

std::size_t count_of(const std::string& part, const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Ranks, SumToTheSameBits) {
  for (const int count : {1, 2, 3, 4}) {
    const Outcome outcome = ranks(count, "sums");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
  }
}

TEST(Ranks, DeliverMessagesInOrder) {
  const Outcome outcome = ranks(3, "messages");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

TEST(Ranks, WaitWithoutBurningAProcessor) {
  const Outcome outcome = ranks(2, "patience");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

TEST(Ranks, OneThatFailsEndsTheOthers) {
  const Outcome outcome = ranks(3, "lone_failure");
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_NE(outcome.err.find("rank 1 cannot go on"), std::string::npos) << outcome.err;
}

TEST(Ranks, AKilledWorkerIsSurvivedWithRecovery) {
  const Outcome outcome = ranks(3, "lost_worker", "--enable-recovery");
  EXPECT_NE(outcome.out.find("survived"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.code, 124) << "it hung";
}

TEST(Ranks, AKilledWorkerEndsTheRunWithoutRecovery) {
  const Outcome outcome = ranks(3, "lost_worker");
  EXPECT_EQ(outcome.code, 128 + SIGKILL) << outcome.err;
}

TEST(Ranks, ASumWithoutOneOfThemEnds) {
  const Outcome outcome = ranks(3, "lost_in_sum", "--enable-recovery");
  EXPECT_NE(outcome.code, 124) << "it hung";
  EXPECT_NE(outcome.err.find("rank 1 is gone"), std::string::npos) << outcome.err;
}

TEST(Ranks, NobodyWaitsAtTheEndForOneThatIsGone) {
  const Outcome outcome = ranks(3, "lost_at_the_end", "--enable-recovery");
  EXPECT_NE(outcome.code, 124) << "it hung";
}

TEST(Ranks, NobodyStaysBehindWithoutRankZero) {
  for (const std::string options : {"", "--enable-recovery"}) {
    const auto begin = std::chrono::steady_clock::now();
    const Outcome outcome = ranks(3, "lost_lead", options);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(40)) << options << outcome.err;
    EXPECT_NE(outcome.code, 124) << "it hung: " << options;
  }
}

const std::string kSimulate =
    "simulate --alpha 0.5 --lambda 0.05 --d 24 --instances 2 --format json --distributed --accuracy 1e-2";

TEST(Distributed, EndsAtTheObjectiveOfOneProcess) {
  const json alone = json::parse(attnlaw(kSimulate).out);
  for (const int count : {1, 2, 3, 4}) {
    const Outcome outcome = attnlaw(kSimulate, mpirun(count));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    // One document: rank 0 alone prints.
    const json shared = json::parse(outcome.out);
    ASSERT_EQ(shared["instances"].size(), 2U);
    EXPECT_EQ(shared["theory"]["errors"], alone["theory"]["errors"]);
    for (std::size_t i = 0; i < 2; ++i) {
      const double objective = alone["instances"][i]["objective"];
      EXPECT_NEAR(shared["instances"][i]["objective"], objective, 1e-6 * objective) << count;
      const double test = alone["instances"][i]["test"];
      EXPECT_NEAR(shared["instances"][i]["test"], test, 1e-4 * test) << count;
    }
  }
}

TEST(Distributed, SaysWhenItIsAlone) {
  const Outcome outcome = attnlaw(kSimulate);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("--distributed without mpirun"), std::string::npos) << outcome.out;
}

TEST(Distributed, OneMessageForOneMistake) {
  for (const std::string arguments :
       {"simulate --distributed --alpha -1 --lambda 0.05 --d 20",
        "simulate --distributed --alpha 0.01 --lambda 0.05 --d 10",
        "simulate --distributed --alpha 0.5 --lambda 0.05 --d 20,20", "sweep /nowhere.toml"}) {
    const Outcome outcome = attnlaw(arguments, mpirun(3));
    EXPECT_NE(outcome.code, 0) << arguments;
    EXPECT_EQ(count_of("attnlaw: ", outcome.err), 1U) << arguments << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(Distributed, BadUsageIsExitTwo) {
  EXPECT_EQ(attnlaw("simulate --distributed --alpha -1 --lambda 0.05 --d 20", mpirun(2)).code, 2);
}

TEST(Distributed, OtherCommandsAreForOneProcess) {
  const Outcome outcome = attnlaw("solve --alpha 0.3 --lambda 0.05", mpirun(3));
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_EQ(count_of("attnlaw: ", outcome.err), 1U) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(attnlaw("solve --head linear --alpha 0.3 --lambda 0.05", mpirun(1)).code, 0);
}

TEST(Distributed, AMissingModuleIsNamed) {
  const Outcome outcome = attnlaw(kSimulate, "ATTNLAW_MPI_MODULE=/nowhere.so " + mpirun(2));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("scripts/setup cluster"), std::string::npos) << outcome.err;
}

constexpr const char* kStudy = R"(title = "Theory and experiment"
[problem]
head = "linear"
lambda = 0.05
[[part]]
name = "curve"
axes = [{alpha = {from = 0.2, to = 0.6, count = 60}}]
)";

/// Everything that a store says but for times.
std::string content(const std::filesystem::path& store) {
  const Outcome results = attnlaw("results '" + store.string() +
                                  "' --format csv --columns key,kind,alpha,lambda,status,error,train,test,estimation,"
                                  "objective,q,m,V,Q_star,replicon,zero_mass,code | sort");
  EXPECT_EQ(results.code, 0) << results.err;
  return results.out;
}

class SweepOverRanks : public testing::Test {
 protected:
  std::string sweep(const std::string& store) const {
    return "sweep '" + study_.string() + "' --quiet --format json --store '" + (scratch_ / store).string() + "'";
  }

  Scratch scratch_;
  std::filesystem::path study_ = scratch_.write("study.toml", kStudy);
};

TEST_F(SweepOverRanks, StoresTheBitsOfOneProcess) {
  ASSERT_EQ(attnlaw(sweep("alone")).code, 0);
  for (const int count : {2, 4}) {
    const std::string name = "ranks" + std::to_string(count);
    const Outcome outcome = attnlaw(sweep(name), mpirun(count));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(json::parse(outcome.out)["computed"], 60);
    EXPECT_EQ(content(scratch_ / name), content(scratch_ / "alone"));
    // Nothing is left to do.
    EXPECT_EQ(json::parse(attnlaw(sweep(name), mpirun(count)).out)["computed"], 0);
  }
}

TEST_F(SweepOverRanks, ResumesAfterAKill) {
  ASSERT_EQ(attnlaw(sweep("alone")).code, 0);
  shell("timeout -s KILL 1.5 env " + mpirun(3) + "'" ATTNLAW_PROGRAM "' " + sweep("killed"));
  ASSERT_EQ(attnlaw(sweep("killed"), mpirun(2)).code, 0);
  EXPECT_EQ(content(scratch_ / "killed"), content(scratch_ / "alone"));
}

#else

TEST(Ranks, NeedOpenMpi) { GTEST_SKIP() << "this build found no Open MPI (scripts/setup cluster)"; }

#endif

}  // namespace
}  // namespace attnlaw::test
