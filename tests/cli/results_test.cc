/// `attnlaw results`: what is in a store, for people, programs and spreadsheets.

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "program.h"
#include "study/store_samples.h"

namespace attnlaw::test {
namespace {

using nlohmann::json;
using namespace study::samples;

/// A theory at two α, an experiment beside the second, a failure.
std::vector<study::Store::Entry> sample_entries() {
  return {entry(theory_task(0.25), theory_outcome(0.125)), entry(theory_task(0.5), theory_outcome(1.0 / 3)),
          entry(experiment_task(0.5, 2), experiment_outcome(0.04)),
          entry(theory_task(0.75), study::samples::failure("out of memory\nsecond line"), study::code_version())};
}

class Results : public testing::Test {
 protected:
  Results() { study::Store(store_).put(entries_); }

  Outcome run(const std::string& arguments) const { return attnlaw("results '" + store_ + "' " + arguments); }
  json document(const std::string& arguments) const {
    const Outcome outcome = run(arguments + " --format json");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return json::parse(outcome.out);
  }
  void expect_refused(const std::string& arguments, const std::string& named, int code = 2) const {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, code) << arguments << outcome.err;
    EXPECT_EQ(outcome.out, "") << arguments;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_NE(outcome.err.find(named), std::string::npos) << arguments << "\n" << outcome.err;
  }
  const std::string& key(std::size_t i) const { return entries_.at(i).key; }

  Directory directory_;
  std::string store_ = directory_ / "study.db";
  std::vector<study::Store::Entry> entries_ = sample_entries();
};

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A path says less than the numbers that stood in its file.
TEST(ResultsOfFiles, AreToldApartByTheirNumbers) {
  const Scratch scratch;
  const std::string target = (scratch / "target.txt").string(), store = (scratch / "s.sqlite").string();
  const auto study = scratch.write("study.toml",
                                   "axes = [{alpha = [0.5]}]\n[problem]\nhead = \"linear\"\nlambda = 0.1\n"
                                   "target = \"file:" +
                                       target + "\"\n");
  for (const char* numbers : {"2\n1\n0\n0\n", "3\n1\n0\n0\n"}) {
    scratch.write("target.txt", numbers);
    ASSERT_EQ(attnlaw("sweep " + study.string() + " --store " + store).code, 0);
  }
  const json rows = json::parse(attnlaw("results " + store + " --format json").out)["rows"];
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["target"], rows[1]["target"]);
  EXPECT_NE(rows[0]["target_hash"], rows[1]["target_hash"]);
  EXPECT_NE(attnlaw("results " + store).out.find(rows[1]["target_hash"].get<std::string>()), std::string::npos);
}

TEST_F(Results, TableShowsWhatDiffersAndSummarises) {
  const Outcome outcome = run("");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const std::string& text = outcome.out;
  EXPECT_TRUE(mentions(text, "student tied, head softmax")) << "what is common stands above:\n" << text;
  for (const std::string& shown :
       std::vector<std::string>{"alpha", "0.333333", "experiment", "adam", "out of memory", key(1).substr(0, 8)})
    EXPECT_TRUE(mentions(text, shown)) << shown << "\n" << text;
  for (const std::string& hidden : std::vector<std::string>{"recovery", "second line", key(1), "finished"})
    EXPECT_FALSE(mentions(text, hidden)) << hidden << "\n" << text;
  EXPECT_TRUE(mentions(text, "4 results: 3 converged, 1 failed; ")) << text;
  EXPECT_TRUE(mentions(text, "1 of code " + study::code_version() + " (this program)")) << text;
  EXPECT_TRUE(mentions(text, "3 of code code")) << text;
}

TEST_F(Results, FiguresInsideAreColumnsByTheNamesOfChartsAndByTheirPlace) {
  EXPECT_EQ(run("--columns alpha,replicon,spectrum.edges,errors.test --where alpha=0.25 --format csv").out,
            "alpha,replicon,spectrum.edges,errors.test\r\n0.25,0.625,\"[[0.1,1.2]]\",0.125\r\n");
  expect_refused("--columns alpha,replicn", "replicn");
  expect_refused("--columns spectrum.edge", "did you mean 'spectrum.edges'?");
  expect_refused("--columns replicn", "did you mean 'replicon'?");
  expect_refused("--order=-replicn", "did you mean 'replicon'?");
}

TEST_F(Results, AreSortedByColumnsAndFigures) {
  const std::string theory = "--where \"kind = 'theory' AND alpha < 0.6\" --format csv --columns alpha,zero_mass ";
  EXPECT_EQ(run(theory + "--order=-alpha").out, "alpha,zero_mass\r\n0.5,0.375\r\n0.25,0.375\r\n");
  EXPECT_EQ(run(theory + "--order zero_mass,alpha").out, "alpha,zero_mass\r\n0.25,0.375\r\n0.5,0.375\r\n");
  expect_refused("--order colour", "and figures of the results, got 'colour'");
  expect_refused("--key " + key(0) + " --order alpha", "--order");
}

TEST_F(Results, WhereAndColumnsChoose) {
  const Outcome outcome = run("--where \"kind = 'theory' AND alpha < 0.6\" --columns alpha,test --format csv");
  EXPECT_EQ(outcome.out, "alpha,test\r\n0.25,0.125\r\n0.5,0.3333333333333333\r\n") << outcome.err;
  const json found = document("--where \"d = 60\" --columns test,theory-test,key");
  EXPECT_EQ(found["columns"], json({"test", "theory_test", "key"}));
  EXPECT_EQ(found["rows"], json::array({{{"test", 0.04}, {"theory_test", 0.03}, {"key", key(2)}}}));
  EXPECT_EQ(found["summary"]["rows"], 1);
  EXPECT_EQ(found["summary"]["statuses"], json({{"converged", 1}}));
  const Outcome none = run("--where 'alpha > 5'");
  EXPECT_EQ(none.code, 0);
  EXPECT_TRUE(mentions(none.out, "0 results")) << none.out;
}

TEST_F(Results, CsvAndJsonHaveAllColumns) {
  const json all = document("");
  EXPECT_EQ(all["schema"], "attnlaw/2");
  EXPECT_EQ(all["command"], "results");
  ASSERT_EQ(all["rows"].size(), 4u);
  EXPECT_EQ(all["rows"][0].size(), all["columns"].size());
  EXPECT_EQ(all["rows"][3]["error"], "out of memory\nsecond line");
  const std::string header = run("--format csv").out;
  std::string expected;
  for (const json& column : all["columns"]) expected += (expected.empty() ? "" : ",") + column.get<std::string>();
  EXPECT_EQ(header.substr(0, header.find("\r\n")), expected);
}

TEST_F(Results, OneResultIsWhole) {
  for (const char* format : {"", " --format json"}) {
    const json one = json::parse(run("--key " + key(2).substr(0, 10) + format).out);
    EXPECT_EQ(one["key"], key(2));
    EXPECT_EQ(one["task"], study::to_json(entries_[2].task));
    EXPECT_EQ(one["figures"], entries_[2].outcome.figures);
    EXPECT_EQ(one["arrays"]["eigenvalues"], json({2.0, 1.0, 0.0}));
    EXPECT_EQ(one["status"], "converged");
    EXPECT_EQ(one["error"], nullptr);
    EXPECT_EQ(one["seconds"], 1.5);
  }
  EXPECT_EQ(run("--key " + key(0) + " --array s").out, "0.1\n0.2\n0.3\n");
  EXPECT_EQ(run("--key " + key(0) + " --array s --format csv").out, "s\r\n0.1\r\n0.2\r\n0.3\r\n");
  EXPECT_EQ(document("--key " + key(0) + " --array s")["values"], json({0.1, 0.2, 0.3}));
}

TEST_F(Results, MistakesAreNamed) {
  expect_refused("--where 'alhpa > 1'", "no such column: alhpa");
  expect_refused("--where '1; DELETE FROM result'", "second");
  expect_refused("--columns alpha,tests", "did you mean 'test'?");
  expect_refused("--key xyz", "'xyz'");
  expect_refused("--key 0000000000", "0000000000");
  expect_refused("--key " + key(0) + " --array t", "it has s, density");
  expect_refused("--key " + key(3) + " --array t", "it has none");
  expect_refused("--array s", "--key");
  expect_refused("--key " + key(0) + " --format csv", "--array");
  expect_refused("--key " + key(0) + " --where 1", "--where");
  EXPECT_EQ(attnlaw("results").code, 2);
  EXPECT_EQ(document("")["rows"].size(), 4u) << "all of it is still there";
}

TEST_F(Results, AStoreThatIsNoneIsAFailure) {
  const Outcome missing = attnlaw("results '" + (directory_ / "none.db") + "'");
  EXPECT_EQ(missing.code, 1);
  EXPECT_TRUE(mentions(missing.err, "none.db")) << missing.err;
  EXPECT_EQ(directory_.listing(), "study.db ");
}

/// What another program, or a failing disk, leaves in a file that SQLite itself finds in order.
TEST_F(Results, ADamagedResultIsNamed) {
  const auto change = [&](const std::string& assignment) {
    const std::string statement =
        "PRAGMA ignore_check_constraints = ON; UPDATE result SET " + assignment + " WHERE id = 2";
    const std::string script = "import sqlite3; c = sqlite3.connect('" + store_ + "'); c.executescript(\"\"\"" +
                               statement + "\"\"\"); c.commit()";
    ASSERT_EQ(std::system(("/usr/bin/python3 -c " + quoted(script)).c_str()), 0);
  };
  const std::string one = "--key " + key(1);
  change("figures = '{\"errors\": '");
  for (const std::string& arguments : {std::string(), std::string("--where 'alpha > 0.3'"), one}) {
    expect_refused(arguments, key(1), 1);
    expect_refused(arguments, "study.db", 1);
  }
  EXPECT_EQ(run("").err.find("json.exception"), std::string::npos) << run("").err;
  const std::string task = "task = (SELECT task FROM result WHERE id = 1)",
                    figures = "figures = (SELECT figures FROM result WHERE id = 1)";
  for (const std::string damage :
       {"figures = NULL", "figures = '{}'", "figures = '[1, 2]'", "figures = '3'",
        "figures = json_set(figures, '$.errors', 5)", "figures = json_set(figures, '$.errors.train', 'abc')",
        "task = 'null'", "task = '[]'", "task = json_remove(task, '$.kind')", "task = json_set(task, '$.kind', 'poem')",
        "task = json_remove(task, '$.problem')", "task = json_set(task, '$.problem.alpha', 'x')"}) {
    change(task + ", " + figures);
    ASSERT_EQ(run("").code, 0) << run("").err;
    change(damage);
    for (const std::string& arguments : {std::string(), one}) {
      expect_refused(arguments, key(1), 1);
      expect_refused(arguments, "study.db", 1);
    }
  }
  change(task + ", " + figures + ", status = 'perhaps'");
  expect_refused(one, "perhaps", 1);
  change("status = 'converged', task = '[]'");
  expect_refused("--key " + key(1) + " --array t", key(1), 1);
}

/// A sweep takes nothing from the store that is no result.
TEST(ResultsOfSweeps, ThatAreDamagedAreNamed) {
  const Scratch scratch;
  const std::string store = (scratch / "s.sqlite").string();
  const auto study =
      scratch.write("study.toml", "axes = [{alpha = [0.5]}]\n[problem]\nhead = \"linear\"\nlambda = 0.1\n");
  const std::string sweep = "sweep '" + study.string() + "' --store '" + store + "'";
  ASSERT_EQ(attnlaw(sweep).code, 0);
  for (const std::string damage : {"figures = NULL", "figures = '{}'", "task = 'null'"}) {
    const std::string script = "import sqlite3; c = sqlite3.connect('" + store + "'); c.execute(\"UPDATE result SET " +
                               damage + "\"); c.commit()";
    ASSERT_EQ(std::system(("/usr/bin/python3 -c " + quoted(script)).c_str()), 0);
    const Outcome resumed = attnlaw(sweep);
    EXPECT_EQ(resumed.code, 1) << damage << resumed.out;
    EXPECT_TRUE(mentions(resumed.err, "s.sqlite")) << resumed.err;
    EXPECT_TRUE(mentions(resumed.err, "of result ")) << resumed.err;
  }
}

TEST(ResultsOfSweeps, SayWhatTheyRestOn) {
  const Scratch scratch;
  const std::string store = (scratch / "s.sqlite").string();
  const auto study = scratch.write("study.toml",
                                   "axes = [{alpha = [2]}]\ntheory = true\nexperiment = {d = [10], instances = 1}\n"
                                   "[problem]\nhead = \"linear\"\nlambda = 0.1\ntokens = 1\nnoise = 0.1\n");
  const Outcome sweep = attnlaw("sweep '" + study.string() + "' --format json --store '" + store + "'");
  ASSERT_EQ(sweep.code, 0) << sweep.err;
  EXPECT_EQ(json::parse(sweep.out)["evidence"], "simulated") << "the weakest";
  const json rows = json::parse(attnlaw("results '" + store + "' --columns kind,evidence --format json").out)["rows"];
  ASSERT_EQ(rows.size(), 2u);
  for (const json& row : rows) EXPECT_EQ(row["evidence"], row["kind"] == "theory" ? "theorem" : "simulated");
}

/// The first block of code of this language.
std::string block(const std::string& text, const std::string& language) {
  const std::string begin = "```" + language + "\n";
  const std::size_t first = text.find(begin) + begin.size();
  return text.substr(first, text.find("```", first) - first);
}

TEST_F(Results, PythonReadsAStoreAsDocumented) {
  const Scratch scratch;
  const auto script = scratch.write("read.py", block(slurp(ATTNLAW_DOCS "/store.md"), "python"));
  const std::string command =
      "/usr/bin/python3 '" + script.string() + "' '" + store_ + "' >'" + (scratch / "out").string() + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(slurp(scratch / "out"), "alpha 0.5, d 60: 0.04, theory 0.03\nlargest eigenvalue 2.0\n");
}

/// Every column of the view is in the docs, and nothing else.
TEST_F(Results, ColumnsAreDocumented) {
  const std::string docs = slurp(ATTNLAW_DOCS "/store.md");
  const std::string section =
      docs.substr(docs.find("### Columns"), docs.find("## From Python") - docs.find("### Columns"));
  for (const json& column : document("")["columns"])
    EXPECT_TRUE(mentions(section, "`" + column.get<std::string>() + "`")) << column;
}

}  // namespace
}  // namespace attnlaw::test
