/// The program where systems are unusual: closed descriptors, names of any bytes, small jobs, dumb terminals, launchers
/// that it does not know.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "attnlaw/study/store/store.h"
#include "cli/program.h"

namespace attnlaw::test {
namespace {

using nlohmann::json;

const std::string kSolve = "solve --head linear --alpha 1 --lambda 0.1";

constexpr const char* kStudy = R"([problem]
head = "linear"
lambda = 0.05
[[part]]
name = "curve"
axes = [{alpha = {from = 0.2, to = 0.6, count = 4}}]
)";

/// Runs `script` in a shell; $A is the program, the scratch folder its working directory.
Outcome shell(const Scratch& scratch, const std::string& script) {
  const Scratch outputs;
  const std::string command = "cd '" + scratch.path().string() + "' && A='" ATTNLAW_PROGRAM "' && { " + script +
                              "\n} >'" + (outputs / "out").string() + "' 2>'" + (outputs / "err").string() + "'";
  const int status = std::system(("bash -c " + quoted(command)).c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, slurp(outputs / "out"), slurp(outputs / "err")};
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// ---- descriptors ----------------------------------------------------------------------------------------------------

TEST(ClosedDescriptors, ReceiveNoFileAndAResultThatIsLostIsAFailure) {
  const Scratch scratch;
  EXPECT_EQ(shell(scratch, "$A " + kSolve + " --format json --output o.json >&-").code, 0);
  EXPECT_EQ(json::parse(slurp(scratch / "o.json"))["command"], "solve");
  const Outcome lost = shell(scratch, "$A " + kSolve + " >&-");
  EXPECT_EQ(lost.code, 1);
  EXPECT_EQ(lost.err, "attnlaw: cannot write to standard output: Bad file descriptor\n");
  EXPECT_EQ(shell(scratch, "$A " + kSolve + " >/dev/full").code, 1);
  EXPECT_EQ(shell(scratch, "$A solve --alpha -1 2>&-").code, 2) << "a message that nobody can receive";
  EXPECT_EQ(shell(scratch, "$A " + kSolve + " --output /dev/null <&- >&- 2>&-").code, 0);
}

TEST(ClosedDescriptors, LeaveStoresAndFiguresWhole) {
  const Scratch scratch;
  scratch.write("study.toml", kStudy);
  scratch.write("chart.toml", std::string(kStudy) + "[[chart]]\nx = \"alpha\"\nvalues = [\"test\"]\n");
  EXPECT_EQ(shell(scratch, "$A sweep study.toml --store s.sqlite >&- 2>&-").code, 1) << "its table is lost";
  EXPECT_EQ(shell(scratch, "$A sweep study.toml --store t.sqlite --output t.txt <&- >&- 2>&-").code, 0);
  EXPECT_EQ(shell(scratch, "$A figure chart.toml --directory out --output f.txt >&- 2>&-").code, 0);
  for (const char* store : {"s.sqlite", "t.sqlite", "out/chart.sqlite"}) {
    const study::Store open((scratch / store).string(), study::Store::Access::read);
    EXPECT_EQ(open.integrity(), "") << store;
    EXPECT_EQ(open.count("").other_codes, 4U) << store;
  }
}

// ---- names ----------------------------------------------------------------------------------------------------------

TEST(Names, OfAnyBytesAreReadAndShownAsUtf8) {
  const Scratch scratch;
  scratch.write("study.toml", kStudy);
  for (const std::string name : {"spektrum_\xfc"
                                 "ber.txt",
                                 "u\xcc\x88"
                                 "ber \xf0\x9f\x98\x80\n2.txt",
                                 "-dash.txt", "a\\xFC.txt"}) {
    scratch.write(name, "1\n-1\n2\n0.5\n");
    const Outcome solved = shell(scratch, "$A " + kSolve + " --format json --target " + quoted("file:" + name));
    ASSERT_EQ(solved.code, 0) << solved.err;
    const json document = json::parse(solved.out);
    // The document is a problem file: the same name is found again.
    scratch.write("problem.json", solved.out);
    const Outcome again = shell(scratch, "$A solve --problem problem.json --format json");
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(json::parse(again.out)["errors"], document["errors"]);
    const Outcome page = shell(
        scratch, "$A spectrum --head linear --alpha 1 --lambda 0.1 --html r.html --target " + quoted("file:" + name));
    EXPECT_EQ(page.code, 0) << page.err;
    EXPECT_NO_THROW(json(slurp(scratch / "r.html")).dump()) << "UTF-8";
  }
}

TEST(Names, OfStoresAndTargetsInStoresMayBeAnyBytes) {
  const Scratch scratch;
  scratch.write("t_\xfc.txt", "1\n-1\n2\n0.5\n");
  scratch.write("study.toml", std::string(kStudy) + "problem = {target = 'file:t_\\xFC.txt'}\n");
  const std::string store = quoted(
      "erg\xe9"
      "bnis #1?.sqlite");
  for (const char* computed : {"4", "0"}) {
    const Outcome sweep = shell(scratch, "$A sweep study.toml --format json --store " + store);
    ASSERT_EQ(sweep.code, 0) << sweep.err;
    EXPECT_EQ(json::parse(sweep.out)["computed"].dump(), computed);
  }
  const Outcome results = shell(scratch, "$A results --format json " + store);
  ASSERT_EQ(results.code, 0) << results.err;
  EXPECT_TRUE(json::parse(results.out)["rows"][0]["target"].get<std::string>().ends_with("t_\\xFC.txt"));
  EXPECT_EQ(json::parse(results.out)["store"],
            "erg\\xE9"
            "bnis #1?.sqlite");
}

TEST(Names, WithLineEndsDoNotMakeAMessageTwoLines) {
  const Scratch scratch;
  const Outcome missing = shell(scratch, "$A " + kSolve + " --target " + quoted("file:no\nsuch"));
  EXPECT_EQ(missing.code, 1);
  EXPECT_EQ(lines(missing.err), 1U) << missing.err;
}

/// Tables, CSV and messages: whatever a name holds moves no cursor, begins no line and is UTF-8.
TEST(Names, WithControlCharactersAreShownOnTheirLine) {
  const Scratch scratch;
  const std::string name =
      "a\nb\x1b[31m\xff"
      ".txt";
  scratch.write(name, "1\n-1\n2\n0.5\n");
  scratch.write("plain.txt", "1\n-1\n2\n0.5\n");
  const std::string shown = "a\\nb\\x1B[31m\\xFF.txt";
  for (const std::string format : {"table", "csv"}) {
    const Outcome odd =
        shell(scratch, "$A " + kSolve + " --format " + format + " --target " + quoted("file:" + name) + ",wishart:1");
    const Outcome plain = shell(scratch, "$A " + kSolve + " --format " + format + " --target file:plain.txt,wishart:1");
    ASSERT_EQ(odd.code, 0) << odd.err;
    EXPECT_EQ(lines(odd.out), lines(plain.out)) << odd.out;
    EXPECT_EQ(odd.out.find('\x1b'), std::string::npos) << format;
    EXPECT_EQ(odd.out.find('\xff'), std::string::npos) << format;
    EXPECT_NE(odd.out.find(shown), std::string::npos) << odd.out;
  }
  const Outcome one = shell(scratch, "$A " + kSolve + " --target " + quoted("file:" + name));
  EXPECT_NE(one.out.find("target file:" + shown), std::string::npos) << one.out;
  for (const std::string& command :
       {kSolve + " --target " + quoted("file:no" + name), "inspect " + quoted("no" + name)}) {
    const Outcome missing = shell(scratch, "$A " + command);
    EXPECT_EQ(missing.code, 1) << missing.err;
    EXPECT_NE(missing.err.find("no" + shown), std::string::npos) << missing.err;
    EXPECT_EQ(missing.err.find('\xff'), std::string::npos) << missing.err;
    EXPECT_EQ(lines(missing.err), 1U) << missing.err;
  }
}

// ---- lists ----------------------------------------------------------------------------------------------------------

/// A comma parts the values of a list. Where it was meant for a decimal, the message has what was typed.
TEST(DecimalCommas, AreNamedAsTheyWereTyped) {
  const std::pair<std::string, std::string> cases[] = {{"--alpha 0,3 --lambda 0.05", "--alpha '0,3'"},
                                                       {"--alpha 0.3 --lambda 0,05", "--lambda '0,05'"},
                                                       {"--alpha 0.3 --lambda 1 --beta 0,5", "--beta '0,5'"},
                                                       {"--alpha 0.3 --lambda 1 --width 0,5", "--width '0,5'"},
                                                       {"--alpha 0.3 --lambda 1 --noise 1,-2", "--noise '1,-2'"},
                                                       {"--alpha 0.3,x --lambda 1", "--alpha '0.3,x'"}};
  EXPECT_NE(attnlaw("icl --context 0,5 --tasks 1 --sequences 1").err.find("--context 0,5 is a list of two values"),
            std::string::npos);
  for (const auto& [options, typed] : cases) {
    const Outcome refused = attnlaw("solve --head linear " + options);
    EXPECT_EQ(refused.code, 2) << options;
    EXPECT_EQ(refused.err.find("attnlaw: " + typed), 0U) << refused.err;
    EXPECT_EQ(lines(refused.err), 1U) << refused.err;
    const bool is_decimal = options.find(",-") == std::string::npos && options.find(",x") == std::string::npos;
    EXPECT_EQ(refused.err.find("decimals have a point") != std::string::npos, is_decimal) << refused.err;
  }
  // A list is a list.
  EXPECT_EQ(attnlaw("solve --head linear --alpha 1,5 --lambda 0.1 --noise 0,1").code, 0);
}

// ---- jobs -----------------------------------------------------------------------------------------------------------

/// Runs a script in which /sys/fs/cgroup is the folder `groups`; skips where that takes rights we have not.
Outcome in_group(const Scratch& scratch, const std::string& script) {
  return shell(scratch, "unshare -m bash -c " +
                            quoted("mount --bind groups /sys/fs/cgroup && A='" ATTNLAW_PROGRAM "' && " + script));
}

bool has_groups(const Scratch& scratch) {
  std::filesystem::create_directories(scratch / "groups");
  return in_group(scratch, "true").code == 0;
}

TEST(Jobs, AreRefusedBeforeTheWorkWhereTheirMemoryIsLimited) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer reserves more addresses than the limit";
  const Scratch scratch;
  const std::string large = "$A simulate --head linear --alpha 4 --lambda 0.05 --d 400 --instances 2 --output x.json";
  for (const std::string limit : {"ulimit -v 1500000", "ulimit -d 1000000"}) {
    const Outcome refused = shell(scratch, limit + "; " + large);
    EXPECT_EQ(refused.code, 1);
    EXPECT_NE(refused.err.find("GiB of memory, this process may use "), std::string::npos) << refused.err;
    EXPECT_EQ(lines(refused.err), 1U) << refused.err;
    EXPECT_FALSE(std::filesystem::exists(scratch / "x.json"));
    EXPECT_EQ(shell(scratch, limit + "; $A " + kSolve).code, 0);
  }
  if (!has_groups(scratch)) GTEST_SKIP() << "needs a mount namespace";
  scratch.write("groups/memory.max", "400000000\n");
  const Outcome refused = in_group(scratch, large);
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("may use 3"), std::string::npos) << refused.err;
  EXPECT_EQ(in_group(scratch, "$A " + kSolve).code, 0);
}

/// OpenBLAS waits for ever where it is refused a buffer.
TEST(Jobs, EndWhereThereIsTooLittleMemoryForAnyWork) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer reserves more addresses than the limit";
  const Scratch scratch;
  for (const int kilobytes : {120000, 200000, 300000}) {
    const Outcome outcome = shell(scratch, "ulimit -v " + std::to_string(kilobytes) +
                                               "; timeout 60 $A simulate --head linear --alpha 1 --lambda 0.1 --d 40 "
                                               "--instances 2 --format json");
    EXPECT_TRUE(outcome.code == 0 || outcome.code == 1) << kilobytes << ": " << outcome.code << outcome.err;
    EXPECT_EQ(lines(outcome.err), outcome.code == 1 ? 1U : 0U) << outcome.err;
  }
}

TEST(Jobs, ReadNoFileThatDoesNotFit) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer reserves more addresses than the limit";
  const Scratch scratch;
  const Outcome refused = shell(scratch, "truncate -s 1T huge.npy && $A lofi --data huge.npy --lift 20");
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("huge.npy': it has 1 TiB or more, this process"), std::string::npos) << refused.err;
  // Devices without end are refused before a byte is read, pipes when they have filled the memory.
  scratch.write("numbers.txt", "1\n-1\n2\n0.5\n");
  for (const std::string& command : {kSolve + " --target file:/dev/zero", std::string("lofi --data /dev/zero"),
                                     std::string("sweep /dev/zero"), std::string("solve --problem /dev/urandom")}) {
    const Outcome endless = shell(scratch, "timeout 20 $A " + command);
    EXPECT_EQ(endless.code, 1) << command << endless.err;
    EXPECT_NE(endless.err.find("whose bytes have no end"), std::string::npos) << endless.err;
    EXPECT_EQ(lines(endless.err), 1U) << endless.err;
  }
  const Outcome full = shell(scratch, "yes 1 | (ulimit -v 400000; $A " + kSolve + " --target file:/dev/stdin)");
  EXPECT_EQ(full.code, 1);
  EXPECT_NE(full.err.find("/dev/stdin': it has "), std::string::npos) << full.err;
  EXPECT_EQ(shell(scratch, "cat numbers.txt | $A " + kSolve + " --target file:/dev/stdin").code, 0);
  EXPECT_EQ(shell(scratch, "$A " + kSolve + " --target file:/dev/null").code, 2) << "empty, not endless";
}

/// Prints the most threads that `$A` ever has, started by `start` (as taskset).
std::string most_threads(const std::string& start) {
  return start +
         " $A softmax-law --beta 0.5 --rho 1 --simulate 300 --instances 8 >/dev/null & p=$!; most=0; "
         "while t=$(awk '/^Threads/{print $2}' /proc/$p/status 2>/dev/null) && [ -n \"$t\" ]; do "
         "[ $t -gt $most ] && most=$t; sleep 0.002; done; wait $p && echo $most";
}

TEST(Jobs, StartAsManyThreadsAsTheirQuotaIsWorth) {
  const Scratch scratch;
  EXPECT_EQ(shell(scratch, most_threads("taskset -c 0")).out, "1\n");
  if (!has_groups(scratch)) GTEST_SKIP() << "needs a mount namespace";
  scratch.write("groups/cpu.max", "50000 100000\n");
  EXPECT_EQ(in_group(scratch, most_threads("")).out, "1\n");
}

/// The line that shows time pass takes no thread that could be refused.
TEST(Jobs, WorkInTheAddressSpaceOfOneThread) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer reserves more addresses than the limit";
  const Scratch scratch;
  const Outcome outcome = shell(scratch, "ulimit -v 80000; $A " + kSolve);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

// ---- terminals ------------------------------------------------------------------------------------------------------

TEST(Terminals, ReceiveNoEscapeCodes) {
  const Scratch scratch;
  scratch.write("study.toml", kStudy);
  for (const std::string terminal : {"TERM=dumb", "TERM=xterm", "TERM=xterm NO_COLOR=1"}) {
    const Outcome run =
        shell(scratch, "rm -f s.sqlite; " + terminal +
                           " script -qfec \"$A sweep study.toml --store s.sqlite >out\" err >/dev/null");
    ASSERT_EQ(run.code, 0) << run.err;
    const std::string err = slurp(scratch / "err");
    EXPECT_EQ(err.find('\x1b'), std::string::npos) << terminal;
    EXPECT_EQ(err.find("[====") == std::string::npos, terminal == "TERM=dumb") << err;
  }
}

/// Without a terminal there is a line a minute and no thread for it: here while a problem is waited for.
TEST(Terminals, SlowHaveALineAMinuteOfWhatSaysNothing) {
  const Scratch scratch;
  const Outcome run = shell(scratch,
                            "mkfifo later.json; $A solve --problem later.json & p=$!; sleep 70; "
                            "awk '/^Threads/{print $2}' /proc/$p/status; "
                            "echo '{\"head\": \"linear\", \"alpha\": 1, \"lambda\": 0.1}' >later.json; wait $p");
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.err, "solve ... 1 min\n");
  EXPECT_EQ(run.out.substr(0, 2), "1\n") << "threads";
}

// ---- launchers ------------------------------------------------------------------------------------------------------

TEST(Launchers, OfStrangersAreNamed) {
  const Scratch scratch;
  const std::string step = "SLURM_JOB_ID=1 SLURM_STEP_ID=0 SLURM_PROCID=2 SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=4 ";
  const Outcome shared =
      shell(scratch, step + "$A simulate --distributed --head linear --alpha 1 --lambda 0.1 --d 20 --instances 1");
  EXPECT_EQ(shared.code, 2);
  EXPECT_NE(shared.err.find("process 2 of 4"), std::string::npos) << shared.err;
  const Outcome alone = shell(scratch, step + "$A " + kSolve);
  EXPECT_EQ(alone.code, 0);
  EXPECT_NE(alone.err.find("do not know each other"), std::string::npos) << alone.err;
  EXPECT_EQ(shell(scratch, step + "$A " + kSolve + " --quiet").err, "");
  EXPECT_EQ(shell(scratch, "SLURM_JOB_ID=1 SLURM_NTASKS=4 SLURM_PROCID=0 $A " + kSolve).err, "") << "a batch script";
  for (const std::string other : {"MPI_LOCALRANKID=1 MPI_LOCALNRANKS=4 ", "PALS_RANKID=1 PALS_SIZE=4 "}) {
    const Outcome warned = shell(scratch, other + "$A " + kSolve);
    EXPECT_EQ(warned.code, 0);
    EXPECT_NE(warned.err.find("process 1 of 4"), std::string::npos) << warned.err;
  }
  // A launcher with PMIx that does not say how many it started: not one alone, if this is not the first.
  for (const std::string& command : {kSolve, "simulate --distributed --d 20 --instances 1" + kSolve.substr(5)}) {
    const Outcome second = shell(scratch, "PMIX_RANK=1 PMIX_NAMESPACE=x timeout 60 $A " + command);
    EXPECT_TRUE(second.code == 1 || second.code == 2) << command << second.code << second.out;
    EXPECT_NE(second.err, "") << command;
  }
}

}  // namespace
}  // namespace attnlaw::test
