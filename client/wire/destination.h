#ifndef HAPAX_CLIENT_WIRE_DESTINATION_H_
#define HAPAX_CLIENT_WIRE_DESTINATION_H_

#include <string>
#include <string_view>

namespace hapax::client {

// The server that calls go to, and their caller. Together with the request's region, a token is unique within it. The
// same call with the same token executes again at another destination. It contains no secret.
struct Destination {
  std::string endpoint;  // HOST:PORT, in lower case. Empty: unknown.
  std::string caller;    // Such as `API key 3f9c` or `tenant team-a`. Empty: neither credential nor tenant.

  friend bool operator==(const Destination&, const Destination&) = default;
};

// `127.0.0.1:50051 as tenant team-a`.
[[nodiscard]] std::string Describe(const Destination& destination);

// The caller's name, from the credentials sent. For an API key it is its id, which is not secret, or a short digest of
// a key in another form. For a certificate (PEM; empty for none) it is the name that gives the tenant (docs/access.md),
// so a renewed certificate is the same caller.
[[nodiscard]] std::string CallerNameOf(std::string_view api_key, std::string_view tenant,
                                       std::string_view certificate_pem);

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_DESTINATION_H_
