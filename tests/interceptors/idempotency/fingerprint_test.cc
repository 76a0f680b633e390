#include "hapax/interceptors/idempotency/fingerprint.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/interceptors/idempotency/fingerprint_fixture.h"
#include "hapax/tests/interceptors/wire.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using absl::StatusCode;
using store::v1::Fingerprint;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using tests::v1::PlaceOrderRequest;

PlaceOrderRequest FullRequest() {
  PlaceOrderRequest request;
  request.set_client_token("token");
  request.set_region("east");
  request.set_zone("cellar");
  request.set_item("pencil");
  request.set_quantity(2);
  request.mutable_delivery()->set_address("x");
  (*request.mutable_labels())["k"] = "v";
  request.add_sizes(7);
  request.add_sizes(8);
  request.set_note("");
  return request;
}

// Records hold these digests for good: a change here makes true retries mismatches. They are SHA-256 of
// the bytes, made with another implementation.
TEST_F(FingerprintTest, Version1IsWhatItWas) {
  const std::string wire = FullRequest().SerializeAsString() + kUnknown;
  const Fingerprint fingerprint = MakeFingerprint(method_, Parsed(wire), wire, FingerprintVersions().first(1));
  EXPECT_EQ(fingerprint.version(), 1);
  EXPECT_EQ(absl::BytesToHexString(fingerprint.exact()), "f96022866c589b28b251118b07852001");
  std::map<int, uint64_t> digests;
  for (const auto& field : fingerprint.fields()) {
    digests[field.number()] = field.digest();
    EXPECT_EQ(field.unknown(), field.number() == 100);
  }
  const std::map<int, uint64_t> expected = {
      {3, 0xbe376b448edb4466},    // 1A 06 cellar
      {4, 0x17fdfe93e7de398b},    // 22 06 pencil
      {5, 0x4b0f938dc89d9074},    // 28 02
      {6, 0xb11406f3374d69e1},    // 32 03 0A 01 x
      {7, 0x8de96e162eb02dab},    // 3A 06 0A 01 k 12 01 v
      {8, 0x37c6cd5d8aeea569},    // 42 02 07 08
      {9, 0xee6d335b613d1210},    // 4A 00
      {100, 0x34707c3ce9b824f6},  // A0 06 07
  };
  EXPECT_EQ(digests, expected);
}

TEST_F(FingerprintTest, Version2IsVersion1WhereThereIsNoAny) {
  const std::string wire = FullRequest().SerializeAsString() + kUnknown;
  Fingerprint fingerprint = MakeFingerprint(method_, Parsed(wire), wire, FingerprintVersions().first(2));
  EXPECT_EQ(fingerprint.version(), 2);
  fingerprint.set_version(1);
  EXPECT_EQ(fingerprint.SerializeAsString(),
            MakeFingerprint(method_, Parsed(wire), wire, FingerprintVersions().first(1)).SerializeAsString());
}

TEST_F(FingerprintTest, HoldsNoValues) {
  const std::string bytes = Make(FullRequest().SerializeAsString()).SerializeAsString();
  for (const char* value : {"token", "east", "cellar", "pencil"}) EXPECT_THAT(bytes, Not(HasSubstr(value)));
}

TEST_F(FingerprintTest, C22_EqualBytesAreTheSame) {
  const std::string wire = FullRequest().SerializeAsString() + kUnknown;
  EXPECT_THAT(Differing(wire, wire), AreTheSame());
  EXPECT_THAT(Differing("", ""), AreTheSame());
}

TEST_F(FingerprintTest, C22_AFieldWithPresenceThatIsSetToItsDefaultCounts) {
  EXPECT_THAT(Differing(kItem, kItem + LengthDelimited(9, "")), IsOkAndHolds(ElementsAre("note")));
  EXPECT_THAT(Differing(kItem, kItem + LengthDelimited(6, "")), IsOkAndHolds(ElementsAre("delivery")));
}

TEST_F(FingerprintTest, C22_TheTokenDoesNotCount) {
  const std::string with_token = kToken + kItem;
  EXPECT_THAT(Differing(with_token, kItem), AreTheSame());
  EXPECT_THAT(Differing(kItem, with_token), AreTheSame());
  EXPECT_EQ(Make(with_token).SerializeAsString(), Make(kItem).SerializeAsString());
  EXPECT_EQ(Make(kItem + kToken).exact(), Make(kItem).exact());
}

TEST_F(FingerprintTest, TheRegionDoesNotCountAsItIsPartOfTheScope) {
  EXPECT_THAT(Differing(kRegion + kItem, kItem), AreTheSame());
  EXPECT_THAT(Differing(kItem, kRegion + kItem), AreTheSame());
}

TEST_F(FingerprintTest, C10_EachFieldThatChangesIsNamed) {
  const PlaceOrderRequest then = FullRequest();
  const std::vector<std::pair<std::string, std::function<void(PlaceOrderRequest&)>>> kChanges = {
      {"zone", [](PlaceOrderRequest& now) { now.set_zone("attic"); }},
      {"item", [](PlaceOrderRequest& now) { now.set_item("pen"); }},
      {"item", [](PlaceOrderRequest& now) { now.clear_item(); }},
      {"quantity", [](PlaceOrderRequest& now) { now.set_quantity(3); }},
      {"delivery", [](PlaceOrderRequest& now) { now.mutable_delivery()->set_express(true); }},
      {"delivery", [](PlaceOrderRequest& now) { now.clear_delivery(); }},
      {"labels", [](PlaceOrderRequest& now) { (*now.mutable_labels())["k"] = "w"; }},
      {"sizes", [](PlaceOrderRequest& now) { now.add_sizes(9); }},
      {"sizes", [](PlaceOrderRequest& now) { now.mutable_sizes()->SwapElements(0, 1); }},
      {"note", [](PlaceOrderRequest& now) { now.clear_note(); }},
  };
  for (const auto& [field, change] : kChanges) {
    PlaceOrderRequest now = then;
    change(now);
    EXPECT_THAT(Differing(then.SerializeAsString(), now.SerializeAsString()), IsOkAndHolds(ElementsAre(field)));
    EXPECT_THAT(Differing(now.SerializeAsString(), then.SerializeAsString()), IsOkAndHolds(ElementsAre(field)));
  }
}

TEST_F(FingerprintTest, C10_SeveralFieldsAreNamedInTheOrderOfTheirNumbers) {
  const std::string then = kItem + kQuantity;
  const std::string now = kUnknown + VarintField(8, 7) + LengthDelimited(3, "cellar") + kQuantity;
  EXPECT_THAT(Differing(then, now), IsOkAndHolds(ElementsAre("zone", "item", "sizes", "unknown field 100")));
}

TEST_F(FingerprintTest, C22_UnknownFieldsCount) {
  EXPECT_THAT(Differing(kItem, kItem + kUnknown), IsOkAndHolds(ElementsAre("unknown field 100")));
  EXPECT_THAT(Differing(kItem + kUnknown, kItem), IsOkAndHolds(ElementsAre("unknown field 100")));
  const std::string another = VarintField(100, 8);
  EXPECT_THAT(Differing(kUnknown, another), IsOkAndHolds(ElementsAre("unknown field 100")));
  EXPECT_THAT(Differing(kUnknown + another, another + kUnknown), IsOkAndHolds(ElementsAre("unknown field 100")));
}

// A field with the token's number that cannot be a string is not the token.
TEST_F(FingerprintTest, C22_AnUnknownFieldWithTheNumberOfTheTokenCounts) {
  EXPECT_THAT(Differing(kItem, kItem + VarintField(1, 7)), IsOkAndHolds(ElementsAre("client_token")));
  EXPECT_THAT(Differing(kToken + VarintField(1, 7), VarintField(1, 8)), IsOkAndHolds(ElementsAre("client_token")));
  EXPECT_THAT(Differing(VarintField(1, 7), VarintField(1, 7)), AreTheSame());
}

TEST_F(FingerprintTest, C22_UnknownFieldsOfANestedMessageCount) {
  const std::string plain = LengthDelimited(6, LengthDelimited(1, "x"));
  const std::string with_unknown = LengthDelimited(6, LengthDelimited(1, "x") + kUnknown);
  EXPECT_THAT(Differing(plain, with_unknown), IsOkAndHolds(ElementsAre("delivery")));
  EXPECT_THAT(Differing(kItem + with_unknown, with_unknown + kItem), AreTheSame());
}

// Such a field is unknown to the parser, although its number is not.
TEST_F(FingerprintTest, C22_AFieldOfTheWrongWireTypeCounts) {
  const std::string text_for_quantity = LengthDelimited(5, "2");
  EXPECT_THAT(Differing(kItem, kItem + text_for_quantity), IsOkAndHolds(ElementsAre("quantity")));
  EXPECT_THAT(Differing(kQuantity, kQuantity + text_for_quantity), IsOkAndHolds(ElementsAre("quantity")));
  EXPECT_THAT(Differing(kItem + text_for_quantity, text_for_quantity + kItem), AreTheSame());
}

TEST_F(FingerprintTest, C22_TheCanonicalRequestIsCompared) {
  method_.canonicalize = [](Method::Message* message) {
    auto& request = static_cast<PlaceOrderRequest&>(*message);
    if (request.quantity() == 1) request.clear_quantity();
  };
  EXPECT_THAT(Differing(kItem, kItem + VarintField(5, 1)), AreTheSame());
  EXPECT_THAT(Differing(kItem + VarintField(5, 1), kItem), AreTheSame());
  EXPECT_THAT(Differing(kItem, kItem + kQuantity), IsOkAndHolds(ElementsAre("quantity")));
  EXPECT_THAT(Differing(kItem, kItem + VarintField(5, 1) + kUnknown), IsOkAndHolds(ElementsAre("unknown field 100")));
}

TEST_F(FingerprintTest, TheRequestItselfIsNotMadeCanonical) {
  method_.canonicalize = [](Method::Message* message) { message->Clear(); };
  const PlaceOrderRequest request = FullRequest();
  const std::string before = request.DebugString();
  const Fingerprint fingerprint = MakeFingerprint(method_, request, request.SerializeAsString());
  EXPECT_THAT(fingerprint.fields(), IsEmpty());
  EXPECT_EQ(request.DebugString(), before);
}

TEST_F(FingerprintTest, C22_AnotherVersionIsDataLossAndNeverAMismatch) {
  for (const uint32_t version : {0U, kFingerprintVersion + 1}) {
    Fingerprint then = Make(kItem);
    then.set_version(version);
    EXPECT_THAT(Differing(then, kItem + kQuantity),
                StatusIs(StatusCode::kDataLoss, HasSubstr("version " + std::to_string(version))));
    EXPECT_THAT(Differing(then, kItem + VarintField(5, 0)), StatusIs(StatusCode::kDataLoss));
  }
}

TEST_F(FingerprintTest, C22_EqualBytesAreTheSameInEveryVersion) {
  Fingerprint then = Make(kItem);
  then.set_version(kFingerprintVersion + 1);
  then.clear_fields();
  EXPECT_THAT(Differing(then, kItem), AreTheSame());
}

std::string UnknownFields(int first, int count, uint64_t value) {
  std::string wire;
  for (int number = first; number < first + count; ++number) wire += VarintField(number, value);
  return wire;
}

TEST_F(FingerprintTest, C32_ItDoesNotGrowWithTheNumberOfUnknownFields) {
  const size_t of_few = Make(kItem + UnknownFields(100, kMaxUnknownDigests, 1)).ByteSizeLong();
  const Fingerprint of_many = Make(kItem + UnknownFields(100, 20'000, 1));
  EXPECT_EQ(of_many.fields_size(), kMaxUnknownDigests + 1);
  EXPECT_LE(of_many.ByteSizeLong(), of_few + 16);
  EXPECT_LE(of_few, 1'200);
}

TEST_F(FingerprintTest, C22_UnknownFieldsBeyondThoseWithADigestEachCount) {
  const std::string many = UnknownFields(100, 200, 1);
  EXPECT_THAT(Differing(kItem + many, many + kItem), AreTheSame());
  EXPECT_THAT(Differing(kItem + many, UnknownFields(200, 100, 1) + UnknownFields(100, 100, 1) + kItem), AreTheSame());
  const std::string but_the_last = kItem + UnknownFields(100, 199, 1);
  EXPECT_THAT(Differing(kItem + many, but_the_last), IsOkAndHolds(ElementsAre("other unknown fields")));
  EXPECT_THAT(Differing(kItem + many, but_the_last + VarintField(299, 2)),
              IsOkAndHolds(ElementsAre("other unknown fields")));
  EXPECT_THAT(Differing(kItem + many, kItem + many + VarintField(300, 1)),
              IsOkAndHolds(ElementsAre("other unknown fields")));
  EXPECT_THAT(Differing(kItem + many, kItem + UnknownFields(100, 64, 1)),
              IsOkAndHolds(ElementsAre("other unknown fields")));
  EXPECT_THAT(Differing(kItem + many, kQuantity + UnknownFields(100, 200, 1)),
              IsOkAndHolds(ElementsAre("item", "quantity")));
}

// An earlier server kept a digest of each.
TEST_F(FingerprintTest, C22_ARecordThatListsMoreUnknownFieldsThanAreListedNowIsJudgedTheSame) {
  const std::string many = kItem + UnknownFields(100, 200, 1);
  Fingerprint then;
  then.set_version(1);
  for (const auto& [number, digest] : FingerprintVersions().front().digest_fields(method_, Parsed(many), many)) {
    *then.add_fields() = digest;
  }
  EXPECT_THAT(Differing(then, UnknownFields(100, 200, 1) + kItem), AreTheSame());
  EXPECT_THAT(Differing(then, kItem + UnknownFields(100, 199, 1)), IsOkAndHolds(ElementsAre("unknown field 299")));
}

// Each of these fields differs. One pass over the bytes tells so; one for each field would take minutes.
TEST_F(FingerprintTest, C32_ManyFieldsThatDifferAreFoundInOnePass) {
  const std::string then = UnknownFields(100, 40'000, 1);
  Fingerprint recorded;
  recorded.set_version(1);
  for (const auto& [number, digest] : FingerprintVersions().front().digest_fields(method_, Parsed(then), then)) {
    *recorded.add_fields() = digest;
  }
  const auto differing = Differing(recorded, UnknownFields(100, 40'000, 2));
  ASSERT_THAT(differing, IsOk());
  EXPECT_EQ(differing->size(), 40'000);
}

}  // namespace
}  // namespace hapax
