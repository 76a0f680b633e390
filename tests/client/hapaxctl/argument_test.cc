#include "hapax/client/hapaxctl/flags/argument.h"

#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax::ctl {
namespace {

using ::testing::HasSubstr;

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

class ReadFileTest : public testing::Test {
 protected:
  std::string FileWith(const std::string& content) {
    const std::string path = dir_.Path("file");
    std::ofstream(path, std::ios::binary) << content;
    return "file://" + path;
  }

  TempDir dir_;
};

TEST_F(ReadFileTest, AFilesTextWithoutTheNewlineAtItsEnd) {
  EXPECT_EQ(ReadText(FileWith("ami-1\n")).value(), "ami-1");
  EXPECT_EQ(ReadText(FileWith("ami-1\r\n")).value(), "ami-1");
  EXPECT_EQ(ReadText(FileWith("a\n\n")).value(), "a\n");
  EXPECT_EQ(ReadText(FileWith("")).value(), "");
  EXPECT_EQ(ReadStructured(FileWith("[\"a\"]\n")).value(), "[\"a\"]");
  // What it holds is no file's name again.
  EXPECT_EQ(ReadText(FileWith("file:///etc/passwd")).value(), "file:///etc/passwd");
}

TEST_F(ReadFileTest, SaysWhatIsWrong) {
  EXPECT_THAT(MessageOf(ReadText("file:///nowhere/x").status()),
              HasSubstr("\"/nowhere/x\" cannot be read: No such file"));
  EXPECT_THAT(MessageOf(ReadText("file://" + dir_.Path()).status()), HasSubstr("cannot be read"));
  EXPECT_THAT(MessageOf(ReadText(FileWith("\xFF")).status()), HasSubstr("must be UTF-8"));
  EXPECT_THAT(MessageOf(ReadText("fileb:///etc/hosts").status()), HasSubstr("takes no bytes"));
}

TEST(ReadText, AWordAsItStandsIfItIsUtf8) {
  for (const char* word : {"", "a", "http://x/", "{\"a\"}", "\xC3\xA9", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(ReadText(word).value(), word);
  }
  for (const char* word : {"\xFF", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "a\x80"}) {
    EXPECT_THAT(MessageOf(ReadText(word).status()), HasSubstr("must be UTF-8")) << word;
  }
}

TEST(ReadText, TakesMarkedTextsAsTheyAreAndNoMarkedJson) {
  EXPECT_EQ(ReadText(MarkText("file:///etc/passwd")).value(), "file:///etc/passwd");
  EXPECT_THAT(MessageOf(ReadText(MarkJson("[1]")).status()), HasSubstr("no JSON list or object"));
}

TEST(ReadStructured, TakesMarkedJsonAndNoMarkedText) {
  EXPECT_EQ(ReadStructured(MarkJson("[1]")).value(), "[1]");
  EXPECT_THAT(MessageOf(ReadStructured(MarkText("[1]")).status()), HasSubstr("takes a JSON list or object"));
}

}  // namespace
}  // namespace hapax::ctl
