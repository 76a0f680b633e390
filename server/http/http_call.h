#ifndef HAPAX_SERVER_HTTP_HTTP_CALL_H_
#define HAPAX_SERVER_HTTP_HTTP_CALL_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/http/door.h"

namespace hapax {

// A call of a door on its way through the chain. It deletes itself once it has ended.
class HttpCall final : public UnaryCall {
 public:
  // Clients give up after 60 s, so a call ends before.
  static constexpr absl::Duration kTimeout = absl::Seconds(50);

  HttpCall(const Method& method, const HttpRequest& origin, DoorCall call, DoorCalls::Done done);

  [[nodiscard]] std::string_view request_bytes() const override { return call_.request; }
  [[nodiscard]] MetadataValues Metadata(std::string_view key) const override;
  [[nodiscard]] std::string peer() const override { return origin_.peer; }
  [[nodiscard]] PeerNames peer_names() const override;
  [[nodiscard]] absl::Time deadline() const override { return deadline_; }
  [[nodiscard]] bool IsCancelled() const override;
  [[nodiscard]] const Principal* verified_principal() const override {
    return call_.principal.has_value() ? &*call_.principal : nullptr;
  }

 private:
  ~HttpCall() override = default;
  void Send(absl::StatusOr<std::string> reply) override;

  const HttpRequest& origin_;
  const DoorCall call_;
  DoorCalls::Done done_;
  const absl::Time deadline_;
};

// The unary methods of the hosted services, for doors.
// Lifetime: services and chain outlive it, and it outlives its calls.
class ChainCalls final : public DoorCalls {
 public:
  // Requires: `services` are compiled.
  ChainCalls(const std::vector<const HostedService*>& services, const Chain& chain);

  void Run(const HttpRequest& origin, DoorCall call, Done done) override;

 private:
  const Chain& chain_;
  absl::flat_hash_map<std::string_view, const Method*> methods_;  // By name.
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HTTP_HTTP_CALL_H_
