#include "hapax/server/options/host_port.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "hapax/base/option_error.h"

namespace hapax {
namespace {

constexpr int kMaxPort = 65535;

std::optional<HostPort> ParseParts(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  HostPort parsed{.host = address.substr(0, colon)};
  const std::string port = address.substr(colon + 1);
  const bool all_digits = !port.empty() && std::all_of(port.begin(), port.end(), absl::ascii_isdigit);
  if (!all_digits || !absl::SimpleAtoi(port, &parsed.port) || parsed.port > kMaxPort) return std::nullopt;
  if (parsed.host.front() == '[' && parsed.host.back() == ']') {
    parsed.host = parsed.host.substr(1, parsed.host.size() - 2);
  } else if (parsed.host.find(':') != std::string::npos) {
    return std::nullopt;
  }
  return parsed.host.empty() ? std::nullopt : std::optional(std::move(parsed));
}

}  // namespace

absl::StatusOr<HostPort> HostPort::Parse(absl::string_view option, const std::string& address) {
  std::optional<HostPort> parsed = ParseParts(address);
  if (parsed.has_value()) return *std::move(parsed);
  return OptionError(option, address,
                     absl::InvalidArgumentError(
                         "must be HOST:PORT with a port of 0 to 65535, such as 127.0.0.1:50051 or [::1]:50051"));
}

bool HostPort::IsLoopback() const {
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace hapax
