#include "hapax/server/compute/lifecycle.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/compute/rows.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

namespace hapax::compute {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::IsEmpty;

// One m5.large, `i-...1` in us-east-1a, that is coming up.
class LifecycleTest : public testing::Test {
 protected:
  LifecycleTest() { Run(""); }

  v1::RunInstancesResponse Run(const std::string& more) {
    const auto reply = compute_.RunInstances(
        FromText<v1::RunInstancesRequest>("image_id: 'ami-1' placement { availability_zone: 'us-east-1a' } " + more));
    EXPECT_THAT(reply, IsOk());
    return reply.value_or(v1::RunInstancesResponse());
  }
  void Terminate() {
    v1::TerminateInstancesRequest request;
    request.add_instance_ids(id_);
    ASSERT_THAT(compute_.TerminateInstances(request), IsOk());
  }
  v1::InstanceState State() {
    v1::DescribeInstancesRequest request;
    request.add_instance_ids(id_);
    const auto reply = compute_.DescribeInstances(request);
    EXPECT_THAT(reply, IsOk());
    return reply.ok() ? reply->instances(0).state() : v1::INSTANCE_STATE_UNSPECIFIED;
  }
  // Has the driver complete its work on the instance, or on another subject.
  absl::Status Complete(WorkDriver& driver, const std::string& subject) {
    return ExecuteAs(kServiceName, compute_.store(), [&](Transaction& txn) { return driver.Complete(subject, txn); });
  }
  absl::Status Complete(WorkDriver& driver) { return Complete(driver, subject_); }

  TestCompute compute_;
  const std::string id_ = FixedId("i", 1);
  const std::string subject_ = InstanceKey(kTenant, id_);
  BootDriver boot_{compute_.hypervisor()};
  ShutDownDriver shut_down_{compute_.hypervisor()};
};

TEST_F(LifecycleTest, ABootTakesAnInstanceFromPendingToRunningAndChangesNothingElse) {
  const auto before = compute_.DescribeInstances();
  ASSERT_EQ(compute_.FinishBoots(), 1);
  const auto after = compute_.DescribeInstances();
  ASSERT_THAT(before, IsOk());
  ASSERT_THAT(after, IsOk());
  v1::DescribeInstancesResponse expected = *before;
  expected.mutable_instances(0)->set_state(v1::INSTANCE_STATE_RUNNING);
  EXPECT_THAT(*after, EqualsProto(expected));
}

TEST_F(LifecycleTest, AShutDownGoesOverShuttingDownToTerminated) {
  ASSERT_EQ(compute_.FinishBoots(), 1);
  Terminate();
  EXPECT_EQ(State(), v1::INSTANCE_STATE_SHUTTING_DOWN);
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  EXPECT_EQ(State(), v1::INSTANCE_STATE_TERMINATED);
}

TEST_F(LifecycleTest, ABootThatEndsAfterTheTerminationChangesNothing) {
  Terminate();
  ASSERT_EQ(compute_.FinishBoots(), 1);
  EXPECT_EQ(State(), v1::INSTANCE_STATE_SHUTTING_DOWN);
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  const std::string rows = compute_.Rows();
  EXPECT_THAT(Complete(boot_), IsOk());
  EXPECT_EQ(compute_.Rows(), rows);
}

TEST_F(LifecycleTest, AShutDownEndsOnlyWhatIsShuttingDown) {
  std::string rows = compute_.Rows();
  EXPECT_THAT(Complete(shut_down_), IsOk());
  EXPECT_EQ(compute_.Rows(), rows);
  ASSERT_EQ(compute_.FinishBoots(), 1);
  rows = compute_.Rows();
  EXPECT_THAT(Complete(shut_down_), IsOk());
  EXPECT_EQ(compute_.Rows(), rows);
}

TEST_F(LifecycleTest, AShutDownThatIsCompletedTwiceGivesBackOnce) {
  Terminate();
  ASSERT_THAT(Complete(shut_down_), IsOk());
  const std::string rows = compute_.Rows();
  ASSERT_THAT(Complete(shut_down_), IsOk());
  EXPECT_EQ(compute_.Rows(), rows);
}

TEST_F(LifecycleTest, AShutDownGivesBackCapacityAddressAndQuota) {
  const v1::RunInstancesResponse others = Run("min_count: 9");
  ASSERT_EQ(others.instances_size(), 9);
  EXPECT_FALSE(compute_
                   .RunInstances(FromText<v1::RunInstancesRequest>(
                       "image_id: 'ami-1' placement { availability_zone: 'us-east-1a' }"))
                   .ok());
  Terminate();
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  const auto zones = compute_.DescribeAvailabilityZones();
  ASSERT_THAT(zones, IsOk());
  EXPECT_EQ(zones->availability_zones(1).zone_name(), "us-east-1a");
  EXPECT_EQ(zones->availability_zones(1).available_vcpus(), 2);
  // The eleventh address was never taken; the returned one comes after it.
  EXPECT_EQ(Run("").instances(0).private_ip_address(), "10.0.0.14");
}

TEST_F(LifecycleTest, AnAddressIsSomebodyElsesOnlyAfterTheTermination) {
  v1::Catalog catalog = SmallCatalog();
  catalog.mutable_instance_types(0)->set_vcpus(1);
  compute_.Restart(catalog);
  Run("min_count: 10");
  Terminate();
  EXPECT_FALSE(compute_
                   .RunInstances(FromText<v1::RunInstancesRequest>(
                                     "image_id: 'ami-1' placement { availability_zone: 'us-east-1a' }"),
                                 kOtherTenant)
                   .ok());
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  EXPECT_EQ(Run("").instances(0).private_ip_address(), "10.0.0.4");
}

TEST_F(LifecycleTest, AShutDownGivesItsPlaceBackToTheHost) {
  const auto allocated = compute_.AllocateHosts(FromText<v1::AllocateHostsRequest>(
      "availability_zone: 'us-east-1a' instance_type: 'm5.large' auto_placement: 'on'"));
  ASSERT_THAT(allocated, IsOk());
  const auto launched = compute_.RunInstances(
      FromText<v1::RunInstancesRequest>("image_id: 'ami-1' min_count: 2 placement { tenancy: 'host' }"));
  ASSERT_THAT(launched, IsOk());
  const auto zones_before = compute_.DescribeAvailabilityZones();
  v1::TerminateInstancesRequest request;
  request.add_instance_ids(launched->instances(0).instance_id());
  ASSERT_THAT(compute_.TerminateInstances(request), IsOk());
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  const auto hosts = compute_.DescribeHosts();
  ASSERT_THAT(hosts, IsOk());
  EXPECT_EQ(hosts->hosts(0).available_capacity(), 2);
  EXPECT_EQ(hosts->hosts(0).total_capacity(), 3);
  // The virtual CPUs stay the host's.
  ASSERT_THAT(zones_before, IsOk());
  EXPECT_THAT(compute_.DescribeAvailabilityZones(), IsOkAndHolds(EqualsProto(*zones_before)));
}

TEST_F(LifecycleTest, AnInstanceWhoseHostIsGoneIsTerminatedAllTheSame) {
  const auto allocated = compute_.AllocateHosts(
      FromText<v1::AllocateHostsRequest>("availability_zone: 'us-east-1a' instance_type: 'm5.large'"));
  ASSERT_THAT(allocated, IsOk());
  const std::string host = allocated->host_ids(0);
  const auto launched = compute_.RunInstances(
      FromText<v1::RunInstancesRequest>("image_id: 'ami-1' placement { host_id: '" + host + "' }"));
  ASSERT_THAT(launched, IsOk());
  v1::TerminateInstancesRequest request;
  request.add_instance_ids(launched->instances(0).instance_id());
  ASSERT_THAT(compute_.TerminateInstances(request), IsOk());
  ASSERT_THAT(ExecuteAs(kServiceName, compute_.store(),
                        [&](Transaction& txn) {
                          txn.Delete(kTable, HostKey(kTenant, host));
                          return absl::OkStatus();
                        }),
              IsOk());
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  const auto described = compute_.DescribeInstances();
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ(described->instances(1).state(), v1::INSTANCE_STATE_TERMINATED);
}

TEST_F(LifecycleTest, C14ARestartGoesOnWithWhatWasNotFinished) {
  compute_.Restart(SmallCatalog());
  EXPECT_THAT(compute_.hypervisor().booting(), ElementsAre(id_));
  ASSERT_EQ(compute_.FinishBoots(), 1);
  EXPECT_EQ(State(), v1::INSTANCE_STATE_RUNNING);
  Terminate();
  compute_.Restart(SmallCatalog());
  EXPECT_THAT(compute_.hypervisor().booting(), IsEmpty());
  EXPECT_THAT(compute_.hypervisor().shutting_down(), ElementsAre(id_));
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  EXPECT_EQ(State(), v1::INSTANCE_STATE_TERMINATED);
}

TEST_F(LifecycleTest, WorkForAnInstanceWithoutARowIsDataLoss) {
  const std::string other = InstanceKey(kTenant, "i-none");
  EXPECT_THAT(Complete(boot_, other), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(Complete(shut_down_, other), StatusIs(StatusCode::kDataLoss));
}

TEST_F(LifecycleTest, WorkWithADamagedSubjectIsDataLossAndStillPerformed) {
  for (WorkDriver* driver : {static_cast<WorkDriver*>(&boot_), static_cast<WorkDriver*>(&shut_down_)}) {
    EXPECT_THAT(Complete(*driver, "damaged"), StatusIs(StatusCode::kDataLoss));
    driver->Perform("damaged", [] {});
  }
  EXPECT_THAT(compute_.hypervisor().booting(), ElementsAre("damaged", id_));
  EXPECT_THAT(compute_.hypervisor().shutting_down(), ElementsAre("damaged"));
}

}  // namespace
}  // namespace hapax::compute
