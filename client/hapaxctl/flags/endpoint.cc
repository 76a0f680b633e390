#include "hapax/client/hapaxctl/flags/endpoint.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hapax::ctl {
namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::Status Wrong(std::string_view allowed, std::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat("must be ", View(allowed), ", not \"", View(text), "\""));
}

bool ConsistsOf(std::string_view text, std::string_view punctuation) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || punctuation.find(c) != std::string_view::npos;
  });
}

bool IsHost(std::string_view host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return bracketed ? ConsistsOf(host.substr(1, host.size() - 2), ":.%-_") : ConsistsOf(host, ".-_");
}

bool IsHostAndPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !IsHost(text.substr(0, colon))) return false;
  const std::string_view port = text.substr(colon + 1);
  int number = 0;
  const bool digits = std::all_of(port.begin(), port.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
  return digits && absl::SimpleAtoi(View(port), &number) && number >= 1 && number <= 65535;
}

}  // namespace

absl::Status CheckEndpoint(std::string_view text) {
  if (IsHostAndPort(text)) return absl::OkStatus();
  return Wrong(absl::StrContains(View(text), "://") ? "HOST:PORT (--endpoint-url takes a URL)" : "HOST:PORT", text);
}

absl::StatusOr<EndpointUrl> ParseEndpointUrl(std::string_view text) {
  constexpr std::string_view kForm = "http://HOST[:PORT], or https://HOST[:PORT] for TLS, with no path behind";
  const bool plain = absl::StartsWithIgnoreCase(View(text), View(kHttp));
  const bool tls = absl::StartsWithIgnoreCase(View(text), View(kHttps));
  if (!plain && !tls) return Wrong(kForm, text);
  std::string_view place = text.substr(tls ? kHttps.size() : kHttp.size());
  if (place.ends_with('/')) place.remove_suffix(1);
  EndpointUrl url{.endpoint = std::string(place), .tls = tls};
  if (IsHost(place)) absl::StrAppend(&url.endpoint, tls ? ":443" : ":80");
  if (!IsHostAndPort(url.endpoint)) return Wrong(kForm, text);
  return url;
}

}  // namespace hapax::ctl
