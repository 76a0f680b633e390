#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/proto/public_name.h"
#include "hapax/server/compute/instances/power.h"
#include "hapax/tests/server/support/power_fixture.h"

// An instance that is terminated on its way down or up, or when it is stopped.
namespace hapax::compute {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PowerTerminationTest : public PowerTest {
 protected:
  void ExpectFailed(const std::string& name) {
    const Operation operation = OperationNamed(name);
    EXPECT_TRUE(operation.done());
    EXPECT_EQ(operation.error().code(), static_cast<int>(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(operation.error().message(), HasSubstr("terminated"));
    external::rpc::ErrorInfo info;
    for (const auto& detail : operation.error().details()) {
      if (Unpack(detail, info)) break;
    }
    EXPECT_EQ(info.reason(), "INCORRECT_INSTANCE_STATE");
  }
  // All that the tenant and the zone had is theirs again.
  void ExpectAllGivenBack() {
    EXPECT_EQ(Instance().state(), v1::INSTANCE_STATE_TERMINATED);
    const auto zones = compute_.DescribeAvailabilityZones();
    ASSERT_THAT(zones, IsOk());
    for (const v1::AvailabilityZone& zone : zones->availability_zones()) {
      EXPECT_EQ(zone.available_vcpus(), zone.total_vcpus()) << zone.zone_name();
    }
    // 12 is the quota.
    EXPECT_THAT(compute_.RunInstances(FromText<v1::RunInstancesRequest>("image_id: 'ami-1' min_count: 10")), IsOk());
    EXPECT_THAT(compute_.RunInstances(FromText<v1::RunInstancesRequest>("image_id: 'ami-1' min_count: 2")), IsOk());
    const auto one_more = compute_.RunInstances(FromText<v1::RunInstancesRequest>("image_id: 'ami-1'"));
    EXPECT_EQ(ReasonOf(one_more.status()), Reason::kQuotaExceeded) << one_more.status();
  }
};

TEST_F(PowerTerminationTest, OfAStoppingInstanceFailsTheStopThatEndsFirst) {
  const std::string stop = MustStop().name();
  Terminate();
  EXPECT_EQ(Instance().state(), v1::INSTANCE_STATE_SHUTTING_DOWN);
  EXPECT_FALSE(OperationNamed(stop).done());
  ASSERT_EQ(compute_.FinishStops(), 1);
  ExpectFailed(stop);
  EXPECT_EQ(Instance().state(), v1::INSTANCE_STATE_SHUTTING_DOWN);
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  ExpectAllGivenBack();
}

TEST_F(PowerTerminationTest, OfAStoppingInstanceFailsTheStopThatEndsLast) {
  const std::string stop = MustStop().name();
  Terminate();
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  EXPECT_FALSE(OperationNamed(stop).done());
  ASSERT_EQ(compute_.FinishStops(), 1);
  ExpectFailed(stop);
  ExpectAllGivenBack();
}

TEST_F(PowerTerminationTest, OfAStoppedInstanceLeavesItsStopAsItEnded) {
  const std::string stop = MustStop().name();
  ASSERT_EQ(compute_.FinishStops(), 1);
  Terminate();
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  EXPECT_EQ(ResponseOf(OperationNamed(stop)).state(), v1::INSTANCE_STATE_STOPPED);
  ExpectAllGivenBack();
}

TEST_F(PowerTerminationTest, OfAStartingInstanceFailsTheStartThatEndsFirst) {
  BringTo(v1::INSTANCE_STATE_STOPPED);
  const std::string start = MustStart().name();
  Terminate();
  ASSERT_EQ(compute_.FinishStarts(), 1);
  ExpectFailed(start);
  EXPECT_EQ(Instance().state(), v1::INSTANCE_STATE_SHUTTING_DOWN);
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  ExpectAllGivenBack();
}

TEST_F(PowerTerminationTest, OfAStartingInstanceFailsTheStartThatEndsLast) {
  BringTo(v1::INSTANCE_STATE_STOPPED);
  const std::string start = MustStart().name();
  Terminate();
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  ASSERT_EQ(compute_.FinishStarts(), 1);
  ExpectFailed(start);
  ExpectAllGivenBack();
}

TEST_F(PowerTerminationTest, C14_OfAStoppingInstanceGoesOnAfterARestart) {
  const std::string stop = MustStop().name();
  Terminate();
  compute_.Restart(SmallCatalog());
  EXPECT_THAT(compute_.hypervisor().stopping(), ElementsAre(id_));
  EXPECT_THAT(compute_.hypervisor().shutting_down(), ElementsAre(id_));
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  ASSERT_EQ(compute_.FinishStops(), 1);
  ExpectFailed(stop);
  ExpectAllGivenBack();
}

}  // namespace
}  // namespace hapax::compute
