#ifndef HAPAX_CLIENT_WIRE_DESTINATION_H_
#define HAPAX_CLIENT_WIRE_DESTINATION_H_

#include <string>
#include <string_view>

namespace hapax::client {

// The server or servers of calls, and their caller. A token is unique within a destination and the request's region.
// The same call with the same token executes again at another destination. Contains no secret.
struct Destination {
  std::string endpoint;  // HOST:PORT, in lower case; commas separate several. Empty if unknown.
  std::string caller;    // Such as `API key 3f9c` or `tenant team-a`. Empty without credential and tenant.

  friend bool operator==(const Destination&, const Destination&) = default;
};

// Returns whether two lists of endpoints, separated by commas and in any case, have one in common. The servers of a
// list share a store, so their tokens are then the same.
[[nodiscard]] bool ShareAnEndpoint(std::string_view some, std::string_view others);

// Returns text such as `127.0.0.1:50051 as tenant team-a`.
[[nodiscard]] std::string Describe(const Destination& destination);

// Returns the caller's name, made from the credentials that are sent. An API key gives its id, which is not secret, or
// a short digest if the key has another form. A certificate (PEM; empty for none) gives the name that determines the
// tenant (docs/access.md), so a renewed certificate is the same caller.
[[nodiscard]] std::string CallerNameOf(std::string_view api_key, std::string_view tenant,
                                       std::string_view certificate_pem);

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_DESTINATION_H_
