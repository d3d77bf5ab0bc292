#include "attnlaw/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace attnlaw::base {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

class FileTest : public testing::Test {
 protected:
  FileTest()
      : directory_(fs::temp_directory_path() / ("attnlaw_file_test_" + std::to_string(getpid()) + "_" +
                                                testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::create_directories(directory_);
  }
  ~FileTest() override { fs::remove_all(directory_); }

  std::string path(const std::string& name) const { return (directory_ / name).string(); }
  std::ptrdiff_t files() const { return std::distance(fs::directory_iterator(directory_), fs::directory_iterator()); }

  fs::path directory_;
};

TEST_F(FileTest, ReadsWhatWasWritten) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  write_atomically(path("data"), bytes);
  EXPECT_EQ(read_text(path("data")), bytes);
}

TEST_F(FileTest, ReplacesTheWholeFileAndLeavesNothingBehind) {
  write_atomically(path("data"), "a long first version");
  write_atomically(path("data"), "short");
  EXPECT_EQ(read_text(path("data")), "short");
  EXPECT_EQ(files(), 1);
}

TEST_F(FileTest, AnEmptyFileIsEmptyText) {
  write_atomically(path("data"), "");
  EXPECT_EQ(read_text(path("data")), "");
}

TEST_F(FileTest, AMissingFileIsNamed) {
  EXPECT_THAT([&] { read_text(path("absent")); }, ThrowsMessage<FileError>(HasSubstr(path("absent"))));
}

TEST_F(FileTest, ADirectoryIsNotText) { EXPECT_THROW(read_text(directory_.string()), FileError); }

TEST_F(FileTest, AnUnwritablePathIsNamedAndNothingIsLeft) {
  const std::string inside = path("no_such_directory/data");
  EXPECT_THAT([&] { write_atomically(inside, "x"); }, ThrowsMessage<FileError>(HasSubstr(inside)));
  EXPECT_THROW(require_writable(inside), FileError);
  EXPECT_EQ(files(), 0);
}

TEST_F(FileTest, RenamingOntoADirectoryFailsAndLeavesNothing) {
  fs::create_directory(path("taken"));
  EXPECT_THROW(write_atomically(path("taken"), "x"), FileError);
  EXPECT_EQ(files(), 1);
}

TEST_F(FileTest, AskingForWritabilityCreatesNothing) {
  require_writable(path("data"));
  EXPECT_EQ(files(), 0);
}

}  // namespace
}  // namespace attnlaw::base
