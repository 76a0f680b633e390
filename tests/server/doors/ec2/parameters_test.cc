#include "hapax/server/doors/ec2/parameters.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/doors/ec2/ec2_error.h"
#include "hapax/server/http/form.h"

namespace hapax::ec2 {
namespace {

using ::testing::ElementsAre;

Parameters Of(const std::string& form) { return Parameters::Of(ParseForm(form).value()).value(); }
std::string CodeOf(const absl::Status& status) { return status.ok() ? "" : ToEc2Error(status, "RunInstances").code; }

TEST(Parameters, AreTakenOnce) {
  Parameters parameters = Of("A=1&B.C=two+words");
  EXPECT_EQ(parameters.Take("A"), "1");
  EXPECT_EQ(parameters.Take("A"), std::nullopt);
  EXPECT_EQ(CodeOf(parameters.Finish()), "UnknownParameter");
  EXPECT_EQ(parameters.TakeRequired("B.C").value(), "two words");
  EXPECT_TRUE(parameters.Finish().ok());
  EXPECT_EQ(CodeOf(parameters.TakeRequired("B.C").status()), "MissingParameter");
}

TEST(Parameters, ListsAreNumberedFromOneWithoutGapsInAnyOrder) {
  EXPECT_THAT(Of("Id.2=b&Id.1=a&Id.10=j&Id.3=c&Id.4=d&Id.5=e&Id.6=f&Id.7=g&Id.8=h&Id.9=i").TakeList("Id", 10).value(),
              ElementsAre("a", "b", "c", "d", "e", "f", "g", "h", "i", "j"));
  for (const char* const wrong : {"Id.0=a", "Id.2=a", "Id.1=a&Id.3=c", "Id.01=a", "Id.x=a", "Id.1.x=a", "Id.11=a",
                                  "Id.99999999999999999999=a", "Id.1=a&Id.-1=b"}) {
    EXPECT_EQ(CodeOf(Of(wrong).TakeList("Id", 10).status()), "InvalidParameterValue") << wrong;
  }
  EXPECT_THAT(Of("Idx.1=a").TakeList("Id", 10).value(), ElementsAre());
}

TEST(Parameters, StructuresAreFinishedByTheirFullNames) {
  Parameters parameters = Of("Filter.1.Name=n&Filter.1.Value.1=a&Filter.1.Value.2=b&Filter.2.Name=m&Filter.2.Odd=1");
  auto filters = parameters.TakeStructures("Filter", 5).value();
  ASSERT_EQ(filters.size(), 2U);
  EXPECT_EQ(filters[0].Take("Name"), "n");
  EXPECT_THAT(filters[0].TakeList("Value", 5).value(), ElementsAre("a", "b"));
  EXPECT_TRUE(filters[0].Finish().ok());
  EXPECT_EQ(filters[1].Take("Name"), "m");
  EXPECT_THAT(std::string(filters[1].Finish().message()), ::testing::HasSubstr("Filter.2.Odd"));
  EXPECT_TRUE(parameters.Finish().ok());
  EXPECT_EQ(CodeOf(Of("Filter.1=x").TakeStructures("Filter", 5).status()), "InvalidParameterValue");
}

TEST(Parameters, NumbersAndFlagsHaveOneForm) {
  EXPECT_EQ(Of("N=7").TakeNumber("N", 1, 9).value(), 7);
  EXPECT_EQ(Of("").TakeNumber("N", 1, 9).value(), std::nullopt);
  for (const char* const wrong : {"N=", "N=0", "N=10", "N=1.5", "N=x", "N=99999999999"}) {
    EXPECT_EQ(CodeOf(Of(wrong).TakeNumber("N", 1, 9).status()), "InvalidParameterValue") << wrong;
  }
  EXPECT_TRUE(Of("F=TRUE").TakeFlag("F", false).value());
  EXPECT_TRUE(Of("").TakeFlag("F", true).value());
  EXPECT_EQ(CodeOf(Of("F=yes").TakeFlag("F", false).status()), "InvalidParameterValue");
  EXPECT_TRUE(Of("F=False").TakeFixed("F", "false").ok());
  EXPECT_EQ(CodeOf(Of("F=true").TakeFixed("F", "false")), "UnsupportedOperation");
}

TEST(Parameters, RefusesNamesThatAreTwiceOrMalformed) {
  const auto code = [](const std::string& form) { return CodeOf(Parameters::Of(ParseForm(form).value()).status()); };
  EXPECT_EQ(code("A=1&A=1"), "InvalidParameterCombination");
  for (const char* const name : {"A..B", ".A", "A.", "A%20B", "%C3%A9", "A.1.2.3.4.5.6.7.8.9"}) {
    EXPECT_EQ(code(absl::StrCat(name, "=1")), "InvalidParameter") << name;
  }
  EXPECT_EQ(code(absl::StrCat(std::string(200, 'A'), "=1")), "InvalidParameter");
  EXPECT_EQ(code("A=%1B"), "InvalidParameterValue");
  std::string many;
  for (int i = 1; i <= 20'001; ++i) absl::StrAppend(&many, "A.", i, "=1&");
  EXPECT_EQ(code(many), "RequestTooLarge");
}

TEST(Parameters, TellsWhatEc2HasFromWhatItHasNot) {
  EXPECT_EQ(CodeOf(Of("UserData=x").Finish()), "UnsupportedOperation");
  EXPECT_EQ(CodeOf(Of("NetworkInterface.1.DeviceIndex=0").Finish()), "UnsupportedOperation");
  EXPECT_EQ(CodeOf(Of("Userdata=x").Finish()), "UnknownParameter");
}

}  // namespace
}  // namespace hapax::ec2
