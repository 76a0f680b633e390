#include "hapax/server/compute/parameters.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/reason.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::compute {
namespace {

using testing::AllOf;
using testing::Field;
using testing::HasSubstr;

using Tags = google::protobuf::Map<std::string, std::string>;
using Ids = google::protobuf::RepeatedPtrField<std::string>;

// A character of two bytes in UTF-8, and one of four.
constexpr char kTwoBytes[] = "\xC3\xA9";
constexpr char kFourBytes[] = "\xF0\x9F\x98\x80";

std::string Repeat(const std::string& text, int times) {
  std::string repeated;
  for (int i = 0; i < times; ++i) repeated += text;
  return repeated;
}

Tags Tag(const std::string& key, const std::string& value) {
  Tags tags;
  tags[key] = value;
  return tags;
}

Tags ManyTags(int count) {
  Tags tags;
  for (int i = 0; i < count; ++i) tags[absl::StrCat("key-", i)] = "value";
  return tags;
}

TEST(CheckTags, UpToFiftyAreAllowed) {
  EXPECT_THAT(CheckTags(Tags()), IsOk());
  EXPECT_THAT(CheckTags(ManyTags(50)), IsOk());
  EXPECT_THAT(CheckTags(ManyTags(51)), Refuses(Reason::kInvalidParameter, "tags", HasSubstr("50")));
}

TEST(CheckTags, AKeyHas1To128CharactersWhateverTheirBytes) {
  for (const std::string& character : {std::string("k"), std::string(kTwoBytes), std::string(kFourBytes)}) {
    EXPECT_THAT(CheckTags(Tag(character, "v")), IsOk());
    EXPECT_THAT(CheckTags(Tag(Repeat(character, 128), "v")), IsOk());
    EXPECT_THAT(CheckTags(Tag(Repeat(character, 129), "v")),
                Refuses(Reason::kInvalidParameter, "tags", HasSubstr("1 to 128")));
  }
  EXPECT_THAT(CheckTags(Tag("", "v")), Refuses(Reason::kInvalidParameter, "tags", HasSubstr("1 to 128")));
}

TEST(CheckTags, AValueHas0To256CharactersWhateverTheirBytes) {
  EXPECT_THAT(CheckTags(Tag("k", "")), IsOk());
  for (const std::string& character : {std::string("v"), std::string(kTwoBytes), std::string(kFourBytes)}) {
    EXPECT_THAT(CheckTags(Tag("k", Repeat(character, 256))), IsOk());
    EXPECT_THAT(CheckTags(Tag("k", Repeat(character, 257))),
                Refuses(Reason::kInvalidParameter, "tags", HasSubstr("0 to 256")));
  }
}

TEST(CheckTags, OneWrongTagAmongRightOnesIsRefused) {
  Tags tags = ManyTags(20);
  tags["long"] = std::string(257, 'v');
  EXPECT_THAT(CheckTags(tags), Refuses(Reason::kInvalidParameter, "tags"));
}

TEST(CheckKeyName, Has1To255PrintableAsciiCharacters) {
  EXPECT_THAT(CheckKeyName("k"), IsOk());
  EXPECT_THAT(CheckKeyName(std::string(255, 'k')), IsOk());
  EXPECT_THAT(CheckKeyName(""), Refuses(Reason::kInvalidParameter, "key_name", HasSubstr("1 to 255")));
  EXPECT_THAT(CheckKeyName(std::string(256, 'k')), Refuses(Reason::kInvalidParameter, "key_name"));
  EXPECT_THAT(CheckKeyName(kTwoBytes), Refuses(Reason::kInvalidParameter, "key_name"));
}

TEST(CheckKeyName, TakesExactlyTheCharactersFromSpaceToTilde) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string name = {'k', static_cast<char>(byte), 'k'};
    if (byte >= 0x20 && byte <= 0x7E) {
      EXPECT_THAT(CheckKeyName(name), IsOk()) << byte;
    } else {
      EXPECT_THAT(CheckKeyName(name), Refuses(Reason::kInvalidParameter, "key_name", HasSubstr("0x20-0x7E"))) << byte;
    }
  }
}

TEST(CheckIds, AtMost1000NoneOfThemEmpty) {
  Ids ids;
  EXPECT_THAT(CheckIds("instance_ids", ids), IsOk());
  for (int i = 0; i < 1'000; ++i) ids.Add(absl::StrCat("i-", i));
  EXPECT_THAT(CheckIds("instance_ids", ids), IsOk());
  ids.Add("i-1000");
  EXPECT_THAT(CheckIds("instance_ids", ids), Refuses(Reason::kInvalidParameter, "instance_ids", HasSubstr("1000")));
}

TEST(CheckIds, AnEmptyElementIsRefusedWithTheCallersFieldName) {
  Ids ids;
  ids.Add("one");
  ids.Add("");
  EXPECT_THAT(CheckIds("host_ids", ids), Refuses(Reason::kInvalidParameter, "host_ids", HasSubstr("empty")));
}

auto HoldsRange(int32_t min, int32_t max) {
  return IsOkAndHolds(AllOf(Field("min", &CountRange::min, min), Field("max", &CountRange::max, max)));
}

TEST(CheckCounts, BothUnsetMeansOne) { EXPECT_THAT(CheckCounts(0, 0), HoldsRange(1, 1)); }

TEST(CheckCounts, OneThatIsUnsetEqualsTheOther) {
  EXPECT_THAT(CheckCounts(3, 0), HoldsRange(3, 3));
  EXPECT_THAT(CheckCounts(0, 3), HoldsRange(3, 3));
  EXPECT_THAT(CheckCounts(100'000, 0), HoldsRange(100'000, 100'000));
}

TEST(CheckCounts, BothSetAreTakenAsTheyAre) {
  EXPECT_THAT(CheckCounts(1, 100'000), HoldsRange(1, 100'000));
  EXPECT_THAT(CheckCounts(7, 7), HoldsRange(7, 7));
}

TEST(CheckCounts, AMinimumAboveTheMaximumIsRefused) {
  EXPECT_THAT(CheckCounts(2, 1), Refuses(Reason::kInvalidParameter, "min_count", HasSubstr("max_count")));
}

TEST(CheckCounts, EachMustLieBetween0And100000) {
  for (const int32_t wrong : {-1, 100'001, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()}) {
    EXPECT_THAT(CheckCounts(wrong, 5), Refuses(Reason::kInvalidParameter, "min_count", HasSubstr("1 to 100000")));
    EXPECT_THAT(CheckCounts(1, wrong), Refuses(Reason::kInvalidParameter, "max_count", HasSubstr("1 to 100000")));
    EXPECT_THAT(CheckCounts(0, wrong), Refuses(Reason::kInvalidParameter, "max_count"));
    EXPECT_THAT(CheckCounts(wrong, 0), Refuses(Reason::kInvalidParameter, "min_count"));
  }
}

TEST(CheckAutoPlacement, OnAndOffAndEmptyForOff) {
  EXPECT_THAT(CheckAutoPlacement("on"), IsOkAndHolds(true));
  EXPECT_THAT(CheckAutoPlacement("off"), IsOkAndHolds(false));
  EXPECT_THAT(CheckAutoPlacement(""), IsOkAndHolds(false));
}

TEST(CheckAutoPlacement, AnythingElseIsRefused) {
  for (const char* wrong : {"On", "OFF", "true", " on", "on "}) {
    EXPECT_THAT(CheckAutoPlacement(wrong), Refuses(Reason::kInvalidParameter, "auto_placement", HasSubstr("on or off")))
        << wrong;
  }
}

}  // namespace
}  // namespace hapax::compute
