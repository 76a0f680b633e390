#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/server/doors/yandex/door_fixture.h"

// Start, Stop, Get and Delete of instances, and their operations.
namespace hapax::yandex {
namespace {

using testing::Each;
using testing::Field;
using testing::HasSubstr;

class PowerTest : public DoorFixture {};

TEST_F(PowerTest, AStopIsAnOperationUntilTheInstanceIsDown) {
  const std::string id = RunningId();
  const RestReply stopping = Change(id, "stop");
  EXPECT_EQ(stopping.Result(), "200 unprotected");
  EXPECT_EQ(stopping.Header("idempotent-replayed"), "");
  EXPECT_EQ(stopping.At("done"), "false");
  EXPECT_EQ(stopping.At("description"), "Stop instance");
  EXPECT_EQ(stopping.At("metadata.@type"), "type.googleapis.com/yandex.cloud.compute.v1.StopInstanceMetadata");
  EXPECT_EQ(stopping.At("metadata.instanceId"), id);
  EXPECT_EQ(stopping.At("response"), "(none)");
  EXPECT_EQ(StatusOf(id), "STOPPING");

  compute_.FinishStops();
  const RestReply stopped = Operation(stopping.At("id"));
  EXPECT_EQ(stopped.Result(), "200 ");
  EXPECT_EQ(stopped.At("id"), stopping.At("id"));
  EXPECT_EQ(stopped.At("done"), "true");
  EXPECT_EQ(stopped.At("response.@type"), "type.googleapis.com/google.protobuf.Empty");
  EXPECT_EQ(StatusOf(id), "STOPPED");
}

TEST_F(PowerTest, AStartEndsWithTheInstance) {
  const std::string id = RunningId();
  EXPECT_EQ(Change(id, "stop").Result(), "200 unprotected");
  compute_.FinishStops();
  const RestReply starting = Change(id, "start", "T");
  EXPECT_EQ(starting.Result(), "200 executed");
  EXPECT_EQ(starting.At("metadata.@type"), "type.googleapis.com/yandex.cloud.compute.v1.StartInstanceMetadata");
  compute_.FinishStarts();
  // The first example of the documentation: the operation that the first request made, with its current status.
  const RestReply again = Change(id, "start", "T");
  EXPECT_EQ(again.Result(), "200 replayed");
  EXPECT_EQ(again.Header("idempotent-replayed"), "true");
  EXPECT_EQ(again.At("id"), starting.At("id"));
  EXPECT_EQ(again.At("done"), "true");
  EXPECT_EQ(again.At("response.@type"), "type.googleapis.com/yandex.cloud.compute.v1.Instance");
  EXPECT_EQ(again.At("response.id"), id);
  EXPECT_EQ(again.At("response.status"), "RUNNING");
}

// The second example of the documentation: one client stops, another starts, and the first one tries again.
TEST_F(PowerTest, C24_ALateRetryOfAStopStopsNothing) {
  const std::string id = RunningId();
  const RestReply stopped = Change(id, "stop", "c1700de3-b8cb-4d8a-9990-e4ebf052e9aa");
  compute_.FinishStops();
  EXPECT_EQ(Change(id, "start").Result(), "200 unprotected");
  compute_.FinishStarts();
  const RestReply again = Change(id, "stop", "c1700de3-b8cb-4d8a-9990-e4ebf052e9aa");
  EXPECT_EQ(again.Result(), "200 replayed");
  EXPECT_EQ(again.At("id"), stopped.At("id"));
  EXPECT_EQ(again.At("done"), "true");
  EXPECT_EQ(StatusOf(id), "RUNNING");
}

TEST_F(PowerTest, AFailedStartHasAnError) {
  const std::string id = RunningId();
  EXPECT_EQ(Change(id, "stop").Result(), "200 unprotected");
  compute_.FinishStops();
  const RestReply starting = Change(id, "start");
  compute_.FinishStarts(absl::InternalError("no power"));
  const RestReply failed = Operation(starting.At("id"));
  EXPECT_EQ(failed.At("done"), "true");
  EXPECT_NE(failed.At("error.code"), "(none)");
  EXPECT_EQ(failed.At("response"), "(none)");
  EXPECT_EQ(StatusOf(id), "STOPPED");
}

TEST_F(PowerTest, ErrorsAreStatusesWithTheirDetails) {
  const std::string id = RunningId();
  const RestReply refused = Change(id, "start", "T");
  EXPECT_EQ(refused.Result(), "400 INCORRECT_INSTANCE_STATE same-token");
  EXPECT_EQ(refused.At("code"), "9");
  EXPECT_THAT(refused.http.body, HasSubstr("\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\""));
  EXPECT_EQ(refused.Header("hapax-outcome"), "");
  EXPECT_EQ(Change("i-00000000000000000", "stop").Result(), "404 INSTANCE_NOT_FOUND never");
  EXPECT_EQ(Change("web", "stop").http.status, 404);
  EXPECT_EQ(Change(id, "stop", "T").Result(), "200 executed");  // The refused start left the token free.
  const RestReply mismatch = Change("i-00000000000000000", "stop", "T");
  EXPECT_EQ(mismatch.Result(), "400 IDEMPOTENT_PARAMETER_MISMATCH new-token");
  EXPECT_THAT(mismatch.At("message"), HasSubstr("instance_id"));
}

TEST_F(PowerTest, InstancesOfOtherRegionsAreFound) {
  const std::string id = RunningId(R"("zone_id": "eu-west-1a", )");
  const RestReply stopped = Change(id, "stop", "T");
  EXPECT_EQ(stopped.Result(), "200 executed");
  compute_.FinishStops();
  const RestReply again = Change(id, "stop", "T");
  EXPECT_EQ(again.Result(), "200 replayed");
  EXPECT_EQ(again.At("id"), stopped.At("id"));
  EXPECT_EQ(again.At("done"), "true");
  EXPECT_EQ(Delete(id, "U").Result(), "200 executed");
  EXPECT_EQ(Delete(id, "U").Result(), "200 replayed");
}

TEST_F(PowerTest, ADeletionIsAnOperationUntilTheInstanceIsDown) {
  const std::string id = RunningId();
  const RestReply deleting = Delete(id, "T");
  EXPECT_EQ(deleting.Result(), "200 executed");
  EXPECT_EQ(deleting.At("id"), "delete-" + id);
  EXPECT_EQ(deleting.At("done"), "false");
  EXPECT_EQ(deleting.At("metadata.@type"), "type.googleapis.com/yandex.cloud.compute.v1.DeleteInstanceMetadata");
  EXPECT_EQ(StatusOf(id), "DELETING");
  EXPECT_EQ(Operation("delete-" + id).At("done"), "false");
  compute_.FinishShutDowns();
  EXPECT_EQ(Operation("delete-" + id).At("done"), "true");
  EXPECT_EQ(Operation("delete-" + id).At("response.@type"), "type.googleapis.com/google.protobuf.Empty");
  EXPECT_EQ(Get(std::string(kInstances) + "/" + id).Result(), "404 INSTANCE_NOT_FOUND never");
  const RestReply again = Delete(id, "T");
  EXPECT_EQ(again.Result(), "200 replayed");
  EXPECT_EQ(again.At("done"), "true");
}

TEST_F(PowerTest, AnUnknownOperationIsNotFound) {
  const std::string id = RunningId();
  for (const std::string& unknown : {std::string("op-1"), std::string("create-"), std::string("delete-i-1"),
                                     "delete-" + id, std::string("create-i-00000000000000000")}) {
    const RestReply reply = Operation(unknown);
    EXPECT_EQ(reply.Result(), "404 OPERATION_NOT_FOUND never") << unknown;
    EXPECT_THAT(reply.At("message"), HasSubstr("operation_id")) << unknown;
  }
  tenant_ = "bob";
  EXPECT_EQ(Operation("create-" + id).Result(), "404 OPERATION_NOT_FOUND never");
}

TEST_F(PowerTest, TokensComeByHeadersOrThePrefix) {
  const std::string id = RunningId();
  const std::string path = std::string(kInstances) + "/" + id + ":stop";
  HttpRequest request{.method = "POST", .path = path, .prefix_token = "T", .headers = {{"x-client-token", "T"}}};
  EXPECT_EQ(Send(request).Result(), "200 executed");
  request.prefix_token = "";
  EXPECT_EQ(Send(request).Result(), "200 replayed");
  request.headers = {{"idempotency-key", "\"T\""}};
  EXPECT_EQ(Send(request).Result(), "200 replayed");
  request.prefix_token = "U";
  EXPECT_EQ(Send(request).Result(), "400 CLIENT_TOKEN_CONFLICT never");
  request = {.method = "GET", .path = std::string(kInstances) + "/" + id, .headers = {{"idempotency-key", "T"}}};
  EXPECT_EQ(Send(request).Result(), "200 ");  // The SDK of Go gives each call a key.
}

TEST_F(PowerTest, CredentialsAreThoseOfGrpc) {
  HttpRequest request{.method = "GET", .path = kInstances};
  request.headers = {{"authorization", "Bearer KEY"}, {"x-api-key", "KEY"}, {"cookie", "C"}};
  EXPECT_EQ(Send(request).Result(), "200 ");
  const HttpHeaders expected = {{"authorization", "Bearer KEY"}, {"x-api-key", "KEY"}, {"x-tenant-id", "alice"}};
  EXPECT_THAT(calls_.calls, Each(Field(&DoorCall::metadata, expected)));
}

TEST_F(PowerTest, ARefusedCallIsTold) {
  calls_.refuse_with = Reason::kOverloaded;
  const RestReply reply = Change("i-1", "stop", "T");
  EXPECT_EQ(reply.http.status, 429);
  EXPECT_EQ(reply.Header("hapax-retry"), "same-token");
  EXPECT_EQ(reply.Header("Retry-After"), "1");
  calls_.refuse_with = Reason::kUnauthenticated;
  EXPECT_EQ(Get(kInstances).Result(), "401 UNAUTHENTICATED never");
  calls_.refuse_with = Reason::kTokenStoreUnavailable;
  EXPECT_EQ(Change("i-1", "stop", "T").Result(), "503 TOKEN_STORE_UNAVAILABLE same-token");
}

}  // namespace
}  // namespace hapax::yandex
