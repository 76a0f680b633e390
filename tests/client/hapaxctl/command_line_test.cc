#include "hapax/client/hapaxctl/flags/command_line.h"

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/hapaxctl/app.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

using Words = std::vector<std::string>;

absl::StatusOr<CommandLine> Read(const Words& words) {
  Globals globals;
  Chosen chosen;
  CLI::App app("", "hapaxctl");
  BuildApp(app, globals, chosen);
  Words whole = {"hapaxctl"};
  whole.insert(whole.end(), words.begin(), words.end());
  return ReadCommandLine(app, whole);
}
Words Split(const std::string& line) { return absl::StrSplit(line, ' '); }
Words Parsed(const Words& words) {
  const auto line = Read(words);
  EXPECT_THAT(line, IsOk());
  return line.ok() ? line->parsed : Words();
}
std::string ErrorOf(const Words& words) { return std::string(Read(words).status().message()); }

constexpr char kText[] = "\0t";
constexpr char kJson[] = "\0j";
std::string Text(const std::string& text) { return std::string(kText, 2) + text; }
std::string Json(const std::string& json) { return std::string(kJson, 2) + json; }

TEST(ReadCommandLine, AFlagMayBeCutShortWhileItIsTheOnlyOne) {
  EXPECT_THAT(Parsed(Split("describe-instances --filter Name=a,Values=b --max 3 --out=table")),
              ElementsAreArray(Split("describe-instances --filters Name=a,Values=b --max-items 3 --output table")));
  EXPECT_THAT(Parsed(Split("--x-c t ec2 run-instances --im ami-1")),
              ElementsAreArray(Split("--x-client-token t ec2 run-instances --image-id ami-1")));
  EXPECT_THAT(ErrorOf(Split("run-instances --i x")), HasSubstr("--i: could be any of --image-id, --instance-type"));
  // A whole name goes before those that begin with it.
  EXPECT_THAT(Parsed(Split("--tls --endpoint h:1 token policy")),
              ElementsAreArray(Split("--tls --endpoint h:1 token policy")));
}

TEST(ReadCommandLine, ShowsWholeNamesToWhomItIsShownAgain) {
  EXPECT_THAT(Read(Split("--api-key=s run-instances --client-tok t --im=a")).value().typed,
              ElementsAreArray(Split("hapaxctl --api-key=s run-instances --client-token t --image-id=a")));
  EXPECT_TRUE(IsGiven(Read(Split("token get --tim=5s t")).value(), "--timeout"));
  EXPECT_FALSE(IsGiven(Read(Split("token get t")).value(), "--timeout"));
}

TEST(ReadCommandLine, EachOfSeveralValuesGetsItsFlag) {
  EXPECT_THAT(Parsed({"stop-instances", "--instance-ids", "a", "[b,c]", "--wait"}),
              ElementsAre("stop-instances", "--instance-ids", "a", "--instance-ids", "[b,c]", "--wait"));
}

TEST(ReadCommandLine, AValueMayBeEmptyOrLookLikeAVerbAndAFlagIsNone) {
  EXPECT_THAT(Parsed({"run-instances", "--image-id=", "--key-name", "token", "--tag-specifications", ""}),
              ElementsAre("run-instances", "--image-id", "", "--key-name", "token", "--tag-specifications", ""));
  EXPECT_THAT(Parsed({"run-instances", "--image-id=--count"}), ElementsAre("run-instances", "--image-id", "--count"));
  EXPECT_THAT(ErrorOf(Split("run-instances --image-id --count 1")), HasSubstr("--image-id: needs a value"));
  EXPECT_THAT(ErrorOf(Split("run-instances --image-id")), HasSubstr("--image-id: needs a value"));
  EXPECT_THAT(Parsed(Split("token get -- --wait")), ElementsAreArray(Split("token get -- --wait")));
}

TEST(ReadCommandLine, AFlagThatIsNotThereIsNamed) {
  EXPECT_THAT(ErrorOf(Split("run-instances --nope 1")), HasSubstr("--nope: run-instances has no such flag"));
  EXPECT_THAT(ErrorOf(Split("describe-hosts --wait")), HasSubstr("--wait: describe-hosts has no such flag"));
  EXPECT_THAT(ErrorOf(Split("run-instances --image-id a --dry-run")), HasSubstr("--dry-run: is not there"));
  EXPECT_THAT(ErrorOf(Split("run-instances --image-id a --dry")), HasSubstr("--dry-run: is not there"));
  EXPECT_THAT(ErrorOf(Split("run-instances --generate-cli-skeleton")), HasSubstr("is not there"));
  EXPECT_THAT(Parsed(Split("run-instances --no-dry-run --no-cli-pager")), ElementsAre("run-instances"));
  EXPECT_THAT(MissingFlagsHelp(), HasSubstr("--dry-run, --generate-cli-skeleton"));
}

TEST(CliInputJson, IsTheVerbsFlags) {
  EXPECT_THAT(Parsed({"run-instances", "--cli-input-json",
                      R"({"ImageId": "file:///x", "MinCount": 1, "MaxCount": 2, "DryRun": false,
                          "Placement": {"AvailabilityZone": "z"}, "TagSpecifications": [{"ResourceType": "instance"}]})"}),
              ElementsAre("run-instances", "--image-id", Text("file:///x"), "--count", "1:2", "--placement",
                          Json(R"({"AvailabilityZone":"z"})"), "--tag-specifications",
                          Json(R"([{"ResourceType":"instance"}])")));
  EXPECT_THAT(Parsed({"run-instances", R"(--cli-input={"MaxCount": 2})"}),
              ElementsAre("run-instances", "--count", "2"));
}

TEST(CliInputJson, AFlagThatIsTypedGoesBefore) {
  EXPECT_THAT(
      Parsed({"run-instances", "--cli-input-json", R"({"ImageId": "a", "MinCount": 1})", "--im", "b", "--count=3"}),
      ElementsAre("run-instances", "--image-id", "b", "--count", "3"));
}

TEST(CliInputJson, SaysWhatIsWrong) {
  const auto error = [](const std::string& json) { return ErrorOf({"run-instances", "--cli-input-json", json}); };
  EXPECT_THAT(error("{"), HasSubstr("--cli-input-json: JSON: expected"));
  EXPECT_THAT(error("[]"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(error("file:///nowhere"), HasSubstr("cannot be read"));
  EXPECT_THAT(error(R"({"ImageId": null})"), HasSubstr("\"ImageId\" cannot be null"));
  EXPECT_THAT(error(R"({"DryRun": true})"), HasSubstr("\"DryRun\": the API has none"));
  EXPECT_THAT(error(R"({"MinCount": "1"})"), HasSubstr("\"MinCount\" must be a number"));
  for (const char* name :
       {"imageId", "image_id", "Image-id", "Count", "Nope", "", "-image-id", "CliInputJson", "Wait", "Help"}) {
    EXPECT_THAT(error(std::string("{\"") + name + "\": 1}"), HasSubstr("is none of ")) << name;
  }
  EXPECT_THAT(error(R"({"Nope": 1})"), HasSubstr("ImageId, MinCount, MaxCount, InstanceType"));
  EXPECT_THAT(ErrorOf({"describe-hosts", "--cli-input-json", R"({"MaxItems": 1})"}),
              HasSubstr("is none of HostIds, Filters"));
  EXPECT_THAT(ErrorOf({"describe-hosts", "--cli-input-json", "{}", "--cli-input-json", "{}"}),
              HasSubstr("is given twice"));
}

}  // namespace
}  // namespace hapax::ctl
