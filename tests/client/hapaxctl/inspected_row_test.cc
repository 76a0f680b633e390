#include "hapax/client/hapaxctl/output/inspected_row.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/compute/v1/resources.pb.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/storage/format.h"
#include "hapax/storage/key.h"
#include "hapax/storage/service_table.h"
#include "hapax/store/v1/compute.pb.h"
#include "hapax/store/v1/work.pb.h"

namespace hapax::ctl {
namespace {

using hapaxctl::v1::InspectedRow;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kTokenKey = EncodeTokenKey({.tenant = "team", .region = "home", .zone = "", .token = "t-1"});

store::v1::TokenRecord Record() {
  store::v1::TokenRecord record;
  record.set_method("a.v1.S/Call");
  record.set_reply("a reply that is nobody's business");
  record.mutable_sealed_reply()->set_key_id("key-1");
  record.mutable_sealed_reply()->set_nonce("nonce");
  record.mutable_sealed_reply()->set_ciphertext("ciphertext");
  record.mutable_fingerprint()->set_version(1);
  record.mutable_fingerprint()->set_exact("digest");
  return record;
}

TEST(InspectRow, ATokenIsShownByItsScopeAndWithoutWhatItsReplySays) {
  const InspectedRow row = InspectRow(Table::kTokens, kTokenKey, EncodeRow(kTokenKey, Record()));
  EXPECT_EQ(row.table(), "tokens");
  EXPECT_THAT(row.elements(), ElementsAre("team", "home", "", "t-1"));
  EXPECT_EQ(row.condition(), "sound");
  store::v1::TokenRecord shown;
  ASSERT_TRUE(row.value().UnpackTo(&shown));
  EXPECT_EQ(shown.method(), "a.v1.S/Call");
  EXPECT_EQ(shown.sealed_reply().key_id(), "key-1");
  for (const char* secret : {"business", "nonce", "ciphertext", "digest"}) {
    EXPECT_EQ(row.SerializeAsString().find(secret), std::string::npos) << secret;
  }
}

TEST(InspectRow, AMethodsRuleIsShownByItsName) {
  const std::string key = KeyBuilder().String("rule").String("a.v1.S/Call").Build();
  store::v1::RuleRow rule;
  rule.set_default_region("home");
  const InspectedRow row = InspectRow(Table::kMeta, key, EncodeRow(key, rule));
  EXPECT_THAT(row.elements(), ElementsAre("rule", "a.v1.S/Call"));
  store::v1::RuleRow shown;
  ASSERT_TRUE(row.value().UnpackTo(&shown));
  EXPECT_EQ(shown.default_region(), "home");
}

TEST(InspectRow, EveryDamagedByteIsFoundAndNothingOfTheValueShown) {
  const std::string sound = EncodeRow(kTokenKey, Record());
  for (size_t at = 0; at < sound.size(); ++at) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    const InspectedRow row = InspectRow(Table::kTokens, kTokenKey, damaged);
    EXPECT_EQ(row.condition(), "damaged") << at;
    EXPECT_NE(row.damage(), "") << at;
    EXPECT_FALSE(row.has_value()) << at;
    EXPECT_THAT(row.elements(), ElementsAre("team", "home", "", "t-1"));
  }
}

TEST(InspectRow, AKeyThatCannotBeTakenApartIsShownAsFarAsItCan) {
  const InspectedRow row = InspectRow(Table::kTokens, KeyBuilder().String("team").Build() + "half", "x");
  EXPECT_EQ(row.condition(), "damaged");
  EXPECT_THAT(row.elements(), ElementsAre("team", "68616c66"));
}

TEST(InspectRow, AServicesRowIsCheckedUnderTheServicesOwnKey) {
  const std::string key = KeyBuilder().String("i").String("team").String("i-1").Build();
  store::v1::InstanceRow instance;
  instance.mutable_instance()->set_instance_id("i-1");
  const std::string value = EncodeRow(key, instance);
  const InspectedRow row = InspectRow(Table::kResources, ServiceTablePrefix("hapax.compute.v1.Compute") + key, value);
  EXPECT_EQ(row.condition(), "sound");
  EXPECT_THAT(row.elements(), ElementsAre("hapax.compute.v1.Compute", "i", "team", "i-1"));
  store::v1::InstanceRow shown;
  ASSERT_TRUE(row.value().UnpackTo(&shown));
  EXPECT_EQ(shown.instance().instance_id(), "i-1");
  // The same bytes at another's key.
  const std::string other = KeyBuilder().String("i").String("team").String("i-2").Build();
  EXPECT_EQ(InspectRow(Table::kResources, ServiceTablePrefix("hapax.compute.v1.Compute") + other, value).condition(),
            "damaged");
}

TEST(InspectRow, AnotherServicesRowIsCheckedWithoutItsMessageAndItsOwnValuesAreItsOwn) {
  const std::string prefix = ServiceTablePrefix("payments.v1.Payments");
  store::v1::WorkRecord any;
  any.set_kind("any");
  std::string value = EncodeRow("key", any);
  InspectedRow row = InspectRow(Table::kResources, prefix + "key", value);
  EXPECT_EQ(row.condition(), "sound");
  EXPECT_FALSE(row.has_value());
  value.back() ^= 1;
  EXPECT_EQ(InspectRow(Table::kResources, prefix + "key", value).condition(), "damaged");
  EXPECT_EQ(InspectRow(Table::kResources, prefix + "key", "17").condition(), "opaque");
}

TEST(InspectRow, TheDirectorysSecretIsNotShown) {
  const InspectedRow row = InspectRow(Table::kMeta, kLogIdKey, "0123456789abcdef");
  EXPECT_EQ(row.condition(), "sound");
  EXPECT_EQ(row.SerializeAsString().find("0123456789abcdef"), std::string::npos);
}

TEST(InspectRow, WorkIsShownWithItsKind) {
  const std::string key = KeyBuilder().Uint64(7).Uint64(8).Build();
  store::v1::WorkRecord record;
  record.set_kind("compute.boot");
  const InspectedRow row = InspectRow(Table::kWork, key, EncodeRow(key, record));
  EXPECT_THAT(row.elements(), ElementsAre("7", "8"));
  store::v1::WorkRecord shown;
  ASSERT_TRUE(row.value().UnpackTo(&shown));
  EXPECT_EQ(shown.kind(), "compute.boot");
}

TEST(MeaningOfDropping, OfATokenItIsThatItExecutesAgain) {
  EXPECT_THAT(MeaningOfDropping(InspectRow(Table::kTokens, kTokenKey, "")), HasSubstr("executes AGAIN"));
}

}  // namespace
}  // namespace hapax::ctl
