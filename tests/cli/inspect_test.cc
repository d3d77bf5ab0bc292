/// The command `inspect` as a user runs it, on arrays that are written here.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <Eigen/Core>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "attnlaw/base/file.h"
#include "attnlaw/base/npy.h"
#include "attnlaw/base/random.h"
#include "checkpoint/synthetic.h"
#include "cli/csv.h"
#include "gaussian.h"

namespace attnlaw::test {
namespace {

using nlohmann::json;

Eigen::MatrixXd gaussian(Eigen::Index rows, Eigen::Index columns, std::uint64_t stream) {
  return test::gaussian(rows, columns, 3, stream);
}

/// Four heads of 16 rows in dimension 64, the third of which has a strong spike in both factors.
class InspectCommand : public testing::Test {
 protected:
  void SetUp() override {
    Eigen::MatrixXd query = gaussian(64, 64, 1), key = gaussian(64, 64, 2);
    query.row(35) += 12 * gaussian(1, 64, 3).normalized();
    key.row(35) += 12 * gaussian(1, 64, 4).normalized();
    write(query, "q.npy");
    write(key, "k.npy");
    key.row(3) *= 1.5;
    write(key, "later.npy");
    arrays_ = arrays(4);
  }
  std::string arrays(int heads) const {
    return "inspect --q " + path("q.npy") + " --k " + path("k.npy") + " --heads " + std::to_string(heads) + " ";
  }
  std::string path(const char* name) const { return (scratch_ / name).string(); }
  void write(const Eigen::MatrixXd& W, const char* name) const {
    base::write_atomically(
        path(name), base::npy_bytes({W.data(), static_cast<std::size_t>(W.size())}, static_cast<std::size_t>(W.rows()),
                                    static_cast<std::size_t>(W.cols())));
  }

  Scratch scratch_;
  std::string arrays_;
};

TEST_F(InspectCommand, FindsTheHeadWithASpike) {
  const Outcome outcome = attnlaw(arrays_ + "--format json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json document = json::parse(outcome.out);
  ASSERT_EQ(document["heads"].size(), 4U);
  const json& head = document["heads"][2];
  EXPECT_LT(head["product"]["p"], 1e-4);
  EXPECT_EQ(head["outlier"]["status"], "counted");
  ASSERT_EQ(head["outlier"]["count"], 1);
  // θ² = (1 + a_Q)(1 + a_K) with a = 144/64.
  EXPECT_NEAR(head["outlier"]["outliers"][0]["strength"], 3.25, 0.5);
  EXPECT_GT(document["heads"][0]["product"]["p"], 0.001);
  EXPECT_EQ(document["nulls"][0]["discoveries"], 1);
  EXPECT_EQ(document["evidence"], "derived");
}

TEST_F(InspectCommand, HeadsByHandAreThoseOfTheirOwnArrays) {
  // Six query heads of 16 rows, which meet two key heads in threes.
  const Eigen::MatrixXd query = gaussian(96, 64, 21), key = gaussian(32, 64, 22);
  write(query, "queries.npy");
  write(key, "keys.npy");
  const Outcome together = attnlaw("inspect --q " + path("queries.npy") + " --k " + path("keys.npy") +
                                   " --heads 6 --kv-heads 2 --format json");
  ASSERT_EQ(together.code, 0) << together.err;
  const json heads = json::parse(together.out)["heads"];
  ASSERT_EQ(heads.size(), 6U);
  for (int h = 0; h < 6; ++h) {
    SCOPED_TRACE(h);
    write(query.middleRows(16 * h, 16), "one_q.npy");
    write(key.middleRows(16 * (h / 3), 16), "one_k.npy");
    const Outcome alone =
        attnlaw("inspect --q " + path("one_q.npy") + " --k " + path("one_k.npy") + " --heads 1 --format json");
    ASSERT_EQ(alone.code, 0) << alone.err;
    json one = json::parse(alone.out)["heads"][0], of_six = heads[static_cast<std::size_t>(h)];
    EXPECT_EQ(of_six["head"], h);
    EXPECT_EQ(of_six["key_head"], h / 3);
    // Its place, and what is corrected for six heads.
    for (const char* of_the_model : {"head", "key_head", "product_holm", "rotation_holm", "permuted_holm",
                                     "largest_holm", "symmetry_holm", "trace_holm", "tied_holm"}) {
      one.erase(of_the_model);
      of_six.erase(of_the_model);
    }
    EXPECT_EQ(one, of_six);
  }
  EXPECT_EQ(attnlaw("inspect --q " + path("queries.npy") + " --k " + path("keys.npy") + " --heads 6 --kv-heads 4").code,
            2);
}

TEST_F(InspectCommand, ShowsTheShufflesOfHeadsWithHeavyTails) {
  // Cubes of normal entries have a kurtosis far above 4.
  write(gaussian(64, 64, 23).array().cube(), "heavy.npy");
  const std::string heavy = "inspect --q " + path("heavy.npy") + " --k " + path("k.npy") + " --heads 4 ";
  const std::string draws = "--exact-tables --table-draws 200 --draws 99";
  const Outcome closed = attnlaw(heavy), exact = attnlaw(heavy + draws);
  ASSERT_EQ(closed.code, 0) << closed.err;
  ASSERT_EQ(exact.code, 0) << exact.err;
  EXPECT_EQ(closed.out.find("Holm shuffle"), std::string::npos);
  EXPECT_NE(exact.out.find("Holm shuffle"), std::string::npos);
  EXPECT_NE(exact.out.find("N1s shuffle"), std::string::npos);
}

TEST_F(InspectCommand, ListsHeadsByEvidenceAndWritesAPage) {
  const Outcome table = attnlaw(arrays_ + "--html " + path("report.html"));
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_LT(table.out.find("0.2 "), table.out.find("0.0 "));
  const std::string page = slurp(path("report.html"));
  for (const char* word : {"Glossary", "details class=\"panel\"", "Spectra of heads with m = 16, d = 64"})
    EXPECT_NE(page.find(word), std::string::npos) << word;
}

TEST_F(InspectCommand, DrawsHeadsLikeTiedOnesOverTheirOwnLaw) {
  Eigen::MatrixXd key = gaussian(64, 64, 2);
  key.topRows(32) = gaussian(64, 64, 1).topRows(32);  // those of the first two heads
  write(key, "k.npy");
  const Outcome outcome = attnlaw(arrays_ + "--html " + path("tied.html"));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("N4 tied"), std::string::npos) << outcome.out;
  const std::string page = slurp(path("tied.html"));
  for (const char* word : {"m = 16, d = 64, like tied ones", "head 0.1: p of N4", "the law of a random tied head",
                           "m = 16, d = 64, by evidence"})
    EXPECT_NE(page.find(word), std::string::npos) << word;
}

TEST_F(InspectCommand, SaysWhyNoTokenIsNamed) {
  const Outcome outcome = attnlaw(arrays_ + "--tokens 2 --format json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("no token is named"), std::string::npos);
}

TEST_F(InspectCommand, WritesTheDirectionsOfOutliers) {
  const Outcome outcome = attnlaw(arrays_ + "--format json --directions " + path("directions"));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json written = json::parse(outcome.out)["written"];
  ASSERT_EQ(written.size(), 2U);
  for (const json& file : written) EXPECT_TRUE(std::filesystem::exists(file.get<std::string>()));
  // The header of .npy and 64 doubles.
  EXPECT_EQ(std::filesystem::file_size(written[0].get<std::string>()), 128U + 64 * 8);
}

TEST_F(InspectCommand, SaysThatNoOutlierHasDirections) {
  write(gaussian(16, 64, 24), "null_q.npy");
  write(gaussian(16, 64, 25), "null_k.npy");
  const Outcome outcome = attnlaw("inspect --q " + path("null_q.npy") + " --k " + path("null_k.npy") +
                                  " --heads 1 --format json --directions " + path("nothing"));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(json::parse(outcome.out)["heads"][0]["outlier"]["count"], 0);
  EXPECT_EQ(json::parse(outcome.out)["written"], json::array());
  EXPECT_NE(outcome.out.find("No directions are known"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path("nothing")));
}

TEST_F(InspectCommand, AMapKnownAsAWholeHasNoNulls) {
  write(gaussian(24, 24, 26), "map.npy");
  const std::string command = "inspect " + path("map.npy") + " ";
  const Outcome outcome =
      attnlaw(command + "--exact-tables --level 0.01 --table-draws 200 --draws 99 --seed 3 --samples 2 --format json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json document = json::parse(outcome.out), head = document["heads"][0];
  EXPECT_EQ(document["nulls"], json::array());
  EXPECT_EQ(head["outlier"]["status"], "no-law");
  EXPECT_TRUE(head["outlier"]["edge"].is_null());
  EXPECT_TRUE(head["product"]["p"].is_null());
  const std::string warnings = document["warnings"].dump();
  EXPECT_NE(warnings.find("Without effect here"), std::string::npos);
  for (const char* option : {"--exact-tables", "--level", "--table-draws", "--draws", "--seed", "--samples"})
    EXPECT_NE(warnings.find(option), std::string::npos) << option;
  const Outcome table = attnlaw(command + "--html " + path("map.html"));
  EXPECT_EQ(table.out.find("reject (Holm)"), std::string::npos) << table.out;
  // The singular values themselves, over no law.
  const std::string page = slurp(path("map.html"));
  EXPECT_NE(page.find("without a null law"), std::string::npos);
  EXPECT_EQ(page.find("the law of a random product. Orange"), std::string::npos);
}

TEST_F(InspectCommand, WritesDirectionsInsideTheirFolderOnly) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  // A prefix of tensor names is part of the file name, and may say anything.
  const RowMajor query = gaussian(16, 64, 7) + 0.5 * gaussian(16, 1, 5) * gaussian(1, 64, 6);
  const RowMajor key = gaussian(16, 64, 8) + 0.5 * gaussian(16, 1, 5) * gaussian(1, 64, 9);
  std::string data, header;
  for (const char* prefix : {"../../evil/x.", "a/b."}) {
    for (const auto& [map, W] : {std::pair{"q_proj", &query}, {"k_proj", &key}}) {
      const std::size_t begin = data.size(), bytes = static_cast<std::size_t>(W->size()) * sizeof(double);
      data.append(reinterpret_cast<const char*>(W->data()), bytes);
      header += (header.empty() ? "\"" : ",\"") + std::string(prefix) + "model.layers.0.self_attn." + map +
                ".weight\":{\"dtype\":\"F64\",\"shape\":[16,64],\"data_offsets\":[" + std::to_string(begin) + "," +
                std::to_string(data.size()) + "]}";
    }
  }
  header = "{\"__metadata__\":{\"num_heads\":\"1\"}," + header + "}";
  const std::uint64_t length = header.size();
  base::write_atomically(path("m.safetensors"),
                         std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + data);
  const Outcome outcome = attnlaw("inspect " + path("m.safetensors") + " --format json --directions " + path("inside"));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json written = json::parse(outcome.out)["written"];
  for (const json& file : written)
    EXPECT_EQ(std::filesystem::path(file.get<std::string>()).parent_path(), std::filesystem::path(path("inside")));
  EXPECT_FALSE(written.empty());
}

TEST_F(InspectCommand, HasTheSameFiguresOnAnyNumberOfThreads) {
  const std::string options = arrays_ + "--exact-tables --table-draws 400 --draws 99 --format csv ";
  const Outcome one = attnlaw(options + "--threads 1"), two = attnlaw(options + "--threads 2");
  ASSERT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(one.out, two.out);
  EXPECT_NE(one.out.find("kind,layer,head"), std::string::npos);
}

TEST_F(InspectCommand, FollowsTheStepsOfATraining) {
  std::string steps;
  for (int step = 0; step < 3; ++step) {
    // One array of an npz or npy is the map itself.
    Eigen::MatrixXd map = gaussian(24, 24, 10);
    map += 20.0 * step * gaussian(24, 1, 11).normalized() * gaussian(1, 24, 12).normalized();
    const std::string name = "step" + std::to_string(9 + step) + ".npy";
    write(map, name.c_str());
    steps = " " + path(name.c_str()) + steps;  // the last one first
  }
  const Outcome outcome = attnlaw("inspect" + steps + " --format json --html " + path("course.html"));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json course = json::parse(outcome.out)["course"];
  ASSERT_EQ(course["steps"].size(), 3U);
  EXPECT_EQ(course["steps"][0]["number"], 9);
  EXPECT_EQ(course["steps"][2]["number"], 11);
  EXPECT_GT(course["steps"][0]["stable_rank"], course["steps"][2]["stable_rank"]);
  EXPECT_NEAR(course["heads"][2]["left_alignment"], 1, 1e-9);
  const std::string page = slurp(path("course.html"));
  for (const char* word : {"Alignment with the last step", "Glossary of steps", "Glossary of heads at a step",
                           "not_random", "heads that reject N1 (Holm)", "left_alignment"})
    EXPECT_NE(page.find(word), std::string::npos) << word;
  EXPECT_EQ(page.find("Glossary of changes"), std::string::npos);
  const Outcome table = attnlaw("inspect" + steps), csv = attnlaw("inspect" + steps + " --format csv");
  EXPECT_NE(table.out.find("left alignment"), std::string::npos);
  EXPECT_NE(csv.out.find("\nhead-step,"), std::string::npos);
  for (const std::string& column : columns_of(csv.out))
    EXPECT_NE(documented_columns("inspect").find("`" + column + "`"), std::string::npos) << column;
}

/// Two heads of 16 rows, and an adapter of rank one on the queries of the second.
TEST_F(InspectCommand, ShowsAnAdapterWithItsBaseBeforeAndAfter) {
  const Eigen::MatrixXd query = gaussian(32, 64, 41), key = gaussian(32, 64, 42);
  SyntheticFile base, adapter;
  base.add("model.layers.0.self_attn.q_proj.weight", query);
  base.add("model.layers.0.self_attn.k_proj.weight", key);
  std::filesystem::create_directories(path("base"));
  std::filesystem::create_directories(path("adapter"));
  base.write(path("base/model.safetensors"));
  base::write_atomically(path("base/config.json"), R"({"model_type":"llama","num_attention_heads":2})");
  Eigen::MatrixXd b = Eigen::MatrixXd::Zero(32, 1);
  b(20, 0) = 3;
  const std::string module = "base_model.model.model.layers.0.self_attn.q_proj.";
  adapter.add(module + "lora_A.weight", gaussian(1, 64, 43));
  adapter.add(module + "lora_B.weight", b);
  adapter.write(path("adapter/adapter_model.safetensors"));
  base::write_atomically(path("adapter/adapter_config.json"), R"({"peft_type":"LORA","r":1,"lora_alpha":2})");
  const std::string with_base = "inspect " + path("adapter") + " --base " + path("base");
  const Outcome outcome = attnlaw(with_base + " --format json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json document = json::parse(outcome.out);
  const json alone = json::parse(attnlaw("inspect " + path("base") + " --format json").out);
  EXPECT_EQ(document["before"]["heads"], alone["heads"]);
  ASSERT_EQ(document["changes"].size(), 2U);
  EXPECT_LT(document["changes"][0]["relative_change"], 1e-7);
  EXPECT_NEAR(document["changes"][1]["change_stable_rank"], 1, 1e-6);
  // ΔS = 2 b a ⊗ (row 4 of the keys of that head).
  const Eigen::MatrixXd before = query.bottomRows(16).transpose() * key.bottomRows(16);
  const double change = 6 * gaussian(1, 64, 43).norm() * key.row(20).norm() / before.norm();
  EXPECT_NEAR(document["changes"][1]["relative_change"], change, 1e-5);
  EXPECT_EQ(document["heads"][0]["spectral_norm"], document["before"]["heads"][0]["spectral_norm"]);
  const Outcome table = attnlaw(with_base + " --html " + path("changes.html"));
  const std::string page = slurp(path("changes.html"));
  for (const char* word : {"Glossary of changes", "relative_change", "stable rank of S′ − S"})
    EXPECT_NE(page.find(word), std::string::npos) << word;
  EXPECT_NE(table.out.find("Changes of heads"), std::string::npos) << table.out;
  // A base is for adapters.
  EXPECT_EQ(attnlaw("inspect " + path("base") + " --base " + path("base")).code, 2);
}

TEST_F(InspectCommand, ComparesTheLayersThatBothModelsHaveToKeepGoing) {
  const auto model = [&](const char* name, int layers) {
    SyntheticFile file;
    for (int layer = 0; layer < layers; ++layer)
      for (const char* map : {"q_proj", "k_proj"})
        file.add(fmt::format("model.layers.{}.self_attn.{}.weight", layer, map), gaussian(32, 64, 7));
    file.write(scratch_ / name);
    return path(name) + " ";
  };
  const std::string options = "inspect " + model("a.safetensors", 1) + model("b.safetensors", 2) + "--heads 2 ";
  const Outcome refused = attnlaw(options);
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("b.safetensors has 2 layers"), std::string::npos) << refused.err;
  const Outcome going = attnlaw(options + "--keep-going --format json");
  ASSERT_EQ(going.code, 0) << going.err;
  const json document = json::parse(going.out);
  EXPECT_EQ(document["changes"].size(), 2U);
  EXPECT_EQ(document["model"]["skipped"][0]["name"], "layer 1");
  const std::string said = "left out: layer 1: is not among the layers of " + path("a.safetensors");
  EXPECT_EQ(document["warnings"].back(), said);
  EXPECT_NE(attnlaw(options + "--keep-going").out.find("left out: layer 1"), std::string::npos);
}

TEST_F(InspectCommand, ListsAllThatWasLeftOut) {
  SyntheticFile file;
  for (const char* map : {"q_proj", "k_proj"})
    file.add(fmt::format("model.layers.0.self_attn.{}.weight", map), gaussian(32, 64, 7));
  for (const char* other : {"first_attn_extra", "second_attn_extra", "third_attn_extra"})
    file.add(fmt::format("{}.weight", other), gaussian(4, 4, 8));
  file.write(scratch_ / "extra.safetensors");
  const std::string options = "inspect " + path("extra.safetensors") + " --heads 2 ";
  const Outcome table = attnlaw(options + "--html " + path("extra.html")),
                document = attnlaw(options + "--format json");
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("Tensors and layers that were left out"), std::string::npos);
  const std::string page = slurp(path("extra.html"));
  EXPECT_EQ(json::parse(document.out)["model"]["skipped"].size(), 3U);
  for (const char* name : {"first_attn_extra.weight", "second_attn_extra.weight", "third_attn_extra.weight"}) {
    EXPECT_NE(table.out.find(name), std::string::npos) << name;
    EXPECT_NE(page.find(name), std::string::npos) << name;
    EXPECT_NE(document.out.find(name), std::string::npos) << name;
  }
  EXPECT_NE(table.out.find("the layout does not read it"), std::string::npos);
}

TEST_F(InspectCommand, SaysOfEveryHeadWhetherItsFactorsHaveLowerRank) {
  write(gaussian(64, 2, 11) * gaussian(2, 64, 12), "thin.npy");
  const std::string options = "inspect --q " + path("thin.npy") + " --k " + path("k.npy") + " --heads 4 ";
  EXPECT_EQ(json::parse(attnlaw(options + "--format json").out)["heads"][0]["lower_rank"], true);
  EXPECT_EQ(json::parse(attnlaw(arrays_ + "--format json").out)["heads"][0]["lower_rank"], false);
  EXPECT_NE(attnlaw(options + "--format csv").out.find("lower_rank"), std::string::npos);
}

TEST_F(InspectCommand, SaysWhichOptionsHaveNoEffect) {
  const auto warned = [&](const std::string& options, int heads = 4) {
    const Outcome outcome = attnlaw(arrays(heads) + options + " --format json");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return json::parse(outcome.out)["warnings"].dump() + outcome.out;
  };
  // τ of the head with the spike is drawn in any case; N1 of heads of 32 rows is no table.
  EXPECT_NE(warned("--draws 99 --table-draws 200", 2).find("Without effect here: --table-draws."), std::string::npos);
  EXPECT_EQ(warned("--exact-tables --draws 99 --table-draws 200").find("Without effect"), std::string::npos);
  EXPECT_NE(warned("--fold").find("No gain is folded into 1 of 1 layer,"), std::string::npos);
}

TEST_F(InspectCommand, RefusesWhatItCannotUse) {
  EXPECT_EQ(attnlaw("inspect").code, 2);
  EXPECT_EQ(attnlaw("inspect " + path("missing.safetensors")).code, 1);
  EXPECT_EQ(attnlaw(arrays_ + "--offset 3").code, 2);
  EXPECT_EQ(attnlaw(arrays_ + "--map output-value").code, 2);
  // Every head is a line of the result then, and none of them has figures.
  const Outcome going = attnlaw(arrays_ + "--map output-value --keep-going --format json");
  ASSERT_EQ(going.code, 1) << going.err;
  EXPECT_NE(json::parse(going.out)["heads"][0]["defect"].get<std::string>().find("no values"), std::string::npos);
  EXPECT_EQ(attnlaw(arrays_ + "--level 2").code, 2);
  EXPECT_EQ(attnlaw(arrays_ + "--samples 0").code, 2);
}

TEST_F(InspectCommand, FailsWithoutFigures) {
  // A head whose weights are not finite is a line of the result, and a failure unless that was allowed.
  Eigen::MatrixXd query = gaussian(64, 64, 27);
  query(3, 5) = std::nan("");
  write(query, "q.npy");
  EXPECT_EQ(attnlaw(arrays_ + "--format json --keep-going").code, 0);
  const Outcome some = attnlaw(arrays_ + "--format json");
  ASSERT_EQ(some.code, 1) << some.err;
  EXPECT_NE(json::parse(some.out)["heads"][0]["defect"].get<std::string>().find("not finite"), std::string::npos);
  EXPECT_TRUE(json::parse(some.out)["heads"][0]["product"]["p"].is_null());
  write(Eigen::MatrixXd::Zero(64, 64), "q.npy");
  for (const char* format : {"table", "json", "csv"}) {
    const Outcome none = attnlaw(arrays_ + "--format " + format);
    EXPECT_EQ(none.code, 1) << format;
    EXPECT_NE((none.out + none.err).find("the map is zero"), std::string::npos) << format;
  }
}

}  // namespace
}  // namespace attnlaw::test
