#include "hapax/server/http/form.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(FormTest, PairsAreDecodedInTheirOrder) {
  EXPECT_THAT(ParseForm("Action=RunInstances&Tag.1.Value=a%20b+c%2B&empty=&alone&&x=1=2&x=%C3%a9"),
              IsOkAndHolds(ElementsAre(Pair("Action", "RunInstances"), Pair("Tag.1.Value", "a b c+"), Pair("empty", ""),
                                       Pair("alone", ""), Pair("x", "1=2"), Pair("x", "é"))));
  EXPECT_THAT(ParseForm(""), IsOkAndHolds(IsEmpty()));
}

TEST(FormTest, WhatCannotBeDecodedIsRefused) {
  for (const std::string text : {"a=%", "a=%4", "a=%zz", "%=a", "a=%00", "a=%ff", "a=%C3", "\xff=a"}) {
    EXPECT_THAT(ParseForm(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
    EXPECT_THAT(PercentDecode(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(FormTest, APathKeepsItsPlus) {
  EXPECT_THAT(PercentDecode("a+b%2Fc"), IsOkAndHolds("a+b/c"));
  EXPECT_EQ(PercentEncode("a+b/c~é"), "a%2Bb%2Fc~%C3%A9");
}

}  // namespace
}  // namespace hapax
