#include "hapax/client/hapaxctl/flags/endpoint.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hapax/client/wire/endpoint.h"

namespace hapax::ctl {
namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::Status Wrong(std::string_view allowed, std::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat("must be ", View(allowed), ", not \"", View(text), "\""));
}

}  // namespace

absl::Status CheckEndpoint(std::string_view text) {
  if (client::IsHostAndPort(text)) return absl::OkStatus();
  return Wrong(absl::StrContains(View(text), "://") ? "HOST:PORT (--endpoint-url takes a URL)" : "HOST:PORT", text);
}

absl::Status CheckEndpoints(std::string_view text) {
  const std::vector<std::string> endpoints = absl::StrSplit(View(text), ',');
  for (const std::string& endpoint : endpoints) {
    if (absl::Status status = CheckEndpoint(endpoint); !status.ok()) return status;
  }
  return client::ParseEndpoints(text).status();
}

absl::StatusOr<EndpointUrl> ParseEndpointUrl(std::string_view text) {
  constexpr std::string_view kForm = "http://HOST[:PORT], or https://HOST[:PORT] for TLS, with no path behind";
  const bool plain = absl::StartsWithIgnoreCase(View(text), View(kHttp));
  const bool tls = absl::StartsWithIgnoreCase(View(text), View(kHttps));
  if (!plain && !tls) return Wrong(kForm, text);
  std::string_view place = text.substr(tls ? kHttps.size() : kHttp.size());
  if (place.ends_with('/')) place.remove_suffix(1);
  EndpointUrl url{.endpoint = std::string(place), .tls = tls};
  if (client::IsHost(place)) absl::StrAppend(&url.endpoint, tls ? ":443" : ":80");
  if (!client::IsHostAndPort(url.endpoint)) return Wrong(kForm, text);
  return url;
}

}  // namespace hapax::ctl
