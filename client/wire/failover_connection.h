#ifndef HAPAX_CLIENT_WIRE_FAILOVER_CONNECTION_H_
#define HAPAX_CLIENT_WIRE_FAILOVER_CONNECTION_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hapax/client/wire/connection.h"
#include "hapax/client/wire/endpoint_connection.h"
#include "hapax/client/wire/endpoint_health.h"

namespace hapax::client {

// Several endpoints, each with its own connection. Their servers share one store, so a token means the same at each
// (C30). It chooses endpoints by their health (endpoint_health.h), and learns that from the ends of attempts.
//
// It is not one gRPC channel with a load balancing policy. Such a channel has one name for all its servers, which their
// certificates would have to share. Nor can an attempt tell it which servers to avoid. gRPC's health checks would take
// a stream on each connection, to tell what the ends of attempts tell as well.
//
// Thread-safety: safe.
// Lifetime: that of Connection.
class FailoverConnection final : public Connection {
 public:
  // Returns monotonic time.
  using Now = std::function<absl::Duration()>;

  // `order` has the number of each endpoint once, in the order of preference. Requires: two endpoints or more, whose
  // destinations have the same caller.
  FailoverConnection(std::vector<std::shared_ptr<EndpointConnection>> endpoints, std::vector<size_t> order, Now now);

  Cancel Start(Attempt attempt, Done done) override;
  [[nodiscard]] Destination destination() const override { return destination_; }
  [[nodiscard]] absl::Status CheckUsable() const override { return endpoints_.front()->CheckUsable(); }
  [[nodiscard]] size_t endpoint_count() const override { return endpoints_.size(); }
  [[nodiscard]] std::string endpoint_name(size_t endpoint) const override;
  [[nodiscard]] size_t ChooseEndpoint(absl::Span<const size_t> avoided) override;

 private:
  void NoteEnd(size_t endpoint, const AttemptEnd& end);

  const Now now_;
  EndpointHealth health_;
  Destination destination_;
  std::vector<std::shared_ptr<EndpointConnection>> endpoints_;  // Destroyed first: their attempts use the rest.
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_FAILOVER_CONNECTION_H_
