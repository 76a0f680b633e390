#ifndef HAPAX_TESTS_SERVER_SUPPORT_CHAIN_DOOR_CALLS_H_
#define HAPAX_TESTS_SERVER_SUPPORT_CHAIN_DOOR_CALLS_H_

#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/http/door.h"
#include "hapax/tests/server/support/chain_client.h"
#include "hapax/tests/support/fake_call.h"

namespace hapax {

// The calls of a door through the real chain, to hosted services. A verified principal is believed by its name.
//
// Thread-safety: for one thread. Lifetime: chain and services outlive it.
class ChainDoorCalls final : public DoorCalls {
 public:
  ChainDoorCalls(const ChainClient& chain, std::vector<const HostedService*> services)
      : chain_(chain), services_(std::move(services)) {}

  void Run(const HttpRequest& /*origin*/, DoorCall call, Done done) override {
    calls.push_back(call);
    if (refuse_with.has_value()) return std::move(done)({.reply = Refuse(*refuse_with, "as the test says")});
    const Method* const method = Find(call.method);
    if (method == nullptr) return std::move(done)({.reply = absl::UnimplementedError("no such method")});
    FakeCall fake(*method, call.request);
    for (const auto& [name, value] : call.metadata) fake.AddMetadata(name, value);
    if (call.principal.has_value()) fake.AddMetadata("x-tenant-id", call.principal->tenant);
    chain_.Run(fake);
    const absl::StatusOr<std::string>& reply = fake.Reply();
    std::move(done)({.reply = reply, .outcome = reply.ok() ? fake.outcome : std::nullopt});
  }

  std::vector<DoorCall> calls;        // All that were made.
  std::optional<Reason> refuse_with;  // In place of every call.

 private:
  [[nodiscard]] const Method* Find(std::string_view name) const {
    for (const HostedService* service : services_) {
      for (const Method& method : service->methods()) {
        if (method.name == name) return &method;
      }
    }
    return nullptr;
  }

  const ChainClient& chain_;
  const std::vector<const HostedService*> services_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_CHAIN_DOOR_CALLS_H_
