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

// Whether HOST:PORT names this machine literally: `localhost`, 127.0.0.0/8, `[::1]`.
[[nodiscard]] bool IsLoopback(std::string_view endpoint);

// The proxy that gRPC uses for HOST:PORT: that of grpc_proxy, or else https_proxy, or else http_proxy. None if
// no_grpc_proxy, or else no_proxy, has a suffix of the host's name, or for this machine.
//
// Requires: nobody changes the environment meanwhile.
[[nodiscard]] std::optional<Proxy> ProxyTo(std::string_view endpoint);

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_PROXY_H_
