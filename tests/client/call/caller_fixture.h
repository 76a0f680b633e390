#ifndef HAPAX_TESTS_CLIENT_CALL_CALLER_FIXTURE_H_
#define HAPAX_TESTS_CLIENT_CALL_CALLER_FIXTURE_H_

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "hapax/client/call/caller.h"
#include "hapax/client/compute_client.h"
#include "hapax/tests/client/call/simulated_network.h"

namespace hapax::client {

// A Caller on a simulated network.
class CallerFixture : public testing::Test {
 protected:
  static RetryPolicy Policy() {
    return {.timeout = absl::Seconds(60),
            .attempt_timeout = absl::Seconds(10),
            .initial_backoff = absl::Milliseconds(100),
            .max_backoff = absl::Seconds(1),
            .max_attempts = 20};
  }
  static RawCall Protected() { return {.method = "a.B/C", .request = "request", .token = "the-token"}; }

  Result<std::string> Call(const RetryPolicy& policy = Policy(), const RawCall& call = Protected()) {
    return caller.CallRaw(call, policy);
  }
  // A call of RunInstances, with the token in the request unless it is empty.
  Result<compute::v1::RunInstancesResponse> Launch(const std::string& token = "", const CallOptions& options = {}) {
    compute::v1::RunInstancesRequest request;
    request.set_client_token(token);
    request.set_image_id("image");
    return caller.Call<compute::v1::RunInstancesResponse>(ComputeClient::Method("RunInstances"), request, options);
  }
  // The token in the request of that attempt.
  [[nodiscard]] std::string SentToken(size_t attempt) const {
    compute::v1::RunInstancesRequest request;
    EXPECT_TRUE(request.ParseFromString(network->attempt(attempt).attempt.request));
    EXPECT_EQ(request.image_id(), "image");
    return request.client_token();
  }
  // A reply to RunInstances.
  static std::string Launched(const std::string& reservation) {
    compute::v1::RunInstancesResponse response;
    response.set_reservation_id(reservation);
    return response.SerializeAsString();
  }

  SimulatedTiming timing;
  std::shared_ptr<ScriptedConnection> network = std::make_shared<ScriptedConnection>(timing);
  Caller caller{network, {.retry = Policy(), .budget = {.capacity = 1000}}, timing};
};

}  // namespace hapax::client

#endif  // HAPAX_TESTS_CLIENT_CALL_CALLER_FIXTURE_H_
