#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/idempotency/fingerprint.h"
#include "hapax/interceptors/idempotency/fingerprint_versions.h"
#include "hapax/tests/interceptors/idempotency/fingerprint_fixture.h"
#include "hapax/tests/interceptors/wire.h"
#include "hapax/tests/support/status_matchers.h"

// How fingerprints compare what a google.protobuf.Any holds.
namespace hapax {
namespace {

using testing::ElementsAre;

constexpr int kExtra = 10;
const std::string kOrder = "type.googleapis.com/hapax.tests.v1.PlaceOrderRequest";
const std::string kEntryA = MapEntry(7, "a", "1");
const std::string kEntryB = MapEntry(7, "b", "2");

// An Any on the wire.
std::string AnyOf(const std::string& type_url, const std::string& value) {
  return LengthDelimited(1, type_url) + LengthDelimited(2, value);
}

std::string Extra(const std::string& value, const std::string& type_url = kOrder) {
  return LengthDelimited(kExtra, AnyOf(type_url, value));
}

// As another process may build it anew: protobuf puts the entries of a map in any order.
TEST_F(FingerprintTest, C22_AnAnyOfAKnownTypeIsComparedByItsMeaning) {
  EXPECT_THAT(Differing(Extra(kEntryA + kEntryB), Extra(kEntryB + kEntryA)), AreTheSame());
  EXPECT_THAT(Differing(Extra(kItem + kQuantity), Extra(kQuantity + kItem + VarintField(8, 0))),
              IsOkAndHolds(ElementsAre("extra")));
  EXPECT_THAT(Differing(Extra(kItem + kQuantity), Extra(kQuantity + kItem + LengthDelimited(3, ""))), AreTheSame());
  EXPECT_THAT(Differing(Extra(kEntryA + kEntryB), Extra(kEntryA)), IsOkAndHolds(ElementsAre("extra")));
  EXPECT_THAT(Differing(Extra(kItem + kUnknown), Extra(kUnknown + kItem)), AreTheSame());
  EXPECT_THAT(Differing(Extra(kItem + kUnknown), Extra(kItem)), IsOkAndHolds(ElementsAre("extra")));
}

TEST_F(FingerprintTest, C22_AnAnyIsComparedByItsMeaningWhereverItStands) {
  const auto in_map = [](const std::string& value) {
    return LengthDelimited(11, LengthDelimited(1, "key") + LengthDelimited(2, AnyOf(kOrder, value)));
  };
  EXPECT_THAT(Differing(in_map(kEntryA + kEntryB), in_map(kEntryB + kEntryA)), AreTheSame());
  EXPECT_THAT(Differing(in_map(kEntryA + kEntryB), in_map(kEntryB)), IsOkAndHolds(ElementsAre("extras")));
  // In an Any's Any, and in a message of an Any.
  const auto nested = [](const std::string& value) {
    return Extra(AnyOf(kOrder, Extra(value)), "type.googleapis.com/google.protobuf.Any");
  };
  EXPECT_THAT(Differing(nested(kEntryA + kEntryB), nested(kEntryB + kEntryA)), AreTheSame());
  EXPECT_THAT(Differing(nested(kEntryA + kEntryB), nested(kEntryB)), IsOkAndHolds(ElementsAre("extra")));
}

TEST_F(FingerprintTest, C22_TheTypeOfAnAnyIsItsNameBehindTheLastSlash) {
  const std::string elsewhere = "types.example.com/v2/hapax.tests.v1.PlaceOrderRequest";
  EXPECT_THAT(Differing(Extra(kItem), Extra(kItem, elsewhere)), AreTheSame());
  EXPECT_THAT(Differing(Extra(""), Extra("", "type.googleapis.com/hapax.tests.v1.Delivery")),
              IsOkAndHolds(ElementsAre("extra")));
  // Without one nobody can unpack it.
  EXPECT_THAT(Differing(Extra(kItem), Extra(kItem, "hapax.tests.v1.PlaceOrderRequest")),
              IsOkAndHolds(ElementsAre("extra")));
}

TEST_F(FingerprintTest, C22_AnAnyThatCannotBeReadIsComparedByItsBytes) {
  for (const std::string& type_url : {std::string("type.googleapis.com/no.such.Type"), std::string("no slash"),
                                      kOrder + ".LabelsEntry", std::string(), std::string("/"), kOrder}) {
    const std::string broken = type_url == kOrder ? "ÿ" : "";
    EXPECT_THAT(
        Differing(Extra(kEntryA + kEntryB + broken, type_url), kItem + Extra(kEntryB + kEntryA + broken, type_url)),
        IsOkAndHolds(ElementsAre("item", "extra")));
    EXPECT_THAT(Differing(kItem + Extra(kEntryA + kEntryB + broken, type_url),
                          Extra(kEntryA + kEntryB + broken, type_url) + kItem),
                AreTheSame());
  }
}

// Every level is parsed once more, so there is an end to it.
TEST_F(FingerprintTest, C32_AnysAreReadEightDeep) {
  std::string then = kEntryA + kEntryB;
  std::string now = kEntryB + kEntryA;
  for (int levels = 1; levels <= 10; ++levels) {
    const bool is_read = levels <= 8;
    EXPECT_EQ(Differing(Extra(then), Extra(now)).value().empty(), is_read) << levels;
    EXPECT_THAT(Differing(Extra(then), kQuantity + Extra(then)), IsOkAndHolds(ElementsAre("quantity"))) << levels;
    then = Extra(then);
    now = Extra(now);
  }
}

TEST_F(FingerprintTest, C22_ARecordOfVersion1ComparesAnAnyByItsBytes) {
  const std::string wire = kItem + Extra(kEntryA + kEntryB);
  const Fingerprint then = MakeFingerprint(method_, Parsed(wire), wire, FingerprintVersions().first(1));
  EXPECT_THAT(Differing(then, Extra(kEntryA + kEntryB) + kItem), AreTheSame());
  EXPECT_THAT(Differing(then, Extra(kEntryB + kEntryA) + kItem), IsOkAndHolds(ElementsAre("extra")));
}

// What the record says of an Any is what a server says that does not know its type.
TEST_F(FingerprintTest, C22_AnAnyWhoseTypeTheServerLearnedMeanwhileIsTheSame) {
  const std::string extra = Extra(kEntryB + kEntryA);
  Fingerprint then = Make(kItem + extra);
  then.mutable_fields(1)->set_digest(FingerprintVersions().back().digest_raw(extra));
  EXPECT_THAT(Differing(then, extra + kItem), AreTheSame());
  EXPECT_THAT(Differing(then, extra + kQuantity), IsOkAndHolds(ElementsAre("item", "quantity")));
  EXPECT_THAT(Differing(then, Extra(kEntryB) + kItem), IsOkAndHolds(ElementsAre("extra")));
}

}  // namespace
}  // namespace hapax
