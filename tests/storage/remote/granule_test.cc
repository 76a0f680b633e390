#include "hapax/storage/remote/granule.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/key.h"

namespace hapax {
namespace {

using testing::Contains;
using testing::ElementsAre;

std::string Key(std::string_view a) { return KeyBuilder().String(a).Build(); }
std::string Key(std::string_view a, std::string_view b) { return KeyBuilder().String(a).String(b).Build(); }
std::string Key(std::string_view a, std::string_view b, std::string_view c) {
  return KeyBuilder().String(a).String(b).String(c).Build();
}

TEST(GranuleTest, ARowBelongsToItsTableAndToAGranuleOfEachLeadingElementThatIsScannedBy) {
  EXPECT_THAT(GranulesOfRow(Table::kOperations, Key("operation", "acme", "1")),
              ElementsAre("", Key("operation"), Key("operation", "acme")));
  EXPECT_THAT(GranulesOfRow(Table::kMeta, Key("work_lease", "a")), ElementsAre("", Key("work_lease")));
  EXPECT_THAT(GranulesOfRow(Table::kWork, Key("1")), ElementsAre(""));
  EXPECT_THAT(GranulesOfRow(Table::kResources, "no elements"), ElementsAre(""));
}

TEST(GranuleTest, ARangeIsComparedByTheSmallestGranuleThatContainsIt) {
  const std::string acme = Key("operation", "acme");
  EXPECT_EQ(GranuleOfRange(Table::kOperations, KeyRange::Prefix(acme)), acme);
  EXPECT_EQ(GranuleOfRange(Table::kOperations, KeyRange::After(KeyRange::Prefix(acme), acme + "x")), acme);
  EXPECT_EQ(GranuleOfRange(Table::kOperations, {.begin = acme, .end = Key("operation", "b")}), Key("operation"));
  EXPECT_EQ(GranuleOfRange(Table::kOperations, {.begin = acme, .end = Key("p")}), "");
  EXPECT_EQ(GranuleOfRange(Table::kOperations, {.begin = acme}), "");
  EXPECT_EQ(GranuleOfRange(Table::kWork, KeyRange()), "");
}

// Also for keys whose numbers look like the end of an element.
TEST(GranuleTest, EachRowOfARangeBelongsToTheGranuleOfTheRange) {
  for (const uint64_t number : {uint64_t{0}, uint64_t{1}, uint64_t{0x0100010001000100}}) {
    const std::string prefix = KeyBuilder().String("a").Uint64(number).Build();
    for (const std::string& rest : {std::string(), Key("x"), Key("x", "y"), std::string("\0\1", 2)}) {
      for (const KeyRange& range : {KeyRange::Prefix(prefix), KeyRange::Prefix(Key("a"))}) {
        EXPECT_THAT(GranulesOfRow(Table::kResources, prefix + rest),
                    Contains(GranuleOfRange(Table::kResources, range)));
      }
    }
  }
}

}  // namespace
}  // namespace hapax
