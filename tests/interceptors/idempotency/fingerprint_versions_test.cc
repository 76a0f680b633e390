#include "hapax/interceptors/idempotency/fingerprint_versions.h"

#include <cctype>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/idempotency/canonical.h"
#include "hapax/interceptors/idempotency/fingerprint.h"
#include "hapax/tests/interceptors/wire.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

// A server that knows more than one version of the algorithm (C22): here one with an invented version in place of 2.
namespace hapax {
namespace {

using absl::StatusCode;
using store::v1::FieldDigest;
using store::v1::Fingerprint;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::v1::PlaceOrderRequest;

// Version 2 finds no difference between upper and lower case, and none in `quantity`.
constexpr int kQuantity = 5;
uint64_t DigestV2(std::string_view encoded) {
  uint64_t digest = 14'695'981'039'346'656'037ULL;
  for (const char c : encoded) digest = (digest ^ static_cast<unsigned char>(std::tolower(c))) * 1'099'511'628'211ULL;
  return digest;
}
std::map<int, FieldDigest> DigestFieldsV2(const Method& method, const google::protobuf::Message& request,
                                          std::string_view bytes) {
  auto digests = FingerprintVersions().front().digest_fields(method, request, bytes);
  digests.erase(kQuantity);
  for (auto& [number, digest] : digests) {
    std::string encoded;
    ForEachWireField(bytes, [&, wanted = number](int at, std::string_view field) {
      if (at == wanted) encoded += field;
    });
    digest.set_digest(DigestV2(encoded));
  }
  return digests;
}

const FingerprintVersion kV1 = FingerprintVersions().front();
const FingerprintVersion kV2 = {
    .number = 2, .digest_fields = DigestFieldsV2, .digest_field = nullptr, .digest_raw = DigestV2};
const std::vector<FingerprintVersion> kOldServer = {kV1};
const std::vector<FingerprintVersion> kNewServer = {kV1, kV2};
const std::vector<FingerprintVersion> kServerWithoutV1 = {kV2};

const std::string kItem = LengthDelimited(4, "pencil");
const std::string kItemInCapitals = LengthDelimited(4, "PENCIL");
const std::string kTwo = VarintField(kQuantity, 2);
const std::string kThree = VarintField(kQuantity, 3);
const std::string kUnknown = LengthDelimited(100, "x");

class FingerprintVersionsTest : public testing::Test {
 protected:
  static PlaceOrderRequest Parsed(const std::string& wire) {
    PlaceOrderRequest request;
    EXPECT_TRUE(request.ParseFromString(wire));
    return request;
  }
  Fingerprint Make(const std::string& wire, const std::vector<FingerprintVersion>& server) const {
    return MakeFingerprint(method_, Parsed(wire), wire, server);
  }
  absl::StatusOr<std::vector<std::string>> Differing(const Fingerprint& recorded, const std::string& now,
                                                     const std::vector<FingerprintVersion>& server) const {
    return DifferingFields(recorded, method_, Parsed(now), now, server);
  }

  const Method method_ = MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "PlaceOrder"));
};

TEST_F(FingerprintVersionsTest, ThisServersNewestIsTheLast) {
  EXPECT_EQ(FingerprintVersions().back().number, kFingerprintVersion);
  for (size_t i = 0; i < FingerprintVersions().size(); ++i) EXPECT_EQ(FingerprintVersions()[i].number, i + 1);
}

TEST_F(FingerprintVersionsTest, NewFingerprintsAreOfTheNewestVersion) {
  EXPECT_EQ(Make(kItem, kOldServer).version(), 1);
  EXPECT_EQ(Make(kItem, kNewServer).version(), 2);
  EXPECT_NE(Make(kItem, kNewServer).fields(0).digest(), Make(kItem, kOldServer).fields(0).digest());
}

TEST_F(FingerprintVersionsTest, C22_ARecordOfVersion1IsJudgedByVersion1) {
  const Fingerprint recorded = Make(kItem + kTwo + kUnknown, kOldServer);
  EXPECT_THAT(Differing(recorded, kUnknown + kTwo + kItem, kNewServer), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(Differing(recorded, kItemInCapitals + kTwo + kUnknown, kNewServer), IsOkAndHolds(ElementsAre("item")));
  EXPECT_THAT(Differing(recorded, kItem + kThree + kUnknown, kNewServer), IsOkAndHolds(ElementsAre("quantity")));
}

TEST_F(FingerprintVersionsTest, C22_ARecordOfVersion2IsJudgedByVersion2) {
  const Fingerprint recorded = Make(kItem + kTwo + kUnknown, kNewServer);
  EXPECT_THAT(Differing(recorded, kUnknown + kThree + kItemInCapitals, kNewServer), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(Differing(recorded, kTwo + kUnknown, kNewServer), IsOkAndHolds(ElementsAre("item")));
}

// A field that the server learned meanwhile is compared by the bytes, as the recorded version digested them.
TEST_F(FingerprintVersionsTest, C22_AFieldThatWasUnknownThenIsJudgedByTheRecordedVersion) {
  for (const auto& server : {kOldServer, kNewServer}) {
    const std::string sizes = VarintField(8, 7) + VarintField(8, 8);  // Not packed: not as its canonical form.
    Fingerprint recorded = Make(kItem + sizes, server);
    FieldDigest& digest = *recorded.mutable_fields(1);
    ASSERT_EQ(digest.number(), 8);
    digest.set_unknown(true);
    digest.set_digest(server.back().digest_raw(sizes));
    EXPECT_THAT(Differing(recorded, sizes + kItem, kNewServer), IsOkAndHolds(IsEmpty()));
    EXPECT_THAT(Differing(recorded, kItem + VarintField(8, 7), kNewServer), IsOkAndHolds(ElementsAre("sizes")));
  }
}

TEST_F(FingerprintVersionsTest, C18_AVersionThatTheServerDoesNotKnowIsDataLoss) {
  const Fingerprint of_v1 = Make(kItem + kTwo, kOldServer);
  const Fingerprint of_v2 = Make(kItem + kTwo, kNewServer);
  EXPECT_THAT(Differing(of_v2, kTwo + kItem, kOldServer), StatusIs(StatusCode::kDataLoss, HasSubstr("version 2")));
  EXPECT_THAT(Differing(of_v1, kTwo + kItem, kServerWithoutV1),
              StatusIs(StatusCode::kDataLoss, HasSubstr("version 1")));
}

TEST_F(FingerprintVersionsTest, C22_EqualBytesAreTheSameWhateverTheVersion) {
  const Fingerprint of_v1 = Make(kItem + kTwo, kOldServer);
  const Fingerprint of_v2 = Make(kItem + kTwo, kNewServer);
  EXPECT_EQ(of_v1.exact(), of_v2.exact());
  EXPECT_THAT(Differing(of_v2, kItem + kTwo, kOldServer), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(Differing(of_v1, kItem + kTwo, kServerWithoutV1), IsOkAndHolds(IsEmpty()));
}

}  // namespace
}  // namespace hapax
