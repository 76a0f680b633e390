#ifndef HAPAX_CLIENT_WIRE_PROXY_H_
#define HAPAX_CLIENT_WIRE_PROXY_H_

#include <optional>
#include <string>
#include <string_view>

namespace hapax::client {

// A proxy named by the environment.
struct Proxy {
  std::string variable;  // Such as `http_proxy`.
  std::string address;   // Without user and password.
};

// Whether an endpoint (endpoint.h) is this machine by its very name: `localhost`, 127.0.0.0/8, `[::1]`, a Unix socket.
[[nodiscard]] bool IsLoopback(std::string_view endpoint);

// The proxy by which gRPC goes to an endpoint: that of grpc_proxy, else https_proxy, else http_proxy, unless
// no_grpc_proxy, else no_proxy, has an end of the host's name. To this machine there is none.
// Requires: nobody changes the environment meanwhile.
[[nodiscard]] std::optional<Proxy> ProxyTo(std::string_view endpoint);

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_PROXY_H_
