#include "hapax/testing/counted_ids.h"

#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace hapax {
namespace {

TEST(CountedIdsTest, EachPrefixIsCountedFromOne) {
  CountedIds ids;
  EXPECT_EQ(ids.NewId("ch"), "ch-00000000000000001");
  EXPECT_EQ(ids.NewId("i"), CountedId("i", 1));
  for (int number = 2; number < 18; ++number) EXPECT_EQ(ids.NewId("ch"), CountedId("ch", number));
  EXPECT_EQ(CountedId("ch", 17), "ch-00000000000000011");
  ids.Reset();
  EXPECT_EQ(ids.NewId("ch"), CountedId("ch", 1));
}

TEST(CountedIdsTest, ASecondRunGetsTheIdsOfTheFirstAndThenNewOnes) {
  CountedIds ids;
  CountedIds::Repetition repetition(ids);
  EXPECT_EQ(ids.NewId("ch"), CountedId("ch", 1));
  EXPECT_EQ(ids.NewId("i"), CountedId("i", 1));
  repetition.BeginSecondRun();
  EXPECT_EQ(ids.NewId("ch"), CountedId("ch", 1));
  EXPECT_EQ(ids.NewId("i"), CountedId("i", 1));
  EXPECT_EQ(ids.NewId("i"), CountedId("i", 2));
}

TEST(CountedIdsTest, ASecondRunThatAsksForOtherPrefixesGetsNewOnes) {
  CountedIds ids;
  CountedIds::Repetition repetition(ids);
  EXPECT_EQ(ids.NewId("ch"), CountedId("ch", 1));
  repetition.BeginSecondRun();
  EXPECT_EQ(ids.NewId("i"), CountedId("i", 1));
  EXPECT_EQ(ids.NewId("ch"), CountedId("ch", 1));
}

TEST(CountedIdsTest, NobodyElseGetsAnIdTwice) {
  CountedIds ids;
  std::string elsewhere;
  {
    CountedIds::Repetition repetition(ids);
    EXPECT_EQ(ids.NewId("ch"), CountedId("ch", 1));
    repetition.BeginSecondRun();
    std::thread([&] { elsewhere = ids.NewId("ch"); }).join();
    EXPECT_EQ(ids.NewId("ch"), CountedId("ch", 1));
  }
  EXPECT_EQ(elsewhere, CountedId("ch", 2));
  EXPECT_EQ(ids.NewId("ch"), CountedId("ch", 3));
}

}  // namespace
}  // namespace hapax
