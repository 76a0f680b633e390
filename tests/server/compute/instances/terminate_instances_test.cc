#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/reason.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::compute {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

v1::TerminateInstancesRequest Terminate(const std::vector<std::string>& ids, const std::string& region = "") {
  v1::TerminateInstancesRequest request;
  request.set_region(region);
  for (const std::string& id : ids) request.add_instance_ids(id);
  return request;
}

v1::InstanceStateChange Change(const std::string& id, v1::InstanceState before, v1::InstanceState after) {
  v1::InstanceStateChange change;
  change.set_instance_id(id);
  change.set_previous_state(before);
  change.set_current_state(after);
  return change;
}

// Three instances in us-east-1: `i-...1` to `i-...3`.
class TerminateInstancesTest : public testing::Test {
 protected:
  TerminateInstancesTest() {
    EXPECT_THAT(compute_.RunInstances(FromText<v1::RunInstancesRequest>("image_id: 'ami-1' min_count: 3")), IsOk());
  }

  TestCompute compute_;
  const std::string one_ = CountedId("i", 1);
  const std::string two_ = CountedId("i", 2);
  const std::string three_ = CountedId("i", 3);
};

TEST_F(TerminateInstancesTest, InstancesThatAreUpGoDownInTheRequestsOrder) {
  ASSERT_EQ(compute_.FinishBoots(), 3);
  const auto reply = compute_.TerminateInstances(Terminate({three_, one_}));
  ASSERT_THAT(reply, IsOk());
  EXPECT_THAT(reply->terminating_instances(),
              ElementsAre(EqualsProto(Change(three_, v1::INSTANCE_STATE_RUNNING, v1::INSTANCE_STATE_SHUTTING_DOWN)),
                          EqualsProto(Change(one_, v1::INSTANCE_STATE_RUNNING, v1::INSTANCE_STATE_SHUTTING_DOWN))));
  EXPECT_THAT(compute_.hypervisor().shutting_down(), ElementsAre(one_, three_));
}

TEST_F(TerminateInstancesTest, AnInstanceThatIsComingUpGoesDown) {
  const auto reply = compute_.TerminateInstances(Terminate({two_}));
  ASSERT_THAT(reply, IsOk());
  EXPECT_THAT(reply->terminating_instances(),
              ElementsAre(EqualsProto(Change(two_, v1::INSTANCE_STATE_PENDING, v1::INSTANCE_STATE_SHUTTING_DOWN))));
}

TEST_F(TerminateInstancesTest, C23RepeatingItChangesNothing) {
  ASSERT_THAT(compute_.TerminateInstances(Terminate({one_})), IsOk());
  std::string rows = compute_.Rows();
  auto reply = compute_.TerminateInstances(Terminate({one_}));
  ASSERT_THAT(reply, IsOk());
  EXPECT_THAT(
      reply->terminating_instances(),
      ElementsAre(EqualsProto(Change(one_, v1::INSTANCE_STATE_SHUTTING_DOWN, v1::INSTANCE_STATE_SHUTTING_DOWN))));
  EXPECT_EQ(compute_.Rows(), rows);

  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  rows = compute_.Rows();
  reply = compute_.TerminateInstances(Terminate({one_}));
  ASSERT_THAT(reply, IsOk());
  EXPECT_THAT(reply->terminating_instances(),
              ElementsAre(EqualsProto(Change(one_, v1::INSTANCE_STATE_TERMINATED, v1::INSTANCE_STATE_TERMINATED))));
  EXPECT_EQ(compute_.Rows(), rows);
  EXPECT_THAT(compute_.hypervisor().shutting_down(), IsEmpty());
}

TEST_F(TerminateInstancesTest, AnIdThatIsGivenTwiceIsTerminatedOnce) {
  const auto reply = compute_.TerminateInstances(Terminate({one_, one_}));
  ASSERT_THAT(reply, IsOk());
  EXPECT_THAT(
      reply->terminating_instances(),
      ElementsAre(EqualsProto(Change(one_, v1::INSTANCE_STATE_PENDING, v1::INSTANCE_STATE_SHUTTING_DOWN)),
                  EqualsProto(Change(one_, v1::INSTANCE_STATE_SHUTTING_DOWN, v1::INSTANCE_STATE_SHUTTING_DOWN))));
  EXPECT_THAT(compute_.hypervisor().shutting_down(), ElementsAre(one_));
}

TEST_F(TerminateInstancesTest, C12OneThatDoesNotExistKeepsAllOfThemUp) {
  const std::string rows = compute_.Rows();
  EXPECT_THAT(compute_.TerminateInstances(Terminate({one_, "i-none", two_})),
              Refuses(Reason::kInstanceNotFound, "instance_ids", HasSubstr("i-none")));
  EXPECT_EQ(compute_.Rows(), rows);
  EXPECT_THAT(compute_.hypervisor().shutting_down(), IsEmpty());
}

TEST_F(TerminateInstancesTest, AnInstanceOfAnotherTenantOrRegionDoesNotExist) {
  EXPECT_THAT(compute_.TerminateInstances(Terminate({one_}), kOtherTenant),
              Refuses(Reason::kInstanceNotFound, "instance_ids"));
  EXPECT_THAT(compute_.TerminateInstances(Terminate({one_}, "eu-west-1")),
              Refuses(Reason::kInstanceNotFound, "instance_ids", HasSubstr("eu-west-1")));
  EXPECT_THAT(compute_.TerminateInstances(Terminate({one_}, "us-east-1")), IsOk());
}

TEST_F(TerminateInstancesTest, TheIdsAre1To1000NoneOfThemEmpty) {
  EXPECT_THAT(compute_.TerminateInstances(Terminate({})),
              Refuses(Reason::kInvalidParameter, "instance_ids", HasSubstr("at least one")));
  EXPECT_THAT(compute_.TerminateInstances(Terminate({one_, ""})),
              Refuses(Reason::kInvalidParameter, "instance_ids", HasSubstr("empty")));
  EXPECT_THAT(compute_.TerminateInstances(Terminate(std::vector<std::string>(1'001, one_))),
              Refuses(Reason::kInvalidParameter, "instance_ids", HasSubstr("1000")));
  EXPECT_THAT(compute_.TerminateInstances(Terminate(std::vector<std::string>(1'000, one_))), IsOk());
}

TEST_F(TerminateInstancesTest, TheCapacityAndQuotaComeBackWhenTheyAreDownAndNotBefore) {
  const auto fill =
      FromText<v1::RunInstancesRequest>("image_id: 'ami-1' min_count: 8 placement { availability_zone: 'us-east-1a' }");
  ASSERT_THAT(compute_.TerminateInstances(Terminate({one_, two_, three_})), IsOk());
  EXPECT_THAT(compute_.RunInstances(fill), Refuses(Reason::kInsufficientInstanceCapacity, "min_count"));
  ASSERT_EQ(compute_.FinishShutDowns(), 3);
  EXPECT_THAT(compute_.RunInstances(fill), IsOk());
}

}  // namespace
}  // namespace hapax::compute
