#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/server/doors/ec2/door_fixture.h"
#include "hapax/tests/server/doors/ec2/signed_requests.h"
#include "hapax/tests/support/temp_dir.h"

// Who calls through the door.
namespace hapax::ec2 {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

class Identity : public DoorFixture {
 protected:
  [[nodiscard]] const DoorCall& LastCall() const { return calls_.calls.back(); }
};

// For its owner only.
void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

constexpr char kList[] = "Action=DescribeInstances";

TEST_F(Identity, WithoutAuthTheAccessKeyIdIsTheTenant) {
  static_cast<void>(Post(kList, SignedFor("team-a", "us-east-1")));
  EXPECT_THAT(LastCall().metadata, ElementsAre(Pair("x-tenant-id", "team-a")));
  static_cast<void>(Post(kList, SignedFor("team+a", "us-east-1")));
  EXPECT_THAT(LastCall().metadata, IsEmpty());
  static_cast<void>(Post(kList));
  EXPECT_THAT(LastCall().metadata, IsEmpty());
  HttpHeaders headers = SignedFor("team-a", "us-east-1");
  headers.emplace_back("x-tenant-id", "team-b");
  static_cast<void>(Post(kList, headers));
  EXPECT_THAT(LastCall().metadata, ElementsAre(Pair("x-tenant-id", "team-b")));
}

TEST_F(Identity, AnApiKeyComesAsTheSessionToken) {
  Open({.auth = Auth::kApiKey});
  HttpHeaders headers = SignedFor("any", "us-east-1");
  EXPECT_EQ(Post(kList, headers).Result(), "401 AuthFailure");
  headers.emplace_back("x-amz-security-token", "hapax_key");
  static_cast<void>(Post(kList, headers));
  EXPECT_THAT(LastCall().metadata, ElementsAre(Pair("authorization", "Bearer hapax_key")));
  static_cast<void>(Get(absl::StrCat(kList, "&X-Amz-Security-Token=hapax_key")));
  EXPECT_THAT(LastCall().metadata, ElementsAre(Pair("authorization", "Bearer hapax_key")));
  static_cast<void>(Post(kList, {{"authorization", "Bearer hapax_key"}}));
  EXPECT_THAT(LastCall().metadata, ElementsAre(Pair("authorization", "Bearer hapax_key")));
  static_cast<void>(Post(kList, {{"x-api-key", "hapax_key"}}));
  EXPECT_THAT(LastCall().metadata, ElementsAre(Pair("x-api-key", "hapax_key")));
  // A tenant is not believed.
  static_cast<void>(Post(kList, {{"x-tenant-id", "team-a"}}));
  EXPECT_THAT(LastCall().metadata, IsEmpty());
}

TEST_F(Identity, ASignatureByAnAccessKeyIsItsPrincipals) {
  const TempDir dir;
  const std::string file = dir.Path("access_keys");
  WriteFile(file, absl::StrCat("master ", kMaster, "\nteam-a read ", kAccessKeyId, "\n"));
  Open({.auth = Auth::kApiKey, .access_keys_file = file});
  compute_.clock().Set(absl::FromCivil(absl::CivilSecond(2026, 11, 28, 7, 33, 30), absl::UTCTimeZone()));
  for (RecordedRequest recorded : RecordedRequests()) {
    const Ec2Reply accepted = Send(recorded.request);
    ASSERT_FALSE(calls_.calls.empty()) << recorded.client << ": " << accepted.http.body;
    EXPECT_EQ(LastCall().principal, Principal({.tenant = "team-a", .role = Role::kRead})) << recorded.client;
    EXPECT_THAT(LastCall().metadata, Not(Contains(Pair("authorization", ::testing::_)))) << recorded.client;
    const size_t made = calls_.calls.size();
    recorded.request.body += "&DryRun=false";
    recorded.request.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
    const Ec2Reply reply = Send(recorded.request);
    EXPECT_EQ(reply.Result(), "403 SignatureDoesNotMatch") << recorded.client;
    EXPECT_EQ(reply.Header("hapax-retry"), "never");
    EXPECT_EQ(calls_.calls.size(), made) << recorded.client;
  }
  EXPECT_EQ(Post(kList, SignedFor("UNKNOWNKEY000001", "us-east-1")).Result(), "401 AuthFailure");
  EXPECT_EQ(Post(kList, SignedFor(kAccessKeyId, "us-east-1")).Result(), "403 SignatureDoesNotMatch");

  WriteFile(file, absl::StrCat("master ", kMaster, "\nteam-a read OTHERKEY00000001\n"));
  EXPECT_TRUE(door_->Reload().ok());
  EXPECT_EQ(Post(kList, SignedFor(kAccessKeyId, "us-east-1")).Result(), "401 AuthFailure");
}

TEST_F(Identity, TheRegionIsThatOfTheSignatureUnlessAPlaceIsNamed) {
  const auto zone_of = [this](const std::string& form, const std::string& region) {
    return Post(form, SignedFor("team-a", region)).Text("availabilityZone");
  };
  constexpr char kRun[] = "Action=RunInstances&ImageId=ami-1";
  EXPECT_EQ(zone_of(kRun, "eu-west-1"), "eu-west-1a");
  EXPECT_EQ(zone_of(kRun, "0").substr(0, 9), "us-east-1");
  EXPECT_EQ(zone_of(absl::StrCat(kRun, "&Placement.AvailabilityZone=us-east-1b"), "eu-west-1"), "us-east-1b");
  EXPECT_EQ(zone_of(absl::StrCat(kRun, "&SubnetId=subnet-b"), "eu-west-1"), "us-east-1b");
  EXPECT_EQ(Post(kList, SignedFor("team-a", "eu-west-1")).Count("<instanceId>"), 1);
  EXPECT_EQ(Post(kList, SignedFor("team-a", "us-east-1")).Count("<instanceId>"), 3);
}

}  // namespace
}  // namespace hapax::ec2
