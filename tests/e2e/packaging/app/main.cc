// A program that has google.rpc and google.longrunning of its own, or a library that has them, beside Hapax's client.
// Usage: app ENDPOINT TENANT
#include <cstdio>
#include <string>

#include "hapax/client/call/caller.h"
#include "hapax/client/call/error.h"
#include "hapax/client/compute_client.h"
#include "own.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto connection = hapax::client::Connect({.endpoint = argv[1], .tenant = argv[2]});
  if (!connection.ok()) return 1;
  hapax::client::Caller caller(*connection);
  hapax::compute::v1::StopInstanceRequest request;
  request.set_instance_id("i-none");
  const auto result = caller.Call<hapax::client::ComputeClient::Operation>(
      hapax::client::ComputeClient::Method("StopInstance"), request);
  const absl::Status& status = result.reply.status();
  std::printf("reason: %s\n", hapax::client::ReasonOf(status).c_str());
  for (const auto& violation : hapax::client::FieldViolationsOf(status)) {
    std::printf("field: %s\n", violation.field.c_str());
  }
  const auto info = status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo");
  std::printf("by own code: %s\n", ReasonByOwnCode(std::string(info.value_or(absl::Cord()))).c_str());
  hapax::client::ComputeClient::Operation operation;
  operation.set_name("operations/1");
  std::printf("%s\n", NameByOwnCode(operation.SerializeAsString()).c_str());
}
