#include "hapax/interceptors/idempotency/token_policy.h"

#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/support/token_made_at.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using testing::Eq;
using testing::Optional;

// RFC 9562, appendix A.6: Tuesday, February 22, 2022 2:22:22.00 PM GMT-05:00.
constexpr char kUuid[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
const absl::Time kTimeOfUuid = absl::FromUnixMillis(1'645'557'742'000);

TEST(TimeOfToken, C17_IsInAUuidOfVersion7) {
  EXPECT_THAT(TimeOfToken(kUuid), Optional(kTimeOfUuid));
  EXPECT_THAT(TimeOfToken(absl::AsciiStrToUpper(kUuid)), Optional(kTimeOfUuid));
  EXPECT_THAT(TimeOfToken("017F22e2-79B0-7cC3-98c4-Dc0C0c07398f"), Optional(kTimeOfUuid));
}

TEST(TimeOfToken, IsToTheMillisecond) {
  for (const int64_t millis : {int64_t{0}, int64_t{1}, int64_t{0xFFFF}, int64_t{0x10000}, int64_t{1'645'557'742'123},
                               int64_t{0xABCDEF987654}, int64_t{0xFFFFFFFFFFFF}}) {
    const absl::Time made = absl::FromUnixMillis(millis);
    EXPECT_THAT(TimeOfToken(TokenMadeAt(made)), Optional(made)) << millis;
  }
}

TEST(TimeOfToken, EveryVariantOfTheRfcIsTakenAndNoOther) {
  for (const char variant : std::string("0123456789abcdefABCDEF")) {
    std::string uuid = kUuid;
    uuid[19] = variant;
    const bool is_rfc_variant = std::string("89abAB").find(variant) != std::string::npos;
    EXPECT_EQ(TimeOfToken(uuid), is_rfc_variant ? std::optional(kTimeOfUuid) : std::nullopt) << uuid;
  }
}

TEST(TimeOfToken, AnotherVersionTellsNoTime) {
  for (const char version : std::string("012345689abcdef")) {
    std::string uuid = kUuid;
    uuid[14] = version;
    EXPECT_THAT(TimeOfToken(uuid), Eq(std::nullopt)) << uuid;
  }
}

TEST(TimeOfToken, WhatIsAlmostAUuidTellsNoTime) {
  for (const char* token : {
           "",
           "token",
           "017f22e279b07cc398c4dc0c0c07398f",        // No hyphens.
           "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",  // In braces.
           "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
           "017f22e2-79b0-7cc3-98c4-dc0c0c07398",    // One short.
           "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff",  // One long.
           "017f22e279-b0-7cc3-98c4-dc0c0c07398f",   // A hyphen elsewhere.
           "017f22e2_79b0-7cc3-98c4-dc0c0c07398f",
           "g17f22e2-79b0-7cc3-98c4-dc0c0c07398f",  // Not a digit: of the time, ...
           "017f22e2-79bg-7cc3-98c4-dc0c0c07398f",
           "017f22e2-79b0-7gc3-98c4-dc0c0c07398f",  // ... and of what is random.
           "017f22e2-79b0-7cc3-98c4-dc0c0c07398-",
           "017f22e2-79b0-7cc3-98c4-dc0c0c0739\xC3\xA9",
       }) {
    EXPECT_THAT(TimeOfToken(token), Eq(std::nullopt)) << token;
  }
}

TEST(TokenPolicy, C17_ARetentionOfTheMethodsOwnComesFirst) {
  const TokenPolicy policy{.retention = absl::Hours(5)};
  const Method place = MakeMethod(MethodOf<tests::v1::PlaceOrderRequest>("Orders", "PlaceOrder"));
  const Method hasten = MakeMethod(MethodOf<tests::v1::PlaceOrderRequest>("Orders", "HastenOrder"));
  EXPECT_EQ(policy.RetentionOf(*place.rule), absl::Hours(5));
  EXPECT_EQ(policy.RetentionOf(*hasten.rule), absl::Hours(1));
}

TEST(TokenPolicy, C17_TheDefaultIsADayAndThirtyMore) {
  EXPECT_EQ(TokenPolicy().retention, absl::Hours(24));
  EXPECT_EQ(TokenPolicy().tombstone_retention, absl::Hours(720));
}

}  // namespace
}  // namespace hapax
