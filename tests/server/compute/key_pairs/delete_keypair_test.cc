#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/reason.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::compute {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// A key pair `pair` in us-east-1: `key-...1`.
class DeleteKeypairTest : public testing::Test {
 protected:
  DeleteKeypairTest() { EXPECT_THAT(Create(), IsOk()); }

  absl::StatusOr<v1::CreateKeypairResponse> Create() {
    return compute_.CreateKeypair(FromText<v1::CreateKeypairRequest>("key_name: 'pair'"));
  }
  absl::StatusOr<v1::DeleteKeypairResponse> Delete(const std::string& request, const std::string& tenant = kTenant) {
    return compute_.DeleteKeypair(FromText<v1::DeleteKeypairRequest>(request), tenant);
  }
  absl::StatusOr<v1::RunInstancesResponse> Launch(const std::string& key_name) {
    return compute_.RunInstances(FromText<v1::RunInstancesRequest>("image_id: 'ami-1' key_name: '" + key_name + "'"));
  }

  TestCompute compute_;
};

TEST_F(DeleteKeypairTest, ThePairIsGoneAndNamedById) {
  const auto reply = Delete("key_name: 'pair'");
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->key_pair_id(), CountedId("key", 1));
  const auto listed = compute_.DescribeKeypairs();
  ASSERT_THAT(listed, IsOk());
  EXPECT_THAT(listed->key_pairs(), IsEmpty());
  EXPECT_THAT(Delete("key_name: 'pair'"), Refuses(Reason::kKeypairNotFound, "key_name", HasSubstr("pair")));
}

TEST_F(DeleteKeypairTest, APairMayBeMissingIfTheCallAllowsIt) {
  EXPECT_EQ(Delete("key_name: 'pair' allow_missing: true")->key_pair_id(), CountedId("key", 1));
  const std::string rows = compute_.Rows();
  const auto reply = Delete("key_name: 'pair' allow_missing: true");
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->key_pair_id(), "");
  EXPECT_EQ(compute_.Rows(), rows);
  EXPECT_THAT(Delete("key_name: '' allow_missing: true"), Refuses(Reason::kInvalidParameter, "key_name"));
}

TEST_F(DeleteKeypairTest, TheNameIsFreeForAnotherPair) {
  EXPECT_THAT(Create(), Refuses(Reason::kKeypairAlreadyExists, "key_name"));
  ASSERT_THAT(Delete("key_name: 'pair'"), IsOk());
  const auto another = Create();
  ASSERT_THAT(another, IsOk());
  EXPECT_EQ(another->key_pair_id(), CountedId("key", 2));
}

TEST_F(DeleteKeypairTest, InstancesKeepTheNameAndNoneIsLaunchedWithIt) {
  ASSERT_THAT(Launch("pair"), IsOk());
  ASSERT_THAT(Delete("key_name: 'pair'"), IsOk());
  EXPECT_THAT(Launch("pair"), Refuses(Reason::kKeypairNotFound, "key_name"));
  const auto instances = compute_.DescribeInstances();
  ASSERT_THAT(instances, IsOk());
  ASSERT_THAT(instances->instances(), SizeIs(1));
  EXPECT_EQ(instances->instances(0).key_name(), "pair");
}

TEST_F(DeleteKeypairTest, APairOfAnotherTenantOrRegionDoesNotExist) {
  const std::string rows = compute_.Rows();
  EXPECT_THAT(Delete("key_name: 'pair'", kOtherTenant), Refuses(Reason::kKeypairNotFound, "key_name"));
  EXPECT_THAT(Delete("key_name: 'pair' region: 'eu-west-1'"),
              Refuses(Reason::kKeypairNotFound, "key_name", HasSubstr("eu-west-1")));
  EXPECT_EQ(compute_.Rows(), rows);
  EXPECT_THAT(Delete("key_name: 'pair' region: 'us-east-1'"), IsOk());
}

// It is baked into the images, and no pair of the tenant's.
TEST_F(DeleteKeypairTest, TheKeyOfAnImageCannotBeDeleted) {
  EXPECT_THAT(Delete("key_name: 'image-key'"), Refuses(Reason::kKeypairNotFound, "key_name"));
  EXPECT_THAT(Launch("image-key"), IsOk());
}

TEST_F(DeleteKeypairTest, AWrongParameterIsRefusedByName) {
  EXPECT_THAT(Delete(""), Refuses(Reason::kInvalidParameter, "key_name", HasSubstr("1 to 255")));
  EXPECT_THAT(Delete("key_name: '\\n'"), Refuses(Reason::kInvalidParameter, "key_name"));
  EXPECT_THAT(Delete("key_name: 'pair' region: 'us-west-1'"), Refuses(Reason::kUnknownRegion, "region"));
}

}  // namespace
}  // namespace hapax::compute
