#ifndef HAPAX_CLIENT_WIRE_DESTINATION_H_
#define HAPAX_CLIENT_WIRE_DESTINATION_H_

#include <string>
#include <string_view>

namespace hapax::client {

// Where calls go, and who makes them: with the request's own region, what a token is unique within. The same call with
// the same token is made a second time at another destination. It holds no secret.
struct Destination {
  std::string endpoint;  // HOST:PORT, in lower case. Empty: not known.
  std::string caller;    // Such as `API key 3f9c` or `tenant team-a`. Empty: no credential, and no tenant is named.

  friend bool operator==(const Destination&, const Destination&) = default;
};

// `127.0.0.1:50051 as tenant team-a`.
[[nodiscard]] std::string Describe(const Destination& destination);

// Who calls, by what is sent. Of an API key its id, which is not secret; of a key of another form a short digest. Of a
// certificate (PEM; empty for none) what names a tenant (docs/access.md), so that a renewed one is the same caller.
[[nodiscard]] std::string CallerNameOf(std::string_view api_key, std::string_view tenant,
                                       std::string_view certificate_pem);

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_DESTINATION_H_
