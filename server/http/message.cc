#include "hapax/server/http/message.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace hapax {

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

}  // namespace hapax
