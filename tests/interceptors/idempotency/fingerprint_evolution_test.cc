#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/idempotency/fingerprint.h"
#include "hapax/tests/interceptors/wire.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/evolution.pb.h"

// A record that one version of the server made, and a retry that finds another version: the same request,
// once as OldRequest and once as NewRequest (C22).
namespace hapax {
namespace {

using store::v1::Fingerprint;
using testing::ElementsAre;
using testing::IsEmpty;
using tests::v1::NewRequest;
using tests::v1::OldRequest;

const std::string kItem = LengthDelimited(3, "pencil");
const std::string kDetails = LengthDelimited(4, LengthDelimited(1, "red"));
// With a field that only NewDetails knows.
const std::string kNewDetails = LengthDelimited(4, LengthDelimited(1, "red") + VarintField(2, 70));

using Fields = std::map<std::string, std::string>;

// Fields that only NewRequest knows, as serializers send them, by their names.
const Fields kNewFields = {
    {"material", LengthDelimited(5, "wood")},
    {"sizes", LengthDelimited(6, Varint(7) + Varint(8))},
    {"labels", MapEntry(7, "a", "1") + MapEntry(7, "b", "2")},
    {"more_details", LengthDelimited(8, LengthDelimited(1, "red") + VarintField(2, 70))},
    {"gift", VarintField(9, 1)},
};

// The same as other clients may send them.
const Fields kOddNewFields = {
    {"material", LengthDelimited(5, "steel") + LengthDelimited(5, "wood")},
    {"sizes", VarintField(6, 7) + VarintField(6, 8)},
    {"labels", MapEntry(7, "b", "2") + MapEntry(7, "a", "1")},
    {"more_details", LengthDelimited(8, VarintField(2, 70) + LengthDelimited(1, "red"))},
    {"gift", VarintField(9, 0)},
};

class FingerprintEvolutionTest : public testing::Test {
 protected:
  template <typename Request>
  static Request Parsed(const std::string& wire) {
    Request request;
    EXPECT_TRUE(request.ParseFromString(wire));
    return request;
  }

  // A record of the old server, and a retry at the new one.
  absl::StatusOr<std::vector<std::string>> AfterUpgrade(const std::string& then, const std::string& now) {
    const Fingerprint recorded = MakeFingerprint(old_, Parsed<OldRequest>(then), then);
    return DifferingFields(recorded, new_, Parsed<NewRequest>(now), now);
  }
  // The other way round.
  absl::StatusOr<std::vector<std::string>> AfterDowngrade(const std::string& then, const std::string& now) {
    const Fingerprint recorded = MakeFingerprint(new_, Parsed<NewRequest>(then), then);
    return DifferingFields(recorded, old_, Parsed<OldRequest>(now), now);
  }

  const Method old_ = MakeMethod(MethodOf<OldRequest>("Evolution", "Old"));
  const Method new_ = MakeMethod(MethodOf<OldRequest>("Evolution", "New"));
};

auto AreTheSame() { return IsOkAndHolds(IsEmpty()); }

TEST_F(FingerprintEvolutionTest, C22_ARequestWithoutNewFieldsIsTheSame) {
  EXPECT_THAT(AfterUpgrade(kItem + kDetails, kDetails + kItem), AreTheSame());
  EXPECT_THAT(AfterDowngrade(kItem + kDetails, kDetails + kItem), AreTheSame());
}

TEST_F(FingerprintEvolutionTest, C22_EqualBytesAreTheSameWhateverBecameOfTheDefinition) {
  for (const auto& fields : {kNewFields, kOddNewFields}) {
    for (const auto& [name, wire] : fields) {
      EXPECT_THAT(AfterUpgrade(kItem + wire, kItem + wire), AreTheSame()) << name;
      EXPECT_THAT(AfterDowngrade(kItem + wire, kItem + wire), AreTheSame()) << name;
    }
  }
  const std::string nested_default = LengthDelimited(4, LengthDelimited(1, "red") + VarintField(2, 0));
  EXPECT_THAT(AfterUpgrade(nested_default, nested_default), AreTheSame());
  EXPECT_THAT(AfterDowngrade(nested_default, nested_default), AreTheSame());
}

// Bytes in another order are not equal: now each field's digest decides.
TEST_F(FingerprintEvolutionTest, C22_AFieldThatTheServerLearnedMeanwhileIsTheSame) {
  for (const auto& fields : {kNewFields, kOddNewFields}) {
    for (const auto& [name, wire] : fields) {
      EXPECT_THAT(AfterUpgrade(kItem + wire, wire + kItem), AreTheSame()) << name;
    }
  }
}

TEST_F(FingerprintEvolutionTest, C22_AFieldThatTheServerForgotIsTheSame) {
  for (const auto& [name, wire] : kNewFields) {
    EXPECT_THAT(AfterDowngrade(kItem + wire, wire + kItem), AreTheSame()) << name;
  }
}

// More of them than have a digest each: those that the server learned are among the others.
TEST_F(FingerprintEvolutionTest, C22_AFieldOfManyUnknownOnesThatTheServerLearnedMeanwhileIsTheSame) {
  std::string many;
  for (int number = 1'000; number < 1'200; ++number) many += VarintField(number, 1);
  for (const auto& [name, wire] : kNewFields) {
    EXPECT_THAT(AfterUpgrade(kItem + wire + many, many + wire + kItem), AreTheSame()) << name;
    EXPECT_THAT(AfterUpgrade(kItem + many, many + wire + kItem), IsOkAndHolds(ElementsAre(name))) << name;
  }
  const std::string red = LengthDelimited(2000, "red");
  EXPECT_THAT(AfterUpgrade(kItem + many + red, red + many + kItem), AreTheSame());
  EXPECT_THAT(AfterUpgrade(kItem + many, red + many + kItem), IsOkAndHolds(ElementsAre("wrapping")));
}

TEST_F(FingerprintEvolutionTest, C22_AFieldOfANestedMessageThatTheServerLearnedOrForgotIsTheSame) {
  EXPECT_THAT(AfterUpgrade(kItem + kNewDetails, kNewDetails + kItem), AreTheSame());
  EXPECT_THAT(AfterDowngrade(kItem + kNewDetails, kNewDetails + kItem), AreTheSame());
}

TEST_F(FingerprintEvolutionTest, C22_AFieldThatIsNoDifferenceToAnyRequestBefore) {
  NewRequest request = Parsed<NewRequest>(kItem);
  request.set_gift(false);  // What a client with the new definition sends for its default.
  EXPECT_THAT(AfterUpgrade(kItem, request.SerializeAsString()), AreTheSame());
}

// Other values of them.
const Fields kOtherNewFields = {
    {"material", LengthDelimited(5, "steel")},
    {"sizes", LengthDelimited(6, Varint(8) + Varint(7))},
    {"labels", MapEntry(7, "a", "1")},
    {"more_details", LengthDelimited(8, LengthDelimited(1, "red") + VarintField(2, 71))},
    {"gift", VarintField(9, 0)},
};

TEST_F(FingerprintEvolutionTest, C10_AFieldThatTheServerLearnedMeanwhileAndThatDiffersIsNamed) {
  for (const auto& [name, wire] : kNewFields) {
    EXPECT_THAT(AfterUpgrade(kItem + wire, kItem + kOtherNewFields.at(name)), IsOkAndHolds(ElementsAre(name)));
    EXPECT_THAT(AfterUpgrade(kItem + wire, kItem), IsOkAndHolds(ElementsAre(name)));
    EXPECT_THAT(AfterUpgrade(kItem, kItem + wire), IsOkAndHolds(ElementsAre(name)));
  }
}

TEST_F(FingerprintEvolutionTest, C10_AFieldThatTheServerForgotAndThatDiffersIsNamedByItsNumber) {
  const std::string wood = kNewFields.at("material");
  const std::string steel = kOtherNewFields.at("material");
  EXPECT_THAT(AfterDowngrade(kItem + wood, kItem + steel), IsOkAndHolds(ElementsAre("unknown field 5")));
  EXPECT_THAT(AfterDowngrade(kItem + wood, kItem), IsOkAndHolds(ElementsAre("unknown field 5")));
  EXPECT_THAT(AfterDowngrade(kItem, kItem + wood), IsOkAndHolds(ElementsAre("unknown field 5")));
}

TEST_F(FingerprintEvolutionTest, C10_AFieldOfANestedMessageThatDiffersIsNamedByItsMessage) {
  const std::string heavier = LengthDelimited(4, LengthDelimited(1, "red") + VarintField(2, 71));
  EXPECT_THAT(AfterUpgrade(kNewDetails, heavier), IsOkAndHolds(ElementsAre("details")));
  EXPECT_THAT(AfterUpgrade(kNewDetails, kDetails), IsOkAndHolds(ElementsAre("details")));
  EXPECT_THAT(AfterDowngrade(kNewDetails, heavier), IsOkAndHolds(ElementsAre("details")));
}

}  // namespace
}  // namespace hapax
