#include "hapax/interceptors/idempotency/resolved_fields.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/idempotency/fingerprint.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using store::v1::Fingerprint;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using tests::v1::PlaceOrderRequest;

PlaceOrderRequest FromText(const std::string& text) {
  PlaceOrderRequest request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
  return request;
}

class ResolvedFieldsTest : public testing::Test {
 protected:
  // What a first attempt leaves on record for which the handler recorded these defaults.
  Fingerprint Record(const std::string& first, const std::string& defaults) {
    const PlaceOrderRequest request = FromText(first);
    Fingerprint recorded = MakeFingerprint(method_, request, request.SerializeAsString());
    AddResolvedFields(method_, request, FromText(defaults), &recorded);
    return recorded;
  }

  // The fields in which the retry differs.
  std::vector<std::string> Differing(const Fingerprint& recorded, const std::string& retry) {
    const PlaceOrderRequest request = FromText(retry);
    auto differing = DifferingFields(recorded, method_, request, request.SerializeAsString());
    EXPECT_THAT(differing, IsOk());
    return *std::move(differing);
  }
  std::vector<std::string> Differing(const std::string& first, const std::string& defaults, const std::string& retry) {
    return Differing(Record(first, defaults), retry);
  }

  Method method_ = MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "PlaceOrder"));
};

TEST_F(ResolvedFieldsTest, C22_ARetryMaySpellADefaultOut) {
  const Fingerprint recorded = Record("quantity: 2", "item: 'pencil'");
  EXPECT_THAT(Differing(recorded, "quantity: 2"), IsEmpty());
  EXPECT_THAT(Differing(recorded, "quantity: 2 item: 'pencil'"), IsEmpty());
  EXPECT_THAT(Differing(recorded, "quantity: 2 item: 'pen'"), ElementsAre("item"));
}

// What an unset field means may hang on another.
TEST_F(ResolvedFieldsTest, C10_ADefaultHoldsAsLongAsTheOtherFieldsAreTheSame) {
  const Fingerprint recorded = Record("quantity: 2", "item: 'pencil'");
  EXPECT_THAT(Differing(recorded, "quantity: 3"), ElementsAre("quantity"));
  EXPECT_THAT(Differing(recorded, "quantity: 3 item: 'pencil'"), ElementsAre("item", "quantity"));
}

TEST_F(ResolvedFieldsTest, C22_ARetryMayLeaveOutWhatSpelledADefault) {
  const Fingerprint recorded = Record("quantity: 2 item: 'pencil'", "item: 'pencil'");
  EXPECT_THAT(Differing(recorded, "quantity: 2"), IsEmpty());
  EXPECT_THAT(Differing(recorded, "quantity: 2 item: 'pencil'"), IsEmpty());
  EXPECT_THAT(Differing(recorded, "quantity: 2 item: 'pen'"), ElementsAre("item"));
}

TEST_F(ResolvedFieldsTest, C10_AValueThatIsNoDefaultIsNotLeftOut) {
  const Fingerprint recorded = Record("item: 'pen'", "item: 'pencil'");
  EXPECT_THAT(recorded.resolved(), IsEmpty());
  EXPECT_THAT(Differing(recorded, ""), ElementsAre("item"));
  EXPECT_THAT(Differing(recorded, "item: 'pencil'"), ElementsAre("item"));
}

TEST_F(ResolvedFieldsTest, C22_ADefaultMayBeOfAnyKind) {
  for (const char* field : {"quantity: 7", "note: ''", "labels { key: 'a' value: '1' } labels { key: 'b' value: '2' }",
                            "sizes: [1, 2]", "due { seconds: 5 nanos: 3 }", "card: '1'", "delivery { express: true }",
                            "extra { [type.googleapis.com/hapax.tests.v1.Delivery] { express: true } }"}) {
    SCOPED_TRACE(field);
    EXPECT_THAT(Differing("", field, field), IsEmpty());
    EXPECT_THAT(Differing(field, field, ""), IsEmpty());
    EXPECT_THAT(Differing("", "", field), Not(IsEmpty()));
    EXPECT_THAT(Differing(field, "", ""), Not(IsEmpty()));
  }
}

TEST_F(ResolvedFieldsTest, C22_InAMessageEachFieldHasItsOwnDefault) {
  const std::string defaults = "delivery { carrier: 'post' door: 'front' }";
  const Fingerprint recorded = Record("delivery { address: 'x' }", defaults);
  EXPECT_THAT(Differing(recorded, "delivery { address: 'x' }"), IsEmpty());
  EXPECT_THAT(Differing(recorded, "delivery { address: 'x' carrier: 'post' }"), IsEmpty());
  EXPECT_THAT(Differing(recorded, "delivery { address: 'x' door: 'front' }"), IsEmpty());
  EXPECT_THAT(Differing(recorded, "delivery { address: 'x' carrier: 'post' door: 'front' }"), IsEmpty());
  EXPECT_THAT(Differing(recorded, "delivery { address: 'x' carrier: 'bike' }"), ElementsAre("delivery"));
  EXPECT_THAT(Differing(recorded, "delivery { address: 'y' carrier: 'post' }"), ElementsAre("delivery"));
  EXPECT_THAT(Differing(recorded, "delivery { carrier: 'post' }"), ElementsAre("delivery"));
  EXPECT_THAT(Differing(recorded, ""), ElementsAre("delivery"));
}

TEST_F(ResolvedFieldsTest, C22_InAMessageEachFieldMayBeLeftOutThatSpelledItsDefault) {
  const std::string defaults = "delivery { carrier: 'post' door: 'front' }";
  const Fingerprint recorded = Record("delivery { address: 'x' carrier: 'post' }", defaults);
  EXPECT_THAT(Differing(recorded, "delivery { address: 'x' }"), IsEmpty());
  EXPECT_THAT(Differing(recorded, "delivery { address: 'x' door: 'front' }"), IsEmpty());
  EXPECT_THAT(Differing(recorded, "delivery { address: 'x' carrier: 'post' door: 'front' }"), IsEmpty());
  EXPECT_THAT(Differing(recorded, "delivery { address: 'x' carrier: 'bike' }"), ElementsAre("delivery"));
  // What is left has nothing that the default has not.
  EXPECT_THAT(Differing("delivery { carrier: 'post' }", defaults, ""), IsEmpty());
}

// Five seconds are no five seconds and three nanoseconds, though its nanoseconds are unset.
TEST_F(ResolvedFieldsTest, C10_AValueOfItsOwnIsADefaultAsAWhole) {
  const std::string defaults = "due { seconds: 5 nanos: 3 }";
  EXPECT_THAT(Differing("due { seconds: 5 }", defaults, "due { seconds: 5 nanos: 3 }"), ElementsAre("due"));
  EXPECT_THAT(Differing("due { nanos: 3 }", defaults, ""), ElementsAre("due"));
  EXPECT_THAT(Differing("", defaults, "due { seconds: 5 }"), ElementsAre("due"));
}

TEST_F(ResolvedFieldsTest, C10_OfAOneofWithAnotherFieldThereIsNoDefault) {
  const Fingerprint recorded = Record("account: 'a'", "card: '1'");
  EXPECT_THAT(recorded.resolved(), IsEmpty());
  EXPECT_THAT(Differing(recorded, "card: '1'"), ElementsAre("card", "account"));
}

TEST_F(ResolvedFieldsTest, ScopeAndTokenHaveNone) {
  EXPECT_THAT(Record("", "client_token: 't' region: 'east'").resolved(), IsEmpty());
}

// A zone that is implied by another field, say.
TEST_F(ResolvedFieldsTest, C22_DefaultsAreComparedInCanonicalForm) {
  method_.canonicalize = [](Method::Message* message) {
    auto& request = static_cast<PlaceOrderRequest&>(*message);
    if (request.quantity() == 1) request.clear_quantity();
    if (!request.has_delivery()) return;
    tests::v1::Delivery& delivery = *request.mutable_delivery();
    if (!delivery.door().empty()) delivery.clear_express();  // A door makes it express.
    if (delivery.carrier() == "none") delivery.clear_carrier();
    if (delivery.ByteSizeLong() == 0) request.clear_delivery();
  };
  const std::string defaults = "delivery { door: 'back' }";
  const Fingerprint recorded = Record("quantity: 1 delivery { express: true }", defaults);
  EXPECT_THAT(Differing(recorded, "delivery { express: true door: 'back' }"), IsEmpty());
  EXPECT_THAT(Differing(recorded, "delivery { door: 'back' }"), IsEmpty());
  EXPECT_THAT(Differing(recorded, "delivery { door: 'front' }"), ElementsAre("delivery"));
  EXPECT_THAT(Differing(recorded, ""), ElementsAre("delivery"));
  EXPECT_THAT(Differing("delivery { carrier: 'none' }", defaults, "delivery { door: 'back' }"), IsEmpty());
  EXPECT_THAT(Differing("delivery { door: 'back' carrier: 'none' }", defaults, ""), IsEmpty());
}

TEST_F(ResolvedFieldsTest, C32_OfManyDefaultsInAFieldNotAllAreCombined) {
  const std::string defaults = "delivery { address: 'x' express: true carrier: 'post' door: 'front' }";
  const Fingerprint recorded = Record("delivery { address: 'x' }", defaults);
  ASSERT_THAT(recorded.resolved(), SizeIs(1));
  EXPECT_LE(recorded.resolved(0).digests_size(), 5);
  EXPECT_THAT(Differing(recorded, defaults), IsEmpty());
  EXPECT_THAT(Differing(recorded, "delivery { address: 'x' express: true }"), IsEmpty());
  EXPECT_THAT(Differing(recorded, "delivery { address: 'x' carrier: 'post' }"), IsEmpty());
  EXPECT_THAT(Differing(recorded, ""), IsEmpty());
  EXPECT_THAT(Differing(recorded, "delivery { address: 'x' carrier: 'post' door: 'front' }"), ElementsAre("delivery"));
}

TEST_F(ResolvedFieldsTest, C22_TheRecordHoldsNoValues) {
  const std::string bytes = Record("item: 'pencil'", "item: 'pencil' zone: 'cellar'").SerializeAsString();
  for (const char* value : {"pencil", "cellar"}) EXPECT_THAT(bytes, Not(testing::HasSubstr(value)));
}

}  // namespace
}  // namespace hapax
