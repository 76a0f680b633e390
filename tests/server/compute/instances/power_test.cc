#include "hapax/server/compute/instances/power.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/server/compute/rows.h"
#include "hapax/tests/server/support/power_fixture.h"
#include "hapax/tests/support/refusal_matchers.h"

// Stopping and starting; power_termination_test.cc has what a termination meanwhile means, power_retry_test.cc retries.
namespace hapax::compute {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The metadata of an operation.
v1::InstanceOperationMetadata MetadataOf(const Operation& operation) {
  v1::InstanceOperationMetadata metadata;
  EXPECT_TRUE(operation.metadata().UnpackTo(&metadata));
  return metadata;
}

TEST_F(PowerTest, AStopGoesOverStoppingToStoppedAndChangesNothingElse) {
  const v1::Instance before = Instance();
  const Operation operation = MustStop();
  EXPECT_FALSE(operation.done());
  EXPECT_EQ(Instance().state(), v1::INSTANCE_STATE_STOPPING);
  EXPECT_THAT(compute_.hypervisor().stopping(), ElementsAre(id_));
  ASSERT_EQ(compute_.FinishStops(), 1);
  v1::Instance expected = before;
  expected.set_state(v1::INSTANCE_STATE_STOPPED);
  EXPECT_THAT(Instance(), EqualsProto(expected));
}

TEST_F(PowerTest, AStartGoesOverPendingToRunningAndChangesNothingElse) {
  const v1::Instance before = Instance();
  BringTo(v1::INSTANCE_STATE_STOPPED);
  const Operation operation = MustStart();
  EXPECT_FALSE(operation.done());
  EXPECT_EQ(Instance().state(), v1::INSTANCE_STATE_PENDING);
  EXPECT_THAT(compute_.hypervisor().starting(), ElementsAre(id_));
  EXPECT_THAT(compute_.hypervisor().booting(), IsEmpty());
  ASSERT_EQ(compute_.FinishStarts(), 1);
  EXPECT_THAT(Instance(), EqualsProto(before));
}

TEST_F(PowerTest, TheOperationSaysWhatItWorksOnAndEndsWithTheInstanceAsItIsThen) {
  compute_.clock().Advance(absl::Minutes(5));
  const Operation stop = MustStop();
  EXPECT_THAT(MetadataOf(stop), EqualsProto(FromText<v1::InstanceOperationMetadata>(
                                    "instance_id: '" + id_ + "' method: 'StopInstance' create_time { " +
                                    ToTimestamp(compute_.clock().Now()).ShortDebugString() +
                                    " } previous_state: INSTANCE_STATE_RUNNING")));
  EXPECT_THAT(OperationNamed(stop.name()), EqualsProto(stop));
  ASSERT_EQ(compute_.FinishStops(), 1);
  const v1::Instance stopped = Instance();

  compute_.clock().Advance(absl::Minutes(5));
  const Operation start = MustStart();
  EXPECT_EQ(MetadataOf(start).method(), "StartInstance");
  EXPECT_THAT(MetadataOf(start).create_time(), EqualsProto(ToTimestamp(compute_.clock().Now())));
  EXPECT_NE(start.name(), stop.name());
  ASSERT_EQ(compute_.FinishStarts(), 1);

  EXPECT_TRUE(OperationNamed(start.name()).done());
  EXPECT_THAT(ResponseOf(OperationNamed(start.name())), EqualsProto(Instance()));
  EXPECT_THAT(ResponseOf(OperationNamed(stop.name())), EqualsProto(stopped)) << "as it was when the stop ended";
  EXPECT_THAT(OperationNamed(stop.name()).metadata(), EqualsProto(stop.metadata()));
}

TEST_F(PowerTest, AnInstanceIsStoppedAndStartedAgainAndAgain) {
  for (int round = 0; round < 3; ++round) {
    const Operation stop = MustStop();
    ASSERT_EQ(compute_.FinishStops(), 1);
    const Operation start = MustStart();
    ASSERT_EQ(compute_.FinishStarts(), 1);
    EXPECT_TRUE(OperationNamed(stop.name()).has_response());
    EXPECT_TRUE(OperationNamed(start.name()).has_response());
    EXPECT_EQ(Instance().state(), v1::INSTANCE_STATE_RUNNING);
  }
}

// A state, how an instance comes there, and whether a stop or a start may follow.
struct StateCase {
  enum class By { kItself, kLaunch, kStart };

  std::string name;
  v1::InstanceState state;
  By by = By::kItself;
  bool may_stop = false;
  bool may_start = false;
};

class PowerStateTest : public PowerTest, public testing::WithParamInterface<StateCase> {
 protected:
  // In its goal, or on the way to it, an instance may stay as it is.
  void ExpectUnchangedIfAllowed() {
    const v1::Instance before = Instance();
    const auto request = [this](auto message) {
      message.set_instance_id(id_);
      message.set_allow_unchanged(true);
      return message;
    };
    for (const bool stop : {true, false}) {
      if (stop ? GetParam().may_stop : GetParam().may_start) continue;
      const absl::StatusOr<Operation> operation = stop ? compute_.StopInstance(request(v1::StopInstanceRequest()))
                                                       : compute_.StartInstance(request(v1::StartInstanceRequest()));
      const bool is_there =
          stop ? before.state() == v1::INSTANCE_STATE_STOPPING || before.state() == v1::INSTANCE_STATE_STOPPED
               : before.state() == v1::INSTANCE_STATE_PENDING || before.state() == v1::INSTANCE_STATE_RUNNING;
      EXPECT_THAT(Instance(), EqualsProto(before));
      if (!is_there) {
        EXPECT_THAT(operation, Refuses(Reason::kIncorrectInstanceState, "instance_id"));
        continue;
      }
      ASSERT_THAT(operation, IsOk());
      EXPECT_TRUE(operation->done());
      EXPECT_THAT(ResponseOf(*operation), EqualsProto(before));
      EXPECT_EQ(MetadataOf(*operation).previous_state(), before.state());
      EXPECT_THAT(OperationNamed(operation->name()), EqualsProto(*operation));
    }
  }
};

TEST_P(PowerStateTest, AStopOrAStartFromAnotherStateIsRefusedAndChangesNothing) {
  switch (GetParam().by) {
    case StateCase::By::kItself:
      BringTo(GetParam().state);
      break;
    case StateCase::By::kLaunch:
      id_ = compute_.RunInstances(FromText<v1::RunInstancesRequest>(kLaunch))->instances(0).instance_id();
      break;
    case StateCase::By::kStart:
      BringTo(v1::INSTANCE_STATE_STOPPED);
      MustStart();
      break;
  }
  ASSERT_EQ(Instance().state(), GetParam().state);
  const std::string rows = compute_.Rows();
  for (const bool stop : {true, false}) {
    if (stop ? GetParam().may_stop : GetParam().may_start) continue;
    const absl::StatusOr<Operation> operation = stop ? Stop() : Start();
    EXPECT_THAT(operation, Refuses(Reason::kIncorrectInstanceState, "instance_id",
                                   HasSubstr(v1::InstanceState_Name(GetParam().state))));
    EXPECT_TRUE(operation.status().GetPayload("type.googleapis.com/google.rpc.RetryInfo").has_value());
    EXPECT_EQ(compute_.Rows(), rows);
  }
  ExpectUnchangedIfAllowed();
  if (GetParam().may_stop) MustStop();
  if (GetParam().may_start) MustStart();
}

INSTANTIATE_TEST_SUITE_P(
    States, PowerStateTest,
    testing::Values(StateCase{.name = "Launched", .state = v1::INSTANCE_STATE_PENDING, .by = StateCase::By::kLaunch},
                    StateCase{.name = "Running", .state = v1::INSTANCE_STATE_RUNNING, .may_stop = true},
                    StateCase{.name = "Stopping", .state = v1::INSTANCE_STATE_STOPPING},
                    StateCase{.name = "Stopped", .state = v1::INSTANCE_STATE_STOPPED, .may_start = true},
                    StateCase{.name = "Started", .state = v1::INSTANCE_STATE_PENDING, .by = StateCase::By::kStart},
                    StateCase{.name = "ShuttingDown", .state = v1::INSTANCE_STATE_SHUTTING_DOWN},
                    StateCase{.name = "Terminated", .state = v1::INSTANCE_STATE_TERMINATED}),
    [](const auto& state) { return state.param.name; });

TEST_F(PowerTest, AnInstanceThatIsNotTheTenantsInThatRegionIsNotFound) {
  const std::string rows = compute_.Rows();
  for (const bool stop : {true, false}) {
    const auto call = [&](const std::string& text, const std::string& tenant = kTenant) {
      return stop ? compute_.StopInstance(FromText<v1::StopInstanceRequest>(text), tenant)
                  : compute_.StartInstance(FromText<v1::StartInstanceRequest>(text), tenant);
    };
    EXPECT_THAT(call("instance_id: 'i-none'"), Refuses(Reason::kInstanceNotFound, "instance_id", HasSubstr("i-none")));
    EXPECT_THAT(call("instance_id: '" + id_ + "' region: 'eu-west-1'"),
                Refuses(Reason::kInstanceNotFound, "instance_id", HasSubstr("eu-west-1")));
    EXPECT_THAT(call("instance_id: '" + id_ + "'", kOtherTenant), Refuses(Reason::kInstanceNotFound, "instance_id"));
    EXPECT_THAT(call(""), Refuses(Reason::kInvalidParameter, "instance_id"));
    EXPECT_THAT(call("instance_id: '" + id_ + "' region: 'nowhere'"), Refuses(Reason::kUnknownRegion, "region"));
  }
  EXPECT_EQ(compute_.Rows(), rows);
}

TEST_F(PowerTest, AStoppedInstanceKeepsItsCapacityAddressAndQuota) {
  const v1::Catalog catalog = [] {
    v1::Catalog small = SmallCatalog();
    small.mutable_quota()->set_instances(2);
    return small;
  }();
  compute_.Restart(catalog);
  const auto zones = compute_.DescribeAvailabilityZones();
  const std::string address = Instance().private_ip_address();
  BringTo(v1::INSTANCE_STATE_STOPPED);
  ASSERT_THAT(zones, IsOk());
  EXPECT_THAT(compute_.DescribeAvailabilityZones(), IsOkAndHolds(EqualsProto(*zones)));
  const auto launch = FromText<v1::RunInstancesRequest>(kLaunch);
  const auto second = compute_.RunInstances(launch);
  ASSERT_THAT(second, IsOk());
  EXPECT_NE(second->instances(0).private_ip_address(), address);
  const auto third = compute_.RunInstances(launch);
  EXPECT_EQ(ReasonOf(third.status()), Reason::kQuotaExceeded) << third.status();
  ASSERT_THAT(Start(), IsOk()) << "a start needs nothing that a stop had not left";
  ASSERT_EQ(compute_.FinishStarts(), 1);
  EXPECT_EQ(Instance().private_ip_address(), address);
}

TEST_F(PowerTest, AStoppedInstanceKeepsItsPlaceOnItsHost) {
  ASSERT_THAT(compute_.AllocateHosts(FromText<v1::AllocateHostsRequest>(
                  "availability_zone: 'us-east-1a' instance_type: 'm5.xlarge' auto_placement: 'on'")),
              IsOk());
  const auto on_host = FromText<v1::RunInstancesRequest>(
      "image_id: 'ami-1' instance_type: 'm5.xlarge' placement { availability_zone: 'us-east-1a' tenancy: 'host' }");
  const auto launched = compute_.RunInstances(on_host);
  ASSERT_THAT(launched, IsOk());
  ASSERT_EQ(compute_.FinishBoots(), 1);
  id_ = launched->instances(0).instance_id();
  const auto hosts = compute_.DescribeHosts();
  ASSERT_THAT(hosts, IsOk());
  ASSERT_EQ(hosts->hosts(0).available_capacity(), 0);
  BringTo(v1::INSTANCE_STATE_STOPPED);
  EXPECT_THAT(compute_.DescribeHosts(), IsOkAndHolds(EqualsProto(*hosts)));
  EXPECT_FALSE(compute_.RunInstances(on_host).ok());
  v1::ReleaseHostsRequest release;
  release.add_host_ids(hosts->hosts(0).host_id());
  EXPECT_THAT(compute_.ReleaseHosts(release), Refuses(Reason::kIncorrectInstanceState, "host_ids"));
  ASSERT_THAT(Start(), IsOk());
}

TEST_F(PowerTest, C14_ARestartGoesOnWithWhatWasNotFinished) {
  const Operation stop = MustStop();
  compute_.Restart(SmallCatalog());
  EXPECT_THAT(compute_.hypervisor().stopping(), ElementsAre(id_));
  ASSERT_EQ(compute_.FinishStops(), 1);
  EXPECT_TRUE(OperationNamed(stop.name()).done());
  const Operation start = MustStart();
  compute_.Restart(SmallCatalog());
  EXPECT_THAT(compute_.hypervisor().stopping(), IsEmpty());
  EXPECT_THAT(compute_.hypervisor().starting(), ElementsAre(id_));
  ASSERT_EQ(compute_.FinishStarts(), 1);
  EXPECT_TRUE(OperationNamed(start.name()).done());
  EXPECT_EQ(Instance().state(), v1::INSTANCE_STATE_RUNNING);
}

TEST_F(PowerTest, AStopThatFailsLeavesTheInstanceRunningAndItsOperationSaysSo) {
  const Operation stop = MustStop();
  ASSERT_EQ(compute_.FinishStops(absl::InternalError("node-7: timed out")), 1);
  EXPECT_EQ(Instance().state(), v1::INSTANCE_STATE_RUNNING);
  EXPECT_EQ(Instance().state_reason().code(), "Server.InternalError");
  const Operation failed = OperationNamed(stop.name());
  EXPECT_TRUE(failed.done());
  EXPECT_EQ(failed.error().code(), static_cast<int>(StatusCode::kInternal));
  EXPECT_THAT(failed.error().message(), HasSubstr("Internal error on stop"));
  EXPECT_EQ(failed.DebugString().find("node-7"), std::string::npos);
  BringTo(v1::INSTANCE_STATE_STOPPED);
  EXPECT_FALSE(Instance().has_state_reason());
}

TEST_F(PowerTest, AStartThatFailsGoesBackToStoppedAndItsOperationSaysSo) {
  BringTo(v1::INSTANCE_STATE_STOPPED);
  const Operation start = MustStart();
  ASSERT_EQ(compute_.FinishStarts(absl::ResourceExhaustedError("node-7: full")), 1);
  EXPECT_EQ(Instance().state(), v1::INSTANCE_STATE_STOPPED);
  EXPECT_EQ(Instance().state_reason().code(), "Server.InsufficientInstanceCapacity");
  const Operation failed = OperationNamed(start.name());
  EXPECT_TRUE(failed.done());
  EXPECT_EQ(failed.error().code(), static_cast<int>(StatusCode::kResourceExhausted));
  const Operation again = MustStart();
  EXPECT_FALSE(Instance().has_state_reason());
  ASSERT_EQ(compute_.FinishStarts(), 1);
  EXPECT_TRUE(OperationNamed(again.name()).has_response());
  EXPECT_EQ(Instance().state(), v1::INSTANCE_STATE_RUNNING);
}

TEST_F(PowerTest, WorkThatIsCompletedTwiceChangesNothingTheSecondTime) {
  const std::string task = PowerTask{.tenant = kTenant, .instance_id = id_, .operation = MustStop().name()}.Encode();
  PowerDriver stop(PowerDriver::Kind::kStop, compute_.hypervisor(), compute_.operations());
  ASSERT_THAT(Complete(stop, task), IsOk());
  const std::string rows = compute_.Rows();
  EXPECT_EQ(Instance().state(), v1::INSTANCE_STATE_STOPPED);
  ASSERT_THAT(Complete(stop, task), IsOk());
  EXPECT_EQ(compute_.Rows(), rows);
}

TEST_F(PowerTest, WorkThatIsDamagedIsDataLossAndStillPerformed) {
  PowerDriver stop(PowerDriver::Kind::kStop, compute_.hypervisor(), compute_.operations());
  PowerDriver start(PowerDriver::Kind::kStart, compute_.hypervisor(), compute_.operations());
  const std::string of_none = PowerTask{.tenant = kTenant, .instance_id = "i-none", .operation = "none"}.Encode();
  for (PowerDriver* driver : {&stop, &start}) {
    EXPECT_THAT(Complete(*driver, of_none), StatusIs(StatusCode::kDataLoss));
    EXPECT_THAT(Complete(*driver, "damaged"), StatusIs(StatusCode::kDataLoss));
    driver->Perform("damaged", [](const absl::Status& /*result*/) {});
  }
  EXPECT_THAT(compute_.hypervisor().stopping(), ElementsAre(""));
  EXPECT_THAT(compute_.hypervisor().starting(), ElementsAre(""));
}

}  // namespace
}  // namespace hapax::compute
