#include "hapax/client/wire/endpoint.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hapax::client {
namespace {

constexpr std::string_view kDns = "dns:";
constexpr std::string_view kIpv4 = "ipv4:";
constexpr std::string_view kIpv6 = "ipv6:";
constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kUnixAbstract = "unix-abstract:";

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

bool ConsistsOf(std::string_view text, std::string_view punctuation) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || punctuation.find(c) != std::string_view::npos;
  });
}

bool IsAddress(int family, std::string_view text) {
  in6_addr address;  // Large enough for both families.
  return text.find('\0') == std::string_view::npos && inet_pton(family, std::string(text).c_str(), &address) == 1;
}

// Allows `::1`, and an address with its interface: `fe80::1%eth0`.
bool IsIpv6(std::string_view text) {
  const size_t zone = text.find('%');
  if (zone != std::string_view::npos && !ConsistsOf(text.substr(zone + 1), ".-_")) return false;
  return IsAddress(AF_INET6, text.substr(0, zone));
}

bool IsBracketed(std::string_view host) { return host.size() > 2 && host.front() == '[' && host.back() == ']'; }

// Splits `host:port` at the last colon.
std::optional<std::pair<std::string_view, std::string_view>> Split(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return std::pair(text.substr(0, colon), text.substr(colon + 1));
}

bool IsPort(std::string_view text) {
  int number = 0;
  const bool digits = std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
  return digits && absl::SimpleAtoi(View(text), &number) && number >= 1 && number <= 65535;
}

bool AreAddresses(std::string_view list, bool (*is_host)(std::string_view)) {
  while (true) {
    const size_t comma = list.find(',');
    const auto parts = Split(list.substr(0, comma));
    if (!parts.has_value() || !is_host(parts->first) || !IsPort(parts->second)) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

// Returns the part after `dns:`, without the name server.
std::string_view DnsPath(std::string_view rest) {
  if (!rest.starts_with("//")) return rest;
  const size_t slash = rest.find('/', 2);
  return slash == std::string_view::npos ? "" : rest.substr(slash + 1);
}

// gRPC reads the endpoint as a URI. So characters that it would unescape or cut off are not allowed.
bool IsSocketPath(std::string_view path) {
  constexpr size_t kMaxBytes = sizeof(sockaddr_un::sun_path) - 1;
  if (path.starts_with("//")) {
    path.remove_prefix(2);
    if (!path.starts_with('/')) return false;
  }
  return path != "/" && path.size() <= kMaxBytes && ConsistsOf(path, "-._~!$&'()*+,;=:@/");
}

bool IsEndpoint(std::string_view text) {
  if (text.starts_with(kUnix)) return IsSocketPath(text.substr(kUnix.size()));
  if (text.starts_with(kUnixAbstract)) return IsSocketPath(text.substr(kUnixAbstract.size()));
  if (text.starts_with(kDns)) return IsHostAndPort(DnsPath(text.substr(kDns.size())));
  if (text.starts_with(kIpv4)) {
    return AreAddresses(text.substr(kIpv4.size()), [](std::string_view host) { return IsAddress(AF_INET, host); });
  }
  if (text.starts_with(kIpv6)) {
    return AreAddresses(text.substr(kIpv6.size()), [](std::string_view host) {
      return IsBracketed(host) && IsIpv6(host.substr(1, host.size() - 2));
    });
  }
  return IsHostAndPort(text);
}

}  // namespace

bool IsHost(std::string_view text) {
  if (IsBracketed(text)) return IsIpv6(text.substr(1, text.size() - 2));
  const bool dotted =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isdigit(c) || c == '.'; });
  return dotted ? IsAddress(AF_INET, text) : text.front() != '.' && ConsistsOf(text, ".-_");
}

bool IsHostAndPort(std::string_view text) {
  const auto parts = Split(text);
  return parts.has_value() && IsHost(parts->first) && IsPort(parts->second);
}

absl::Status CheckEndpoint(std::string_view endpoint) {
  if (IsEndpoint(endpoint)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "endpoint \"", absl::CHexEscape(View(endpoint)),
      "\": must be HOST:PORT, [IPV6]:PORT, dns:///HOST:PORT, ipv4:ADDRESS:PORT, ipv6:[ADDRESS]:PORT, unix:PATH, "
      "unix:///PATH or unix-abstract:NAME",
      endpoint.find("://") != std::string_view::npos && !endpoint.starts_with(kDns) ? "; a URL is none of them" : ""));
}

bool IsUnixSocket(std::string_view endpoint) {
  return endpoint.starts_with(kUnix) || endpoint.starts_with(kUnixAbstract);
}

std::string HostOf(std::string_view endpoint) {
  if (IsUnixSocket(endpoint)) return "";
  if (endpoint.starts_with(kDns)) endpoint = DnsPath(endpoint.substr(kDns.size()));
  if (endpoint.starts_with(kIpv4) || endpoint.starts_with(kIpv6)) {
    endpoint = endpoint.substr(kIpv4.size());
    endpoint = endpoint.substr(0, endpoint.find(','));
  }
  std::string_view host = endpoint.substr(0, endpoint.rfind(':'));
  if (IsBracketed(host)) host = host.substr(1, host.size() - 2);
  return std::string(host);
}

}  // namespace hapax::client
