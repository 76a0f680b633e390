#ifndef HAPAX_CLIENT_HAPAXCTL_FLAGS_ENDPOINT_H_
#define HAPAX_CLIENT_HAPAXCTL_FLAGS_ENDPOINT_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hapax::ctl {

// Checks a `HOST:PORT`: a name, an IPv4 address, or an IPv6 address in brackets. A URL is refused, since gRPC would
// resolve its whole text as a name. Errors: INVALID_ARGUMENT, saying what is allowed.
[[nodiscard]] absl::Status CheckEndpoint(std::string_view text);

// Checks such a `HOST:PORT`, or several with commas between them, up to 16 and each once.
[[nodiscard]] absl::Status CheckEndpoints(std::string_view text);

// The endpoint of a URL.
struct EndpointUrl {
  std::string endpoint;  // HOST:PORT.
  bool tls = false;
};
// Parses `http://HOST[:PORT]`, or `https://` for TLS; the default ports are 80 and 443. Only a `/` may follow.
// Errors: INVALID_ARGUMENT, saying what is allowed.
[[nodiscard]] absl::StatusOr<EndpointUrl> ParseEndpointUrl(std::string_view text);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_FLAGS_ENDPOINT_H_
