#include "hapax/interceptors/client_token.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {
namespace {

constexpr std::string_view kTokenMetadata = "x-client-token";
constexpr std::string_view kIdempotencyKeyMetadata = "idempotency-key";

struct Source {
  std::string name;
  std::string token;
};

absl::Status Invalid(std::string_view source, std::string_view what) {
  return RefuseField(Reason::kInvalidClientToken, source, what);
}

// The content of a structured-field string, or the value itself when it is not quoted.
absl::StatusOr<std::string> Unquote(std::string_view value) {
  if (value.empty() || value.front() != '"') return std::string(value);
  std::string content;
  for (size_t i = 1; i < value.size(); ++i) {
    if (value[i] == '"' && i + 1 == value.size()) return content;
    if (value[i] == '"') break;
    if (value[i] == '\\') {
      ++i;
      if (i == value.size() || (value[i] != '"' && value[i] != '\\')) break;
    }
    content.push_back(value[i]);
  }
  return Invalid(kIdempotencyKeyMetadata, "begins with a quote, but is not a quoted string");
}

absl::StatusOr<std::vector<Source>> SourcesOf(const UnaryCall& call) {
  std::vector<Source> sources;
  const StringFieldPath& field = call.method().rule->token_field();
  if (const std::string_view token = field.Read(*call.request); !token.empty()) {
    sources.push_back({.name = field.name(), .token = std::string(token)});
  }
  for (std::string_view value : call.Metadata(kTokenMetadata)) {
    sources.push_back({.name = std::string(kTokenMetadata), .token = std::string(value)});
  }
  for (std::string_view value : call.Metadata(kIdempotencyKeyMetadata)) {
    HAPAX_ASSIGN_OR_RETURN(std::string token, Unquote(value));
    sources.push_back({.name = std::string(kIdempotencyKeyMetadata), .token = std::move(token)});
  }
  return sources;
}

}  // namespace

absl::Status CheckClientToken(std::string_view source, std::string_view token) {
  const bool printable = std::all_of(token.begin(), token.end(), [](char c) { return c >= 0x21 && c <= 0x7E; });
  if (!token.empty() && token.size() <= kMaxClientTokenLength && printable) return absl::OkStatus();
  return Invalid(source, "a client token is 1 to 64 printable ASCII characters (0x21-0x7E), without spaces");
}

absl::StatusOr<std::string> ClientTokenOf(const UnaryCall& call) {
  HAPAX_ASSIGN_OR_RETURN(std::vector<Source> sources, SourcesOf(call));
  if (sources.empty()) return std::string();
  for (const Source& source : sources) HAPAX_RETURN_IF_ERROR(CheckClientToken(source.name, source.token));
  for (const Source& source : sources) {
    if (source.token == sources.front().token) continue;
    return Refuse(Reason::kClientTokenConflict,
                  sources.front().name + " and " + source.name + " give different client tokens; give one, or the same",
                  {{.field = source.name, .description = "differs from " + sources.front().name}});
  }
  return std::move(sources.front().token);
}

}  // namespace hapax
