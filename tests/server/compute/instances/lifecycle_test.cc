#include "hapax/server/compute/instances/lifecycle.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/compute/rows.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/compute.pb.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/later_field.h"
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
  absl::Status Complete(WorkDriver& driver, const std::string& subject, const absl::Status& result = absl::OkStatus()) {
    return ExecuteAs(kServiceName, compute_.store(),
                     [&](Transaction& txn) { return driver.Complete(subject, result, txn); });
  }
  absl::Status Complete(WorkDriver& driver) { return Complete(driver, subject_); }

  TestCompute compute_;
  const std::string id_ = CountedId("i", 1);
  const std::string subject_ = InstanceKey(kTenant, id_);
  BootDriver boot_{compute_.hypervisor(), compute_.store(), compute_.work()};
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

TEST_F(LifecycleTest, C30_WhatALaterReleaseAddedToAnInstanceOutlivesItsChanges) {
  store::v1::InstanceRow row;
  const auto read = [&](const ReadTransaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(const auto found, GetRow<store::v1::InstanceRow>(txn, kTable, subject_));
    row = found.value_or(store::v1::InstanceRow());
    return absl::OkStatus();
  };
  ASSERT_THAT(ExecuteAs(kServiceName, compute_.store(),
                        [&](Transaction& txn) -> absl::Status {
                          HAPAX_RETURN_IF_ERROR(read(txn));
                          AddLaterField(row);
                          AddLaterField(*row.mutable_instance());
                          PutRow(txn, kTable, subject_, row);
                          return absl::OkStatus();
                        }),
              IsOk());
  ASSERT_EQ(compute_.FinishBoots(), 1);
  Terminate();
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  ASSERT_THAT(QueryAs(kServiceName, compute_.store(), read), IsOk());
  EXPECT_EQ(row.instance().state(), v1::INSTANCE_STATE_TERMINATED);
  EXPECT_TRUE(HasLaterField(row));
  EXPECT_TRUE(HasLaterField(row.instance()));
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

TEST_F(LifecycleTest, ABootIsToldTheInstanceWithItsPublicKeyAsItWasAtTheLaunch) {
  v1::CreateKeypairRequest create;
  create.set_key_name("key");
  ASSERT_THAT(compute_.CreateKeypair(create), IsOk());
  const auto pairs = compute_.DescribeKeypairs();
  ASSERT_THAT(pairs, IsOk());
  const v1::RunInstancesResponse launched = Run("key_name: 'key'");
  const std::vector<BootSpec> specs = compute_.hypervisor().specs();
  ASSERT_EQ(specs.size(), 2u);
  EXPECT_EQ(specs[0].public_key, "");
  EXPECT_THAT(specs[1].instance, EqualsProto(launched.instances(0)));
  EXPECT_EQ(specs[1].public_key, pairs->key_pairs(0).public_key());

  v1::DeleteKeypairRequest remove;
  remove.set_key_name("key");
  ASSERT_THAT(compute_.DeleteKeypair(remove), IsOk());
  compute_.Restart(SmallCatalog());
  // Both boots are taken up again, in any order.
  const std::vector<BootSpec> all = compute_.hypervisor().specs();
  ASSERT_EQ(all.size(), 4u);
  const bool is_first = all[2].instance.instance_id() == specs[1].instance.instance_id();
  EXPECT_EQ(all[is_first ? 2 : 3].public_key, specs[1].public_key);
  EXPECT_EQ(all[is_first ? 3 : 2].public_key, "");
}

TEST_F(LifecycleTest, ABootThatFailsEndsTerminatedWithAReason) {
  ASSERT_EQ(compute_.FinishBoots(absl::InternalError("/var/lib/images: no such file")), 1);
  EXPECT_EQ(State(), v1::INSTANCE_STATE_SHUTTING_DOWN);
  EXPECT_THAT(compute_.hypervisor().shutting_down(), ElementsAre(id_));
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  const auto described = compute_.DescribeInstances();
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ(described->instances(0).state(), v1::INSTANCE_STATE_TERMINATED);
  EXPECT_THAT(
      described->instances(0).state_reason(),
      EqualsProto(FromText<v1::StateReason>("code: 'Server.InternalError' message: 'Internal error on launch'")));
}

TEST_F(LifecycleTest, ABootThatFindsNoRoomSaysSo) {
  ASSERT_EQ(compute_.FinishBoots(absl::ResourceExhaustedError("host-7 is full")), 1);
  const auto described = compute_.DescribeInstances();
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ(described->instances(0).state_reason().code(), "Server.InsufficientInstanceCapacity");
}

TEST_F(LifecycleTest, ABootThatFailsGivesBackCapacityAddressAndQuotaOnce) {
  const absl::Status error = absl::InternalError("out of order");
  ASSERT_EQ(compute_.FinishBoots(error), 1);
  const std::string rows = compute_.Rows();
  ASSERT_THAT(Complete(boot_, subject_, error), IsOk()) << "told twice";
  EXPECT_EQ(compute_.Rows(), rows);
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  ASSERT_THAT(Complete(boot_, subject_, error), IsOk());
  ASSERT_THAT(Complete(shut_down_), IsOk());
  const auto zones = compute_.DescribeAvailabilityZones();
  ASSERT_THAT(zones, IsOk());
  for (const v1::AvailabilityZone& zone : zones->availability_zones()) {
    EXPECT_EQ(zone.available_vcpus(), zone.total_vcpus()) << zone.zone_name();
  }
  // 20 virtual CPUs and 11 addresses, of which the first was given back.
  const v1::RunInstancesResponse others = Run("min_count: 10");
  ASSERT_EQ(others.instances_size(), 10);
  v1::RunInstancesRequest elsewhere = FromText<v1::RunInstancesRequest>(
      "image_id: 'ami-1' min_count: 2 max_count: 2 placement { availability_zone: 'us-east-1b' }");
  EXPECT_THAT(compute_.RunInstances(elsewhere), IsOk()) << "the quota is 12";
  elsewhere.set_min_count(1);
  EXPECT_FALSE(compute_.RunInstances(elsewhere).ok());
}

TEST_F(LifecycleTest, ABootThatFailsAfterTheTerminationChangesNothing) {
  Terminate();
  const std::string rows = compute_.Rows();
  EXPECT_THAT(Complete(boot_, subject_, absl::InternalError("out of order")), IsOk());
  EXPECT_EQ(compute_.Rows(), rows);
}

TEST_F(LifecycleTest, ABootThatFailsGivesItsPlaceBackToTheHost) {
  ASSERT_EQ(compute_.FinishBoots(), 1);
  ASSERT_THAT(compute_.AllocateHosts(FromText<v1::AllocateHostsRequest>(
                  "availability_zone: 'us-east-1a' instance_type: 'm5.large' auto_placement: 'on'")),
              IsOk());
  ASSERT_THAT(
      compute_.RunInstances(FromText<v1::RunInstancesRequest>("image_id: 'ami-1' placement { tenancy: 'host' }")),
      IsOk());
  ASSERT_EQ(compute_.FinishBoots(absl::InternalError("out of order")), 1);
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  const auto hosts = compute_.DescribeHosts();
  ASSERT_THAT(hosts, IsOk());
  EXPECT_EQ(hosts->hosts(0).available_capacity(), hosts->hosts(0).total_capacity());
}

TEST_F(LifecycleTest, ABootThatIsNotPossibleJustNowIsTriedAgain) {
  ASSERT_EQ(compute_.hypervisor().FinishBoots(absl::UnavailableError("not now")), 1);
  compute_.hypervisor().AwaitBoot();
  EXPECT_EQ(State(), v1::INSTANCE_STATE_PENDING);
  ASSERT_EQ(compute_.FinishBoots(), 1);
  EXPECT_EQ(State(), v1::INSTANCE_STATE_RUNNING);
}

TEST_F(LifecycleTest, AShutDownThatFailsIsTriedAgainWhateverTheError) {
  ASSERT_EQ(compute_.FinishBoots(), 1);
  Terminate();
  for (const absl::Status& error : {absl::InternalError("out of order"), absl::NotFoundError("no such machine")}) {
    ASSERT_EQ(compute_.hypervisor().FinishShutDowns(error), 1);
    compute_.hypervisor().AwaitShutDown();
    EXPECT_EQ(State(), v1::INSTANCE_STATE_SHUTTING_DOWN);
  }
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  EXPECT_EQ(State(), v1::INSTANCE_STATE_TERMINATED);
}

TEST_F(LifecycleTest, ABootIsNotAskedForAgainOnceTheInstanceIsTerminated) {
  Terminate();
  compute_.Restart(SmallCatalog());
  EXPECT_THAT(compute_.hypervisor().booting(), IsEmpty());
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  EXPECT_EQ(State(), v1::INSTANCE_STATE_TERMINATED);
}

TEST_F(LifecycleTest, WorkForAnInstanceWithoutARowIsDataLoss) {
  const std::string other = InstanceKey(kTenant, "i-none");
  EXPECT_THAT(Complete(boot_, other), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(Complete(shut_down_, other), StatusIs(StatusCode::kDataLoss));
}

TEST_F(LifecycleTest, WorkWithADamagedSubjectIsDataLossAndBootsNothing) {
  for (WorkDriver* driver : {static_cast<WorkDriver*>(&boot_), static_cast<WorkDriver*>(&shut_down_)}) {
    EXPECT_THAT(Complete(*driver, "damaged"), StatusIs(StatusCode::kDataLoss));
    driver->Perform("damaged", [](const absl::Status& /*result*/) {});
  }
  EXPECT_THAT(compute_.hypervisor().booting(), ElementsAre(id_));
  EXPECT_THAT(compute_.hypervisor().shutting_down(), ElementsAre("damaged"));
}

}  // namespace
}  // namespace hapax::compute
