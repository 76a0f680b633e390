#include "hapax/server/operations/operations.h"

#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/proto/public_name.h"
#include "hapax/tests/server/support/operations_fixture.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/support/disk_sync.h"
#include "hapax/tests/support/refusal_matchers.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::ContainsRegex;

bool StaysOn() { return false; }

TEST_F(OperationsTest, OneThatIsBegunIsNotDoneAndSaysWhatItWorksOn) {
  const Operation operation = Begin();
  EXPECT_THAT(operation.name(), ContainsRegex("^operations/op-[0-9a-f]+$"));
  EXPECT_FALSE(operation.done());
  EXPECT_EQ(operation.result_case(), Operation::RESULT_NOT_SET);
  google::protobuf::Duration metadata;
  ASSERT_TRUE(operation.metadata().UnpackTo(&metadata));
  EXPECT_EQ(metadata.seconds(), 7);
  EXPECT_THAT(Get(operation.name()), IsOkAndHolds(EqualsProto(operation)));
}

TEST_F(OperationsTest, OneIsBegunIntoTheApplicationsOwnMessage) {
  external::longrunning::Operation own;
  ASSERT_THAT(BeginInto(own), IsOk());
  const absl::StatusOr<Operation> operation = Get(own.name());
  ASSERT_THAT(operation, IsOk());
  EXPECT_EQ(own.SerializeAsString(), operation->SerializeAsString());
}

TEST_F(OperationsTest, OneIsBegunIntoNoOtherMessage) {
  google::protobuf::Duration other;
  const absl::Status status = BeginInto(other);
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), ContainsRegex("google.protobuf.Duration.*google.longrunning.Operation"));
}

TEST_F(OperationsTest, OnesThatBeginAtTheSameMomentAreTwo) { EXPECT_NE(Begin().name(), Begin().name()); }

TEST_F(OperationsTest, OneThatSucceedsIsDoneWithItsResponse) {
  const Operation begun = Begin();
  ASSERT_THAT(Succeed(begun.name()), IsOk());
  const absl::StatusOr<Operation> operation = Get(begun.name());
  ASSERT_THAT(operation, IsOk());
  EXPECT_TRUE(operation->done());
  google::protobuf::Duration response;
  ASSERT_TRUE(operation->response().UnpackTo(&response));
  EXPECT_EQ(response.seconds(), 8);
  EXPECT_THAT(operation->metadata(), EqualsProto(begun.metadata()));
}

TEST_F(OperationsTest, OneThatFailsIsDoneWithTheErrorAndItsDetails) {
  const Operation begun = Begin();
  ASSERT_THAT(Fail(begun.name(), Refuse(Reason::kIncorrectInstanceState, "it is gone")), IsOk());
  const absl::StatusOr<Operation> operation = Get(begun.name());
  ASSERT_THAT(operation, IsOk());
  EXPECT_TRUE(operation->done());
  EXPECT_EQ(operation->error().code(), static_cast<int>(StatusCode::kFailedPrecondition));
  EXPECT_EQ(operation->error().message(), "it is gone");
  external::rpc::ErrorInfo info;
  ASSERT_TRUE(Unpack(operation->error().details(0), info));
  EXPECT_EQ(info.reason(), "INCORRECT_INSTANCE_STATE");
  EXPECT_THAT(operation->metadata(), EqualsProto(begun.metadata()));
  for (const google::protobuf::Any& detail : operation->error().details()) {
    EXPECT_NE(detail.type_url(), "type.googleapis.com/google.rpc.RetryInfo") << "it has ended";
  }
}

TEST_F(OperationsTest, OneThatHasEndedStaysAsItIs) {
  const std::string name = Begin().name();
  ASSERT_THAT(Succeed(name), IsOk());
  const absl::StatusOr<Operation> ended = Get(name);
  ASSERT_THAT(ended, IsOk());
  ASSERT_THAT(Fail(name, absl::InternalError("out of order")), IsOk());
  EXPECT_THAT(Get(name), IsOkAndHolds(EqualsProto(*ended)));

  const std::string other = Begin().name();
  ASSERT_THAT(Fail(other, absl::InternalError("out of order")), IsOk());
  const absl::StatusOr<Operation> failed = Get(other);
  ASSERT_THAT(failed, IsOk());
  ASSERT_THAT(Succeed(other), IsOk());
  EXPECT_THAT(Get(other), IsOkAndHolds(EqualsProto(*failed)));
}

TEST_F(OperationsTest, ANameThatIsNoneOfTheTenantsIsNotFound) {
  const std::string name = Begin().name();
  EXPECT_THAT(Get(name, kOtherTenant), Refuses(Reason::kOperationNotFound, "name"));
  for (const std::string& wrong : {std::string(), std::string("operations/"), std::string("operations"),
                                   name.substr(std::string("operations/").size()), name + "0", "projects/" + name,
                                   std::string("operations/\0", 12), std::string(100'000, 'o')}) {
    EXPECT_THAT(Get(wrong), Refuses(Reason::kOperationNotFound, "name")) << wrong.substr(0, 100);
    EXPECT_THAT(Succeed(wrong), Refuses(Reason::kOperationNotFound, "name")) << wrong.substr(0, 100);
  }
  EXPECT_THAT(Succeed(name, kOtherTenant), Refuses(Reason::kOperationNotFound, "name"));
  EXPECT_FALSE(Get(name)->done());
}

TEST_F(OperationsTest, WhoWaitsIsToldOnceTheEndIsDurable) {
  const std::string name = Begin().name();
  absl::Notification told;
  ASSERT_TRUE(waiters_.Add(Operations::Topic(kTenant, name), absl::InfiniteFuture(), StaysOn, [&] { told.Notify(); }));
  ControlledDisk disk;
  disk.Hold();
  TransactionOutcome outcome;
  store_->Execute([&](Transaction& txn) { return operations_.Succeed(txn, kTenant, name, Operation()); },
                  outcome.Done());
  disk.WaitUntilHeld();
  EXPECT_FALSE(told.HasBeenNotified());
  disk.Work();
  told.WaitForNotification();
  EXPECT_TRUE(Get(name)->done());
  EXPECT_THAT(outcome.Wait(), IsOk());
}

TEST_F(OperationsTest, AnEndThatIsDroppedTellsNobody) {
  const std::string name = Begin().name();
  const std::string other = Begin().name();
  absl::Notification told;
  absl::Notification fence;
  ASSERT_TRUE(waiters_.Add(Operations::Topic(kTenant, name), absl::InfiniteFuture(), StaysOn, [&] { told.Notify(); }));
  ASSERT_TRUE(
      waiters_.Add(Operations::Topic(kTenant, other), absl::InfiniteFuture(), StaysOn, [&] { fence.Notify(); }));
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) -> absl::Status {
                        HAPAX_RETURN_IF_ERROR(operations_.Succeed(txn, kTenant, name, Operation()));
                        return absl::AbortedError("dropped");
                      }),
              StatusIs(StatusCode::kAborted));
  ASSERT_THAT(Succeed(other), IsOk());
  fence.WaitForNotification();
  EXPECT_FALSE(told.HasBeenNotified());
  EXPECT_FALSE(Get(name)->done());
  ASSERT_THAT(Succeed(name), IsOk());
  told.WaitForNotification();
}

TEST_F(OperationsTest, C24_ARecordedOperationIsRefreshedToWhatItIsNow) {
  const Operation recorded = Begin();
  const auto refresh = [&](const std::string& bytes, const std::string& tenant) {
    absl::StatusOr<std::string> refreshed;
    static_cast<void>(Query(*store_, [&](const ReadTransaction& txn) {
      refreshed = Operations::Refresh({.tenant = tenant}, txn, bytes);
      return absl::OkStatus();
    }));
    return refreshed;
  };
  const std::string bytes = recorded.SerializeAsString();
  EXPECT_THAT(refresh(bytes, kTenant), IsOkAndHolds(bytes));
  ASSERT_THAT(Succeed(recorded.name()), IsOk());
  EXPECT_THAT(refresh(bytes, kTenant), IsOkAndHolds(Get(recorded.name())->SerializeAsString()));
  EXPECT_THAT(refresh(bytes, kOtherTenant), Refuses(Reason::kOperationNotFound, "name"));
  EXPECT_THAT(refresh("\xFF", kTenant), StatusIs(StatusCode::kDataLoss));
}

}  // namespace
}  // namespace hapax
