// Hosts a service whose reply is a google.longrunning.Operation of the application's own code.
#include <cstdio>

#include "google/longrunning/operations.pb.h"
#include "hapax/server/hosting/hosted_service.h"
#include "refunds/v1/refunds.pb.h"

int main() {
  using google::longrunning::Operation;
  using orders::v1::PlaceOrderRequest;
  hapax::HostedService orders(*PlaceOrderRequest::descriptor()->file()->FindServiceByName("Orders"));
  orders.Mutation<PlaceOrderRequest, Operation>(
      "PlaceOrder", [](const auto& /*context*/, auto& /*txn*/, const auto& /*request*/, Operation* /*reply*/) {
        return absl::OkStatus();
      });
  orders.SetOperationRefresher(
      [](const auto& /*context*/, const auto& /*txn*/, std::string recorded) { return recorded; });
  const absl::Status compiled = orders.Compile();
  refunds::v1::Refund refund;
  refund.mutable_amount()->set_cents(7);
  std::printf("%s %s\n", compiled.ToString().c_str(), refund.ShortDebugString().c_str());
}
