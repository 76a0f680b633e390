#include "hapax/server/http/message.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/http/form.h"

namespace hapax {
namespace {

constexpr std::string_view kTokenPrefix = "/with-client-token/";

// Without "http://host", which proxies send (RFC 9112, section 3.2.2).
std::string_view WithoutAuthority(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.substr(0, scheme.size()) != scheme) continue;
    const size_t slash = target.find('/', scheme.size());
    return slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  return target;
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); });
}

}  // namespace

std::optional<std::string_view> HttpRequest::Header(std::string_view name) const {
  const auto found =
      std::find_if(headers.begin(), headers.end(), [name](const auto& header) { return header.first == name; });
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

std::string HttpRequest::BaseUrl() const {
  const std::optional<std::string_view> host = Header("host");
  if (!host.has_value()) return prefix;
  return absl::StrCat(is_encrypted ? "https://" : "http://", std::string(*host), prefix);
}

absl::Status ReadTarget(HttpRequest& request) {
  const std::string_view target = WithoutAuthority(request.target);
  if (target.empty() || target.front() != '/' || !IsPrintable(target) || target.find('#') != std::string_view::npos) {
    return absl::InvalidArgumentError("the target must be a path that begins with \"/\", without blanks and \"#\"");
  }
  const size_t mark = target.find('?');
  std::string_view path = target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = std::string(target.substr(mark + 1));
  if (path.substr(0, kTokenPrefix.size()) == kTokenPrefix) {
    const std::string_view rest = path.substr(kTokenPrefix.size());
    const std::string_view token = rest.substr(0, rest.find('/'));
    HAPAX_ASSIGN_OR_RETURN(request.prefix_token, PercentDecode(token));
    // Without a token a retry would be executed again.
    if (token.empty()) return absl::InvalidArgumentError("the path must have a token after /with-client-token/");
    request.prefix = std::string(path.substr(0, kTokenPrefix.size() + token.size()));
    path = path.substr(request.prefix.size());
  }
  request.path = path.empty() ? "/" : std::string(path);
  return absl::OkStatus();
}

}  // namespace hapax
