#include "hapax/client/wire/proxy.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "hapax/client/wire/endpoint.h"

namespace hapax::client {
namespace {

// gRPC supports only this kind of proxy.
constexpr std::string_view kScheme = "http://";

struct Variable {
  const char* name;
  std::string value;
};

// Returns the first of these variables that is set; nullopt if that one is empty.
std::optional<Variable> FirstSet(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* const value = std::getenv(name);
    if (value == nullptr) continue;
    return *value == '\0' ? std::nullopt : std::optional(Variable{name, value});
  }
  return std::nullopt;
}

// Returns the host and port of `http://user:password@host:1/`.
std::string AddressOf(std::string_view url) {
  url.remove_prefix(kScheme.size());
  url = url.substr(0, url.find('/'));
  const size_t at = url.rfind('@');
  return std::string(at == std::string_view::npos ? url : url.substr(at + 1));
}

bool IsExcepted(const std::string& host) {
  const std::optional<Variable> exceptions = FirstSet({"no_grpc_proxy", "no_proxy"});
  if (!exceptions.has_value()) return false;
  const std::vector<std::string> ends = absl::StrSplit(exceptions->value, ',', absl::SkipEmpty());
  return std::any_of(ends.begin(), ends.end(),
                     [&](const std::string& end) { return absl::EndsWithIgnoreCase(host, end); });
}

}  // namespace

bool IsLoopback(std::string_view endpoint) {
  const std::string host = HostOf(endpoint);
  const bool dotted = absl::StartsWith(host, "127.") && std::all_of(host.begin(), host.end(), [](unsigned char c) {
                        return absl::ascii_isdigit(c) || c == '.';
                      });
  return IsUnixSocket(endpoint) || dotted || host == "::1" || absl::EqualsIgnoreCase(host, "localhost");
}

std::optional<Proxy> ProxyTo(std::string_view endpoint) {
  const std::optional<Variable> proxy = FirstSet({"grpc_proxy", "https_proxy", "http_proxy"});
  if (!proxy.has_value() || !std::string_view(proxy->value).starts_with(kScheme)) return std::nullopt;
  if (IsLoopback(endpoint) || IsExcepted(HostOf(endpoint))) return std::nullopt;
  return Proxy{.variable = proxy->name, .address = AddressOf(proxy->value)};
}

}  // namespace hapax::client
