#include "hapax/client/wire/endpoint.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

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

bool IsAddressAndPort(std::string_view text, bool (*is_host)(std::string_view)) {
  const auto parts = Split(text);
  return parts.has_value() && is_host(parts->first) && IsPort(parts->second);
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
  return path != "/" && path.size() <= kMaxBytes && ConsistsOf(path, "-._~!$&'()*+;=:@/");
}

bool IsEndpoint(std::string_view text) {
  if (text.starts_with(kUnix)) return IsSocketPath(text.substr(kUnix.size()));
  if (text.starts_with(kUnixAbstract)) return IsSocketPath(text.substr(kUnixAbstract.size()));
  if (text.starts_with(kDns)) return IsHostAndPort(DnsPath(text.substr(kDns.size())));
  if (text.starts_with(kIpv4)) {
    return IsAddressAndPort(text.substr(kIpv4.size()), [](std::string_view host) { return IsAddress(AF_INET, host); });
  }
  if (text.starts_with(kIpv6)) {
    return IsAddressAndPort(text.substr(kIpv6.size()), [](std::string_view host) {
      return IsBracketed(host) && IsIpv6(host.substr(1, host.size() - 2));
    });
  }
  return IsHostAndPort(text);
}

// Two endpoints with the same identity are the same place, written differently.
std::string IdentityOf(std::string_view endpoint) {
  if (IsUnixSocket(endpoint)) return EndpointName(endpoint);
  return absl::StrCat(absl::AsciiStrToLower(HostOf(endpoint)), " ", View(endpoint.substr(endpoint.rfind(':'))));
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

absl::StatusOr<std::vector<std::string>> ParseEndpoints(std::string_view list) {
  std::vector<std::string> endpoints = absl::StrSplit(View(list), ',');
  std::map<std::string, std::string> by_identity;
  for (const std::string& endpoint : endpoints) {
    if (absl::Status status = CheckEndpoint(endpoint); !status.ok()) {
      if (endpoints.size() == 1) return status;
      return absl::InvalidArgumentError(
          absl::StrCat(status.message(), "; commas separate the endpoints of \"", absl::CHexEscape(View(list)), "\""));
    }
    const auto [same, is_new] = by_identity.try_emplace(IdentityOf(endpoint), endpoint);
    if (is_new) continue;
    return absl::InvalidArgumentError(absl::StrCat("endpoint \"", endpoint, "\": is the same as \"", same->second,
                                                   "\" before it; each server is named once"));
  }
  if (endpoints.size() <= kMaxEndpoints) return endpoints;
  return absl::InvalidArgumentError(
      absl::StrCat("endpoint: names ", endpoints.size(), " servers; at most ", kMaxEndpoints, " are allowed"));
}

std::string EndpointName(std::string_view endpoint) {
  return IsUnixSocket(endpoint) ? std::string(endpoint) : absl::AsciiStrToLower(View(endpoint));
}

bool IsUnixSocket(std::string_view endpoint) {
  return endpoint.starts_with(kUnix) || endpoint.starts_with(kUnixAbstract);
}

std::string HostOf(std::string_view endpoint) {
  if (IsUnixSocket(endpoint)) return "";
  if (endpoint.starts_with(kDns)) endpoint = DnsPath(endpoint.substr(kDns.size()));
  if (endpoint.starts_with(kIpv4) || endpoint.starts_with(kIpv6)) {
    endpoint = endpoint.substr(kIpv4.size());
  }
  std::string_view host = endpoint.substr(0, endpoint.rfind(':'));
  if (IsBracketed(host)) host = host.substr(1, host.size() - 2);
  return std::string(host);
}

}  // namespace hapax::client
