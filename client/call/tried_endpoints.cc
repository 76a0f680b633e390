#include "hapax/client/call/tried_endpoints.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hapax::client {

void TriedEndpoints::OnAttempt(size_t endpoint) {
  if (has_several()) errors_.try_emplace(endpoint);
}

void TriedEndpoints::OnError(size_t endpoint, const absl::Status& error) {
  if (!has_several()) return;
  errors_[endpoint] = std::string(error.message());
  last_failed_ = endpoint;
}

std::vector<size_t> TriedEndpoints::Avoided(std::vector<size_t> open) const {
  if (AnyLeft()) {
    for (const auto& [endpoint, error] : errors_) open.push_back(endpoint);
  } else {
    open.push_back(last_failed_);
  }
  return open;
}

std::string TriedEndpoints::Describe() const {
  std::vector<std::string> tried;
  for (const auto& [endpoint, message] : errors_) {
    tried.push_back(
        absl::StrCat(connection_.endpoint_name(endpoint), " (", message.empty() ? "no answer" : message, ")"));
  }
  return tried.empty() ? "" : absl::StrCat("tried ", absl::StrJoin(tried, ", "));
}

absl::Status TriedEndpoints::Describe(const absl::Status& error) const {
  if (!has_several()) return error;
  absl::Status described(error.code(), Describe());
  error.ForEachPayload([&](absl::string_view type, const absl::Cord& value) { described.SetPayload(type, value); });
  return described;
}

}  // namespace hapax::client
