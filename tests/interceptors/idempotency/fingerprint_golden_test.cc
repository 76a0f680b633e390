#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/idempotency/fingerprint.h"
#include "hapax/tests/interceptors/durable_chain.h"
#include "hapax/tests/interceptors/idempotency/golden_records.h"
#include "hapax/tests/interceptors/wire.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/evolution.pb.h"

// Records of each version, as a server wrote them into its data directory, and today's server (C22).
namespace hapax {
namespace {

using testing::Eq;
using testing::SizeIs;
using tests::v1::OldRequest;
using tests::v1::PlaceOrderRequest;

std::vector<GoldenRecord> OrdersOfVersion1() { return ReadGoldenRecords(HAPAX_GOLDEN_DIR "/orders_v1.txt"); }
std::vector<GoldenRecord> OrdersOfVersion2() { return ReadGoldenRecords(HAPAX_GOLDEN_DIR "/orders_v2.txt"); }
std::vector<GoldenRecord> OldRequestsOfVersion1() { return ReadGoldenRecords(HAPAX_GOLDEN_DIR "/evolution_v1.txt"); }

class FingerprintGoldenTest : public DurableChainTest {
 protected:
  // Today's server, with that record in its store.
  void Take(const GoldenRecord& golden) {
    clock_.Set(FromTimestamp(golden.record.executed_at()) + absl::Hours(1));
    const Method& method = service_.place_order();
    tests::v1::PlaceOrderRequest request;
    ASSERT_TRUE(request.ParseFromString(golden.request));
    const auto place = method.rule->ResolvePlace(request, kDefaultRegion).value();
    PutRecord({.tenant = "default", .region = place.region, .zone = place.zone, .token = golden.name}, golden.record);
  }

  const Method old_ = MakeMethod(MethodOf<OldRequest>("Evolution", "Old"));
  const Method new_ = MakeMethod(MethodOf<OldRequest>("Evolution", "New"));
};

TEST_F(FingerprintGoldenTest, C22_TheRecordsAreOfVersion1) {
  EXPECT_THAT(OrdersOfVersion1(), SizeIs(8));
  for (const auto& golden : OrdersOfVersion1()) EXPECT_EQ(golden.record.fingerprint().version(), 1) << golden.name;
  EXPECT_THAT(OldRequestsOfVersion1(), SizeIs(3));
  for (const auto& golden : OldRequestsOfVersion1()) EXPECT_EQ(golden.record.fingerprint().version(), 1);
}

TEST_F(FingerprintGoldenTest, C22_TheRecordsAreOfVersion2) {
  EXPECT_THAT(OrdersOfVersion2(), SizeIs(18));
  for (const auto& golden : OrdersOfVersion2()) EXPECT_EQ(golden.record.fingerprint().version(), 2) << golden.name;
}

TEST_F(FingerprintGoldenTest, C22_Version2IsMadeAsItWas) {
  PlaceOrderRequest item;
  item.set_item("pencil");
  PlaceOrderRequest delivery;
  delivery.mutable_delivery()->set_carrier("post");
  delivery.mutable_delivery()->set_door("back");
  for (const GoldenRecord& golden : OrdersOfVersion2()) {
    SCOPED_TRACE(golden.name);
    const bool has_default_item = golden.name == "default-left-out" || golden.name == "default-spelled-out";
    const bool has_default_delivery = golden.name == "defaults-in-a-message";
    const PlaceOrderRequest* const defaults = has_default_item ? &item : has_default_delivery ? &delivery : nullptr;
    ExpectMadeTheSame(golden, service_.place_order(), defaults);
  }
}

TEST_F(FingerprintGoldenTest, C22_Version1IsMadeAsItWas) {
  for (const GoldenRecord& golden : OrdersOfVersion1()) ExpectMadeTheSame(golden, service_.place_order());
  for (const GoldenRecord& golden : OldRequestsOfVersion1()) ExpectMadeTheSame(golden, old_);
}

TEST_F(FingerprintGoldenTest, C22_ATrueRetryIsTheSameInAnyEncoding) {
  for (const auto& records : {OrdersOfVersion1(), OrdersOfVersion2()}) {
    for (const GoldenRecord& golden : records) {
      SCOPED_TRACE(golden.name);
      ExpectRetryIsTheSame(golden, service_.place_order());
    }
  }
}

TEST_F(FingerprintGoldenTest, C22_ARetryMaySayWhatADefaultWas) {
  PlaceOrderRequest request;
  request.set_quantity(2);
  for (const GoldenRecord& golden : OrdersOfVersion2()) {
    if (golden.name != "default-left-out" && golden.name != "default-spelled-out") continue;
    SCOPED_TRACE(golden.name);
    for (const auto& [item, result] : {std::pair("", "replayed"), std::pair("pencil", "replayed"),
                                       std::pair("pen", "IDEMPOTENT_PARAMETER_MISMATCH")}) {
      Take(golden);
      request.set_client_token(golden.name);
      request.set_item(item);
      EXPECT_EQ(chain_->Call(service_.place_order(), request).result, result) << item;
    }
  }
}

TEST_F(FingerprintGoldenTest, C10_AChangedParameterIsNamed) {
  for (const GoldenRecord& golden : OrdersOfVersion1()) {
    SCOPED_TRACE(golden.name);
    if (golden.name != "defaults") ExpectEachFieldCounts(golden, service_.place_order());
  }
  for (const GoldenRecord& golden : OrdersOfVersion2()) {
    SCOPED_TRACE(golden.name);
    // What may be left out, or is known by one digest for many, counts otherwise.
    if (golden.name == "default-spelled-out" || golden.name == "many-unknown") continue;
    ExpectEachFieldCounts(golden, service_.place_order());
  }
}

TEST_F(FingerprintGoldenTest, C22_TheServerThatKnowsMoreFieldsJudgesTheSame) {
  for (const GoldenRecord& golden : OldRequestsOfVersion1()) {
    SCOPED_TRACE(golden.name);
    for (const Method* method : {&old_, &new_}) {
      EXPECT_THAT(golden.method, Eq(old_.name));
      ExpectEachFieldCounts(golden, *method);
    }
    ExpectRetryIsTheSame(golden, old_);
  }
}

TEST_F(FingerprintGoldenTest, C9_TheChainRepliesWithWhatTheEarlierServerRecorded) {
  for (const GoldenRecord& golden : OrdersOfVersion1()) {
    SCOPED_TRACE(golden.name);
    Take(golden);
    FakeCall retry(service_.place_order(), golden.request);
    const Answer answer = chain_->Call(retry);
    EXPECT_EQ(answer.result, "replayed");
    EXPECT_EQ(answer.bytes, "the reply of " + golden.name);
    FakeCall other(service_.place_order(), golden.request + LengthDelimited(4, "something else"));
    EXPECT_THAT(chain_->Call(other).status, HasReason(Reason::kIdempotentParameterMismatch));
  }
  EXPECT_EQ(service_.runs(), 0);
}

TEST_F(FingerprintGoldenTest, C17_TheTimesAreThoseOfTheRecord) {
  const GoldenRecord golden = OrdersOfVersion1().front();
  Take(golden);
  clock_.Set(FromTimestamp(golden.record.expires_at()));
  EXPECT_EQ(Place("pencil", golden.name).result, "CLIENT_TOKEN_EXPIRED");
  clock_.Set(FromTimestamp(golden.record.forget_at()));
  EXPECT_EQ(Place("pencil", golden.name).result, "executed");
}

}  // namespace
}  // namespace hapax
