#ifndef HAPAX_SERVER_OPTIONS_HOST_PORT_H_
#define HAPAX_SERVER_OPTIONS_HOST_PORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hapax {

// An address to listen on.
struct HostPort {
  std::string host;  // Without the brackets of an IPv6 address.
  int port = 0;      // 0 takes a free one.

  // Errors: INVALID_ARGUMENT, as the OptionError of the option with the address.
  [[nodiscard]] static absl::StatusOr<HostPort> Parse(absl::string_view option, const std::string& address);

  // Whether the address is reachable only from this machine.
  [[nodiscard]] bool IsLoopback() const;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_HOST_PORT_H_
