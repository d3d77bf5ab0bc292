// Files that would take much memory or a deep stack if they were believed; files/manifest.json has more.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <filesystem>

#include "attnlaw/base/file.h"
#include "attnlaw/checkpoint/open.h"
#include "checkpoint/allocations.h"
#include "checkpoint/bytes.h"
#include "checkpoint/synthetic.h"
#include "scratch.h"

namespace attnlaw::checkpoint {
namespace {

using test::Allocations;
using test::array_with;
using test::field;
using test::Gguf;
using test::raw;
using test::Scratch;
using test::varint;
using test::varint_field;
using testing::HasSubstr;

constexpr std::uint64_t kEndless = std::uint64_t(1) << 62;

/// Expects a refusal without memory beyond the file; returns its message.
std::string refusal_within(const std::filesystem::path& path) {
  const Allocations allocations;
  std::string message = test::refusal([&] { open_model(path.string()); });
  test::expect_within(std::filesystem::file_size(path), allocations);
  return message;
}

std::string safetensors(const std::string& header) { return raw(std::uint64_t(header.size())) + header; }

TEST(Hostile, SafetensorsTakeNoMemoryForWhatTheyAnnounce) {
  const Scratch folder;
  const auto message = [&](const std::string& bytes) { return refusal_within(folder.write("m.safetensors", bytes)); };
  EXPECT_THAT(message(raw(kEndless) + "{}"), HasSubstr("bytes follow"));
  EXPECT_THAT(message(safetensors(fmt::format(
                  R"({{"q_proj":{{"dtype":"F32","shape":[{0},1],"data_offsets":[0,{1}]}}}})", kEndless / 4, kEndless))),
              HasSubstr("truncated"));
  EXPECT_THAT(message(safetensors(R"({"a":)" + std::string(200000, '['))), HasSubstr("nested"));
}

TEST(Hostile, GgufTakesNoMemoryForWhatItAnnounces) {
  const Scratch folder;
  const auto message = [&](const std::string& bytes) { return refusal_within(folder.write("m.gguf", bytes)); };
  std::string nested;
  for (int depth = 0; depth < 5000; ++depth) nested += raw<std::uint32_t>(9) + raw<std::uint64_t>(1);
  EXPECT_THAT(message(Gguf().value("a", 9, nested).bytes()), HasSubstr("an array of arrays is not read"));
  // An array of 2^62 numbers, a text of 2^62 bytes, a tensor of 2^62 numbers.
  for (const std::string& array : {raw<std::uint32_t>(6) + raw(kEndless), raw<std::uint32_t>(8) + raw(kEndless)})
    EXPECT_THAT(message(Gguf().value("a", 9, array).bytes()), HasSubstr("byte"));
  EXPECT_THAT(message(Gguf().value("a", 8, raw(kEndless)).bytes()), HasSubstr("byte"));
  EXPECT_THAT(message(Gguf().tensor("blk.0.attn_q.weight", {kEndless}, 0, "").bytes()),
              HasSubstr("blk.0.attn_q.weight"));
}

TEST(Hostile, OnnxTakesNoMemoryForWhatItAnnounces) {
  const Scratch folder;
  const auto message = [&](const std::string& bytes) { return refusal_within(folder.write("m.onnx", bytes)); };
  EXPECT_THAT(message(std::string(100000, '\x0b')), HasSubstr("wire type 3"));
  EXPECT_THAT(message(varint_field(1, 8) + varint(7 << 3 | 2) + varint(kEndless)), HasSubstr("byte"));
  const std::string tensor = varint_field(1, kEndless / 4) + varint_field(2, 1) + field(8, "q_proj.weight");
  EXPECT_THAT(message(varint_field(1, 8) + field(7, field(5, tensor + field(9, "1234")))), HasSubstr("q_proj.weight"));
}

/// An archive with one deflated member.
std::filesystem::path write_archive(const Scratch& folder, const std::string& content) {
  const std::filesystem::path path = folder / "m.npz";
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  EXPECT_GE(zip_file_add(archive, "q.npy", zip_source_buffer(archive, content.data(), content.size(), 0), 0), 0);
  EXPECT_EQ(zip_set_file_compression(archive, 0, ZIP_CM_DEFLATE, 9), 0);
  EXPECT_EQ(zip_close(archive), 0);
  return path;
}

TEST(Hostile, ArraysTakeNoMemoryForWhatTheyAnnounce) {
  const Scratch folder;
  const std::string huge = array_with("{'descr': '<f4', 'fortran_order': False, 'shape': (1048576, 1048576), }", "");
  EXPECT_THAT(refusal_within(folder.write("m.npy", huge)), HasSubstr("needs 4398046511104 bytes"));
  EXPECT_THAT(refusal_within(write_archive(folder, huge)), HasSubstr("needs 4398046511104 bytes"));
  // Zeros deflate a thousandfold: what such a member would take is never allocated.
  const std::size_t side = 2048;
  const std::string zeros =
      array_with(fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({0}, {0}), }}", side),
                 std::string(4 * side * side, 0));
  const std::filesystem::path bomb = write_archive(folder, zeros);
  ASSERT_LT(std::filesystem::file_size(bomb), zeros.size() / 500);
  EXPECT_THAT(refusal_within(bomb), HasSubstr("more than 100 times the archive"));
}

}  // namespace
}  // namespace attnlaw::checkpoint
