#include "attnlaw/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

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

TEST_F(FileTest, IsReadOnceInAScope) {
  write_atomically(path("data"), "old");
  {
    const ReadOnceScope scope;
    EXPECT_EQ(read_text(path("data")), "old");
    write_atomically(path("data"), "new");
    {
      const ReadOnceScope inner;
      EXPECT_EQ(read_text(path("data")), "old");
    }
    EXPECT_EQ(read_text(path("data")), "old");
    std::thread([&] { EXPECT_EQ(read_text(path("data")), "new") << "another thread"; }).join();
  }
  EXPECT_EQ(read_text(path("data")), "new");
}

TEST_F(FileTest, ADirectoryIsNotText) { EXPECT_THROW(read_text(directory_.string()), FileError); }

TEST_F(FileTest, AnUnwritablePathIsNamedAndNothingIsLeft) {
  const std::string inside = path("no_such_directory/data");
  EXPECT_THAT([&] { write_atomically(inside, "x"); }, ThrowsMessage<FileError>(HasSubstr(inside)));
  EXPECT_THROW(require_writable(inside), FileError);
  EXPECT_EQ(files(), 0);
}

TEST_F(FileTest, ADirectoryIsRefusedAndNothingIsLeft) {
  fs::create_directory(path("taken"));
  EXPECT_THAT([&] { write_atomically(path("taken"), "x"); }, ThrowsMessage<FileError>(HasSubstr("directory")));
  EXPECT_THAT([&] { require_writable(path("taken")); }, ThrowsMessage<FileError>(HasSubstr("directory")));
  EXPECT_THROW(require_writable(path("taken") + "/"), FileError);
  EXPECT_EQ(files(), 1);
}

TEST_F(FileTest, AnEmptyPathIsRefused) {
  EXPECT_THROW(write_atomically("", "x"), FileError);
  EXPECT_THROW(require_writable(""), FileError);
}

TEST_F(FileTest, ASymbolicLinkStaysAndItsTargetIsReplaced) {
  fs::create_directory(path("elsewhere"));
  write_atomically(path("elsewhere/data"), "old");
  fs::create_symlink("elsewhere/data", path("link"));
  fs::create_symlink("link", path("link_to_link"));
  require_writable(path("link_to_link"));
  write_atomically(path("link_to_link"), "new");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_TRUE(fs::is_symlink(path("link_to_link")));
  EXPECT_EQ(read_text(path("elsewhere/data")), "new");
  EXPECT_EQ(files(), 3);
}

TEST_F(FileTest, ADanglingLinkCreatesItsTarget) {
  fs::create_symlink("target", path("link"));
  require_writable(path("link"));
  EXPECT_EQ(files(), 1);
  write_atomically(path("link"), "new");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(read_text(path("target")), "new");
}

TEST_F(FileTest, ALoopOfLinksIsRefused) {
  fs::create_symlink("b", path("a"));
  fs::create_symlink("a", path("b"));
  EXPECT_THROW(write_atomically(path("a"), "x"), FileError);
  EXPECT_THROW(require_writable(path("a")), FileError);
}

TEST_F(FileTest, ADeviceStaysADevice) {
  require_writable("/dev/null");
  write_atomically("/dev/null", "gone");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_EQ(read_text("/dev/null"), "");
  EXPECT_THROW(write_atomically("/dev/full", "x"), FileError);
}

TEST_F(FileTest, AFifoIsWrittenAndStays) {
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  require_writable(path("fifo"));
  std::string received;
  std::jthread reader([&] { received = read_text(path("fifo")); });
  write_atomically(path("fifo"), "through");
  reader.join();
  EXPECT_EQ(received, "through");
  EXPECT_TRUE(fs::is_fifo(path("fifo")));
}

TEST_F(FileTest, StandardOutputIsAppendedTo) {
  testing::internal::CaptureStdout();  // a regular file
  printf("before ");
  fflush(stdout);
  require_writable("/dev/stdout");
  write_atomically("/dev/stdout", "and after");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "before and after");
}

TEST_F(FileTest, AReplacedFileKeepsItsModeAndANewOneObeysTheUmask) {
  const auto mode = [](const std::string& name) {
    struct stat status;
    return stat(name.c_str(), &status) == 0 ? status.st_mode & 07777U : 0U;
  };
  const mode_t before = umask(027);
  write_atomically(path("new"), "x");
  write_atomically(path("kept"), "old");
  ASSERT_EQ(chmod(path("kept").c_str(), 0666), 0);
  write_atomically(path("kept"), "new");
  umask(before);
  EXPECT_EQ(mode(path("new")), 0640U);
  EXPECT_EQ(mode(path("kept")), 0666U);
}

TEST_F(FileTest, AReadOnlyFileIsNotReplaced) {
  write_atomically(path("data"), "old");
  ASSERT_EQ(chmod(path("data").c_str(), 0444), 0);
  if (geteuid() == 0) GTEST_SKIP() << "root may write anything";
  EXPECT_THROW(require_writable(path("data")), FileError);
  EXPECT_THROW(write_atomically(path("data"), "new"), FileError);
  EXPECT_EQ(read_text(path("data")), "old");
}

TEST_F(FileTest, AskingForWritabilityCreatesNothing) {
  require_writable(path("data"));
  EXPECT_EQ(files(), 0);
}

}  // namespace
}  // namespace attnlaw::base
