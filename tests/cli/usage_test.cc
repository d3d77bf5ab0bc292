/// Bad input: one clear line that names the value and what is accepted, exit code 2 (1 for run-time failures), nothing
/// written.

#include <gtest/gtest.h>

#include <algorithm>

#include "program.h"

namespace attnlaw::test {
namespace {

void expect_refused(const std::string& arguments, int code, const std::string& named) {
  const Outcome outcome = attnlaw(arguments);
  EXPECT_EQ(outcome.code, code) << arguments << "\n" << outcome.err;
  EXPECT_EQ(outcome.out, "") << arguments;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << arguments << "\n" << outcome.err;
  EXPECT_NE(outcome.err.find(named), std::string::npos) << arguments << " should name '" << named << "':\n"
                                                        << outcome.err;
}

TEST(Usage, ProblemsOutOfRange) {
  for (const char* alpha : {"0", "-1", "nan", "inf"})
    expect_refused(std::string("solve --lambda 1 --alpha ") + alpha, 2, "alpha");
  expect_refused("solve --alpha 1 --lambda -0.5", 2, "-0.5");
  expect_refused("solve --alpha 1 --lambda 0", 2, "lambda");
  expect_refused("solve --alpha 1 --lambda 1 --tokens 1", 2, "tokens");
  expect_refused("solve --alpha 1 --lambda 1 --target wishart:0", 2, "kappa");
  expect_refused("solve --alpha 1 --lambda 1 --target wishart:-0.5", 2, "-0.5");
  expect_refused("solve --alpha 1 --lambda 1 --target circle:3", 2, "circle");
  expect_refused("solve --alpha 1 --lambda 1 --target powerlaw:1,0", 2, "got '0'");
  expect_refused("solve --alpha 1 --lambda 1 --noise -1", 2, "noise");
  expect_refused("solve --alpha 1 --lambda 1 --head linear --beta 2", 2, "beta");
  expect_refused("solve --alpha 1 --lambda 1 --student bayes", 2, "bayes");
  expect_refused("solve --alpha 1 --lambda 1 --student teacher", 2, "'teacher'");
  expect_refused("solve --alpha 1 --lambda best", 2, "best");
  expect_refused("solve --alpha 1 --lambda edge --student direct", 2, "direct");
  expect_refused("solve --alpha 1 --lambda 0+ --student direct-general", 2, "direct-general");
  for (const char* width : {"0", "-0.3", "nan"})
    expect_refused(std::string("solve --alpha 1 --lambda 1 --width ") + width, 2, "width");
  expect_refused("solve --alpha 1 --lambda 1 --student direct --width 0.5", 2, "0.5");
  expect_refused("solve --alpha 1 --student bayes --head hardmax --tokens 3", 2, "3");
  expect_refused("solve --alpha 1 --lambda 1 --head hardmax", 2, "hardmax");
  expect_refused("solve --alpha 1 --lambda 1 --accuracy 0", 2, "accuracy");
}

TEST(Usage, MistypedCommandLines) {
  expect_refused("solve --alpha x --lambda 1", 2, "'x'");
  expect_refused("solve --alpha 1", 2, "--lambda is required: a number > 0, 0+");
  expect_refused("solve --lambda 1", 2, "--alpha is required");
  expect_refused("solve --alpha 1 --lambda 1 --colour red", 2, "--colour");
  expect_refused("resolve", 2, "resolve");
  expect_refused("sovle --alpha 1", 2, "did you mean 'solve'?");
  expect_refused("solve --alpah 1", 2, "not expected: --alpah 1; did you mean '--alpha'?");
  expect_refused("solve --alpha 1 --lambda 1 --format xml", 2, "'xml'");
  expect_refused("solve --alpha 1 --lambda 1 --threads -2", 2, "-2");
  expect_refused("completion tcsh", 2, "'tcsh'");
  expect_refused("solve --alpha 1 --lambda 1 --student tide", 2, "did you mean 'tied'?");
  expect_refused("figure width --output-dir x", 2, "did you mean '--directory'?");
  expect_refused("help sovle", 2, "did you mean 'solve'?");
  expect_refused("solve --alpha 1 --lambda edg", 2, "did you mean 'edge'?");
  expect_refused("solve --alpha 1 --lambda 1 --target wishrt:0.5", 2, "did you mean 'wishart'?");
  expect_refused("version --seed 1 --seed 2", 2, "--seed was given 2 times");
  expect_refused("figure fgi1", 2, "did you mean 'fig1'?");
  expect_refused("figure fig7", 2, "did you mean 'fig");
  expect_refused("solve --alpha 1 --lambda 1 --colour red", 2, "attnlaw solve --help");
  expect_refused("solve one --alpha 1 --target_beta 2", 2, "did you mean '--target-beta'?");
  expect_refused("figure learning_curv", 2, "did you mean 'learning_curve'?");
}

TEST(Usage, WhatRunsNothingTakesNoOptionsOfARun) {
  expect_refused("figure --list --fast", 2, "--list runs nothing: leave out --fast");
  expect_refused("figure width --print --store s --max-time 3s", 2, "leave out --max-time, --store");
  expect_refused("sweep a.toml --check --retry-failed", 2, "--check runs nothing: leave out --retry-failed");
}

TEST(Usage, OptionsGivenTwiceAreNamed) {
  const std::string twice = "solve --quiet --alpha 1 --alpha 2 --lambda 0.1";
  EXPECT_NE(attnlaw(twice).err.find("--alpha was given 2 times"), std::string::npos) << attnlaw(twice).err;
  EXPECT_EQ(attnlaw(twice).code, 2);
  // A value that is missing is another mistake.
  EXPECT_EQ(attnlaw("solve --quiet --lambda 0.1 --alpha").err.find("times"), std::string::npos);
}

TEST(Usage, SurplusArgumentsAreNamedInTheirOrder) {
  expect_refused("solve --alpha 1 --lambda 1 one two three", 2, "not expected: one two three");
  expect_refused("thresholds --colour red", 2, "not expected: --colour red");
  expect_refused("sweep a.toml b.toml", 2, "this argument was not expected: b.toml");
}

TEST(Usage, ExperimentsOutOfRange) {
  expect_refused("simulate --alpha 1 --lambda 1", 2, "--d is required");
  expect_refused("simulate --alpha 1 --lambda 1 --d 20 --instances 0", 2, "instances");
  expect_refused("simulate --alpha 1 --lambda 1 --d 20,,30", 2, "''");
  expect_refused("simulate --alpha 1 --lambda 1 --d 1 --target wishart:0.2", 2, "0.2");
  expect_refused("simulate --alpha 1 --lambda 1 --d 15 --target spikes:10,2", 2, "15");
  for (const char* tolerance : {"0", "-1", "nan"})
    expect_refused(std::string("simulate --alpha 1 --lambda 1 --d 20 --tolerance ") + tolerance, 2,
                   "--tolerance takes a number > 0");
  expect_refused("simulate --alpha 1 --lambda 1 --d 20 --trainer sgd", 2, "'sgd'");
  expect_refused("simulate --alpha 1 --lambda 1 --d 20 --init warm", 2, "'warm'");
  expect_refused("simulate --alpha 1 --student bayes --head hardmax --d 20 --init spectral", 2, "hardmax");
  expect_refused("simulate --alpha 1 --lambda 1 --tokens 1 --d 20 --init spectral", 2, "tokens");
  expect_refused("spectrum --alpha 1 --lambda 1 --d 20,30", 2, "--d");
  expect_refused("spectrum --alpha 1 --lambda 1 --instances 3", 2, "--d");
  expect_refused("simulate --alpha 1 --lambda 1 --d 20,30 --instances 1", 2, "1 instance");
  expect_refused("simulate --alpha 1 --lambda 1 --d 20,20", 2, "20,20");
  expect_refused("simulate --alpha 1 --d 20 --lambda 0+", 2, "0+");
  expect_refused("spectrum --alpha 1 --d 20 --lambda 0+", 2, "0+");
  // Without noise, recovery at λ → 0 cannot be beaten.
  expect_refused("simulate --alpha 1 --head linear --lambda optimal --d 20", 2, "0+");
  expect_refused("simulate --alpha 1 --student bayes --trainer lbfgs --d 20", 2, "lbfgs");
  expect_refused("simulate --alpha 1 --lambda 1 --student direct --trainer gamp --d 20", 2, "gamp");
  expect_refused("simulate --alpha 1 --lambda 1 --width 0.3 --trainer fista --d 20", 2, "fista");
  expect_refused("simulate --alpha 1 --student bayes --head hardmax --d 20", 2, "hardmax");
}

TEST(Usage, SpectrumAlongALine) {
  expect_refused("spectrum --alpha 1 --along lambda", 2, "'lambda'");
  expect_refused("spectrum --alpha 1 --along noise:0,1,5", 2, "'noise:0,1,5'");
  expect_refused("spectrum --alpha 1 --along lambda:0,1,5", 2, "0,1,5");
  expect_refused("spectrum --alpha 1 --along lambda:0.1,1", 2, "FROM,TO,N");
  expect_refused("spectrum --alpha 1 --along lambda:0.1,1,1", 2, "got 1");
  expect_refused("spectrum --alpha 1 --along lambda:0.1,1,5 --d 20", 2, "--d");
  expect_refused("spectrum --along lambda:0.1,1,5", 2, "--alpha is required");
  for (const char* more : {"", " --d 20", " --along alpha:0.1,1,5"})
    expect_refused(std::string("spectrum --alpha 1 --student bayes") + more, 2, "trained students, got bayes");
  for (const char* more : {"", " --along alpha:0.1,1,5"})
    expect_refused(std::string("spectrum --alpha 1 --lambda 1 --student untied") + more, 2,
                   "no law of the student untied of self-attention");
}

TEST(Usage, ThresholdsOutOfRange) {
  expect_refused("thresholds --student direct-general", 2, "direct-general");
  expect_refused("thresholds --student bayes", 2, "bayes");
  // No lambda was given, and none is blamed.
  expect_refused("thresholds --student untied", 2, "got student untied of self-attention, labels soft, readout rows");
  expect_refused("thresholds --labels sign", 2, "got student tied, labels sign, readout score");
  expect_refused("thresholds --labels sampled", 2, "got student tied, labels sampled, readout rows");
  expect_refused("thresholds --readout entry --tokens 3", 2, "got student tied, labels soft, readout entry");
  expect_refused("thresholds --width 0", 2, "width");
  expect_refused("thresholds --target spikes:0,1", 2, "'0'");
  expect_refused("thresholds --kappa-range 0.1,1,5", 2, "--alpha-range");
  expect_refused("thresholds --detachment", 2, "--lambda is required");
  expect_refused("thresholds --detachment --lambda 0.1 --alpha-range 0.1,1,5 --kappa-range 0.1,1,5", 2, "--detachment");
  expect_refused("thresholds --alpha-range 0.1,1,5", 2, "--lambda is required");
  expect_refused("thresholds --lambda 0.1 --alpha-range 1,0.1,5", 2, "1,0.1,5");
  expect_refused("thresholds --lambda 0.1 --alpha-range 0.1,1,5 --kappa-range 0,1,5", 2, "'0'");
  expect_refused("thresholds --lambda 0.1 --alpha-range 0.1,1,5 --noise-range -1,1,5", 2, "-1");
  expect_refused("thresholds --lambda 0.1 --alpha-range 0.1,1,5 --noise-range 0,1,5 --kappa-range 0.1,1,5", 2,
                 "exclude");
  expect_refused("thresholds --lambda 0.1 --alpha-range 0.1,1,5 --kappa-range 0.1,1,5 --target spikes:10,1", 2,
                 "spikes:10,1");
}

TEST(Usage, ScalingOutOfRange) {
  expect_refused("scaling --target powerlaw:1,20", 2, "--n is required");
  expect_refused("scaling --target powerlaw:1,0 --n 1e2,1e4,5", 2, "'0'");
  for (const char* gamma : {"0", "-1", "0.5"})
    expect_refused(std::string("scaling --n 1e2,1e4,5 --target powerlaw:") + gamma + ",20", 2, gamma);
  expect_refused("scaling --target powerlaw:1,20 --n 1e2,1e4,2", 2, "got 2");
  expect_refused("scaling --target powerlaw:1,20 --n 0,1e4,5", 2, "0,1e4,5");
  expect_refused("scaling --head linear --n 1e2,1e4,5", 2, "wishart:0.5");
  expect_refused("scaling --head linear --target powerlaw:1,20 --n 1e2,1e4,5 --student bayes", 2, "bayes");
  for (const char* labels : {"sampled", "sign"})
    expect_refused(std::string("scaling --target powerlaw:1,20 --n 1e2,1e4,5 --labels ") + labels, 2,
                   std::string("labels ") + labels);
}

TEST(Usage, MemoryBeyondTheMachineIsRefusedWithWhatIsNeeded) {
  const Outcome outcome = attnlaw("simulate --alpha 10 --lambda 1 --d 2000");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
  EXPECT_EQ(outcome.err.find("bytes"), std::string::npos) << outcome.err;
  // The sequences alone: n·T·d floats with n = 4·10⁷ are 6.4·10¹¹ bytes.
  constexpr double kTebibyte = 1024.0 * 1024 * 1024 * 1024;
  const std::string needs = " needs ";
  const std::size_t at = outcome.err.find(needs);
  ASSERT_NE(at, std::string::npos) << outcome.err;
  ASSERT_NE(outcome.err.find(" TiB of memory", at), std::string::npos) << outcome.err;
  EXPECT_GE(std::stod(outcome.err.substr(at + needs.size())) * kTebibyte, 6.4e11) << outcome.err;
}

TEST(Usage, EigenvalueFiles) {
  const Scratch scratch;
  const auto with = [&](const std::filesystem::path& path) {
    return "solve --alpha 1 --lambda 1 --target file:" + path.string();
  };
  expect_refused(with(scratch / "missing.txt"), 1, "missing.txt");
  expect_refused(with(scratch.write("empty.txt", "# nothing\n\n")), 2, "empty.txt");
  expect_refused(with(scratch.write("text.txt", "1\ntwo\n")), 2, "two");
  expect_refused(with(scratch.write("inf.txt", "1\ninf\n")), 2, "inf");
}

TEST(Usage, MatricesInFiles) {
  const Scratch scratch;
  const auto with = [&](const char* name, const std::string& content, const std::string& more = "") {
    return "solve --alpha 1 --lambda 1 --target file:" + scratch.write(name, content).string() + more;
  };
  expect_refused(with("skew.txt", "1 0.5\n0.4 1\n"), 2, "symmetric");
  expect_refused(with("wide.txt", "1 2 3\n2 1 3\n"), 2, "2 x 3");
  // Two columns are no eigenvalues with weights.
  expect_refused(with("two_columns.txt", "1 0.5\n2 0.25\n3 0.25\n"), 2, "3 x 2");
  expect_refused(with("broken.npy", "\x93NUMPY\x01"), 2, "broken.npy: byte 8");
  expect_refused(with("model.npz", std::string("PK\x03\x04\0\0", 6)), 2, "no text file");
  EXPECT_EQ(attnlaw(with("symmetric.txt", "2 1\n1 2\n")).code, 0);
  EXPECT_EQ(attnlaw(with("any.txt", "1 0.5\n0.4 1\n", " --attention cross")).code, 0);
}

TEST(Usage, OutputThatCannotBeWrittenIsRefusedBeforeTheWork) {
  expect_refused("solve --alpha 1 --lambda 1 --output /no/such/directory/x.json", 1, "/no/such/directory/x.json");
  expect_refused("demo --html /no/such/directory/x.html", 1, "/no/such/directory/x.html");
  expect_refused("thresholds --lambda 1 --alpha-range 0.1,1,5 --html /no/such/directory/x.html", 1,
                 "/no/such/directory/x.html");
}

TEST(Usage, FullDisksLeaveNoPartialFile) {
  const Scratch scratch;
  const std::string path = (scratch / "spectrum.json").string();
  // A file-size limit of one block stands for a full disk: the document is longer.
  const Outcome outcome = attnlaw("spectrum --alpha 1 --lambda 0.1 --head linear --format json --output " + path,
                                  "trap '' XFSZ; ulimit -f 1;");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find(path), std::string::npos) << outcome.err;
  EXPECT_EQ(scratch.listing(), "");
  const Outcome pipe = attnlaw("solve --alpha 1 --lambda 0.1 --head linear", "", "/dev/full");
  EXPECT_EQ(pipe.code, 1);
  EXPECT_NE(pipe.err.find("standard output"), std::string::npos) << pipe.err;
}

TEST(Usage, ProblemFilesWithMistakesAreRefused) {
  const Scratch scratch;
  expect_refused("solve --problem " + scratch.write("typo.toml", "alpha = 1\nlambda = 1\ntemprature = 2\n").string(), 2,
                 "temprature");
  expect_refused("solve --problem " + scratch.write("missed.toml", "alhpa = 1\nlambda = 1\n").string(), 2,
                 "missed.toml: unknown key 'alhpa' in a problem");
  expect_refused("simulate --d 10 --problem " + scratch.write("own.toml", "alpha = 1\nlambda = 1\nd = 20\n").string(),
                 2, "unknown key 'd' in a problem");
  expect_refused("solve --problem " +
                     scratch.write("twice.toml", "alpha = 1\nlambda = 1\ntarget-beta = 2\ntarget_beta = 3\n").string(),
                 2, "target_beta stands here twice");
  expect_refused("solve --problem " + scratch.write("same.json", R"({"alpha": 1, "lambda": 1, "alpha": 2})").string(),
                 2, "same.json: alpha stands here twice");
  expect_refused("solve --problem " +
                     scratch.write("beside.json", R"({"problem": {"alpha": 1, "lambda": 1}, "noise": 3})").string(),
                 2, "beside.json: 'noise' stands beside 'problem'");
  expect_refused("solve --problem " + scratch.write("broken.toml", "alpha = = 1\n").string(), 2, "broken.toml");
  expect_refused("solve --problem " + scratch.write("broken.json", "{").string(), 2, "broken.json");
  expect_refused("solve --alpha 1 --problem " + scratch.write("list.json", "[1]").string(), 2, "list.json");
  expect_refused("solve --problem " + (scratch / "none.toml").string(), 1, "none.toml");
}

}  // namespace
}  // namespace attnlaw::test
