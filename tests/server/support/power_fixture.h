#ifndef HAPAX_TESTS_SERVER_SUPPORT_POWER_FIXTURE_H_
#define HAPAX_TESTS_SERVER_SUPPORT_POWER_FIXTURE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/server/compute/rows.h"
#include "hapax/server/operations/operations.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

namespace hapax::compute {

using external::longrunning::Operation;

inline constexpr char kLaunch[] = "image_id: 'ami-1' placement { availability_zone: 'us-east-1a' }";

// The instance that an operation ended with.
[[nodiscard]] inline v1::Instance ResponseOf(const Operation& operation) {
  v1::Instance instance;
  EXPECT_TRUE(operation.response().UnpackTo(&instance)) << operation.ShortDebugString();
  return instance;
}

// One m5.large, `i-...1` in us-east-1a, that is running.
class PowerTest : public testing::Test {
 protected:
  PowerTest() {
    EXPECT_THAT(compute_.RunInstances(FromText<v1::RunInstancesRequest>(kLaunch)), IsOk());
    EXPECT_EQ(compute_.FinishBoots(), 1);
  }

  absl::StatusOr<Operation> Stop() {
    v1::StopInstanceRequest request;
    request.set_instance_id(id_);
    return compute_.StopInstance(request);
  }
  absl::StatusOr<Operation> Start() {
    v1::StartInstanceRequest request;
    request.set_instance_id(id_);
    return compute_.StartInstance(request);
  }
  Operation MustStop() { return Must(Stop()); }
  Operation MustStart() { return Must(Start()); }
  void Terminate() {
    v1::TerminateInstancesRequest request;
    request.add_instance_ids(id_);
    ASSERT_THAT(compute_.TerminateInstances(request), IsOk());
  }

  v1::Instance Instance() {
    v1::DescribeInstancesRequest request;
    request.add_instance_ids(id_);
    const auto reply = compute_.DescribeInstances(request);
    EXPECT_THAT(reply, IsOk());
    return reply.ok() ? reply->instances(0) : v1::Instance();
  }
  Operation OperationNamed(const std::string& name) {
    absl::StatusOr<Operation> operation;
    EXPECT_THAT(Query(compute_.store(),
                      [&](const ReadTransaction& txn) {
                        operation = Operations::Get(txn, kTenant, name);
                        return operation.status();
                      }),
                IsOk());
    return operation.value_or(Operation());
  }
  // Has the driver complete its work on the subject.
  absl::Status Complete(WorkDriver& driver, const std::string& subject, const absl::Status& result = absl::OkStatus()) {
    return ExecuteAs(kServiceName, compute_.store(),
                     [&](Transaction& txn) { return driver.Complete(subject, result, txn); });
  }

  // From RUNNING to `state`, which is any but PENDING.
  void BringTo(v1::InstanceState state) {
    switch (state) {
      case v1::INSTANCE_STATE_STOPPING:
        MustStop();
        return;
      case v1::INSTANCE_STATE_STOPPED:
        MustStop();
        ASSERT_EQ(compute_.FinishStops(), 1);
        return;
      case v1::INSTANCE_STATE_SHUTTING_DOWN:
        Terminate();
        return;
      case v1::INSTANCE_STATE_TERMINATED:
        Terminate();
        ASSERT_EQ(compute_.FinishShutDowns(), 1);
        return;
      default:
        ASSERT_EQ(state, v1::INSTANCE_STATE_RUNNING);
    }
  }

  static Operation Must(const absl::StatusOr<Operation>& operation) {
    EXPECT_THAT(operation, IsOk());
    return operation.value_or(Operation());
  }

  TestCompute compute_;
  std::string id_ = CountedId("i", 1);
};

}  // namespace hapax::compute

#endif  // HAPAX_TESTS_SERVER_SUPPORT_POWER_FIXTURE_H_
