#include "hapax/server/doors/ec2/access_keys.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/server/doors/ec2/signed_requests.h"

namespace hapax::ec2 {
namespace {

const std::string kMasterLine = absl::StrCat("master ", kMaster, "\n");

TEST(AccessKeys, SecretsAreDerivedFromTheMasterAbove) {
  const std::string other(64, 'a');
  const auto keys = AccessKeys::Parse(absl::StrCat("# comment\n", kMasterLine, "\nteam-a write ", kAccessKeyId,
                                                   "\nmaster ", other, "\r\nteam-b\tread OTHERKEY00000001\n"));
  ASSERT_TRUE(keys.ok()) << keys.status();
  const auto key = keys->Find(kAccessKeyId);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->secret, kSecret);
  EXPECT_EQ(key->principal, Principal({.tenant = "team-a", .role = Role::kWrite}));
  EXPECT_EQ(keys->Find("OTHERKEY00000001")->principal, Principal({.tenant = "team-b", .role = Role::kRead}));
  EXPECT_EQ(keys->Find("OTHERKEY00000001")->secret.size(), 40U);
  EXPECT_FALSE(keys->Find("OTHERKEY00000002").has_value());
  EXPECT_FALSE(keys->Find("").has_value());
}

TEST(AccessKeys, AWrongFileIsRefusedByItsLine) {
  const std::string good = absl::StrCat("team-a write ", kAccessKeyId, "\n");
  for (const std::string& wrong : std::vector<std::string>{
           "", kMasterLine, good, "master abc\n" + good, kMasterLine + "master\n" + good, kMasterLine + good + good,
           kMasterLine + "team-a owner " + kAccessKeyId, kMasterLine + "te/am write " + kAccessKeyId,
           kMasterLine + "team-a write short", kMasterLine + "team-a write hapaxkey00000001",
           kMasterLine + "team-a write " + kAccessKeyId + " more"}) {
    const absl::Status status = AccessKeys::Parse(wrong).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << wrong;
    EXPECT_THAT(std::string(status.message()), ::testing::Not(::testing::HasSubstr(kMaster)));
  }
}

TEST(AccessKeyRing, KeepsWhatItHadWhenTheSourceFails) {
  absl::StatusOr<AccessKeys> next = AccessKeys::Parse(absl::StrCat(kMasterLine, "team-a write ", kAccessKeyId));
  const auto ring = AccessKeyRing::Create([&next] { return next; }).value();
  EXPECT_TRUE(ring->Find(kAccessKeyId).has_value());
  next = absl::NotFoundError("gone");
  EXPECT_FALSE(ring->Reload().ok());
  EXPECT_TRUE(ring->Find(kAccessKeyId).has_value());
  next = AccessKeys::Parse(absl::StrCat(kMasterLine, "team-a write OTHERKEY00000001"));
  EXPECT_TRUE(ring->Reload().ok());
  EXPECT_FALSE(ring->Find(kAccessKeyId).has_value());
  EXPECT_FALSE(AccessKeyRing::OpenFile("/nowhere/at/all").ok());
}

}  // namespace
}  // namespace hapax::ec2
