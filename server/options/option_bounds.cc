#include "hapax/server/options/option_bounds.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"

namespace hapax {
namespace {

constexpr int64_t kMaxDepth = 90;  // protobuf's parser has 100.
constexpr size_t kMaxRegionBytes = 256;
constexpr absl::Duration kLongestRetention = absl::Hours(87'600);
// The memory that gRPC takes for connections besides requests.
constexpr int64_t kOtherConnectionBytes = int64_t{64} << 20;

absl::Status Wrong(absl::string_view option, absl::string_view value, absl::string_view allowed) {
  return OptionError(option, value, absl::InvalidArgumentError(allowed));
}

absl::Status CheckRetention(absl::string_view option, absl::Duration value, absl::Duration least) {
  if (value >= least && value <= kLongestRetention) return absl::OkStatus();
  return Wrong(option, absl::FormatDuration(value),
               absl::StrCat("must be ", absl::FormatDuration(least), " to 87600h"));
}

absl::Status CheckHoldsTwo(absl::string_view option, const MessageBudget::Options& budget) {
  if (budget.bytes / 2 >= budget.max_message_bytes) return absl::OkStatus();
  return Wrong(option, absl::StrCat(budget.bytes),
               absl::StrCat("must be at least ", uint64_t{2} * static_cast<uint64_t>(budget.max_message_bytes)));
}

}  // namespace

absl::Status CheckAtLeast(int64_t least, absl::string_view option, int64_t value) {
  if (value >= least) return absl::OkStatus();
  return Wrong(option, absl::StrCat(value), absl::StrCat("must be at least ", least));
}

absl::Status CheckAtLeast(absl::Duration least, absl::string_view option, absl::Duration value) {
  if (value >= least) return absl::OkStatus();
  return Wrong(option, absl::FormatDuration(value), absl::StrCat("must be at least ", absl::FormatDuration(least)));
}

absl::Status CheckBounds(const TenantLimits& limits) {
  HAPAX_RETURN_IF_ERROR(CheckAtLeast(1, "tenant_limits.max_calls_in_flight", limits.max_calls_in_flight));
  HAPAX_RETURN_IF_ERROR(CheckAtLeast(1, "tenant_limits.max_burst", limits.max_burst));
  if (limits.max_calls_per_second >= 0) return absl::OkStatus();  // For NaN, this is false.
  return Wrong("tenant_limits.max_calls_per_second", absl::StrCat(limits.max_calls_per_second), "must be at least 0");
}

absl::Status CheckBounds(const RequestLimits& limits) {
  HAPAX_RETURN_IF_ERROR(CheckAtLeast(0, "request_limits.max_unknown_fields", limits.max_unknown_fields));
  HAPAX_RETURN_IF_ERROR(CheckAtLeast(0, "request_limits.max_map_entries", limits.max_map_entries));
  HAPAX_RETURN_IF_ERROR(CheckAtLeast(1, "request_limits.max_elements", limits.max_elements));
  if (limits.max_depth >= 0 && limits.max_depth <= kMaxDepth) return absl::OkStatus();
  return Wrong("request_limits.max_depth", absl::StrCat(limits.max_depth), absl::StrCat("must be 0 to ", kMaxDepth));
}

absl::Status CheckBounds(const ConnectionLimits& limits) {
  struct Number {
    absl::string_view option;
    int value;
  };
  for (const Number& number : {
           Number{"connection_limits.max_connections", limits.max_connections},
           Number{"connection_limits.max_stranger_connections", limits.max_stranger_connections},
           Number{"connection_limits.max_message_bytes", limits.max_message_bytes},
           Number{"connection_limits.max_metadata_bytes", limits.max_metadata_bytes},
           Number{"connection_limits.max_calls_per_connection", limits.max_calls_per_connection},
           Number{"connection_limits.max_pending_calls", limits.max_pending_calls},
       }) {
    HAPAX_RETURN_IF_ERROR(CheckAtLeast(1, number.option, number.value));
  }
  struct Timeout {
    absl::string_view option;
    absl::Duration value;
  };
  for (const Timeout& timeout : {
           Timeout{"connection_limits.request_timeout", limits.request_timeout},
           Timeout{"connection_limits.handshake_timeout", limits.handshake_timeout},
           Timeout{"connection_limits.keepalive_time", limits.keepalive_time},
           Timeout{"connection_limits.keepalive_timeout", limits.keepalive_timeout},
           Timeout{"connection_limits.max_connection_idle", limits.max_connection_idle},
           Timeout{"connection_limits.max_connection_age", limits.max_connection_age},
       }) {
    // gRPC counts in whole milliseconds.
    HAPAX_RETURN_IF_ERROR(CheckAtLeast(absl::Milliseconds(1), timeout.option, timeout.value));
  }
  return absl::OkStatus();
}

absl::Status CheckBounds(const TokenPolicy& policy) {
  HAPAX_RETURN_IF_ERROR(CheckRetention("token_policy.retention", policy.retention, absl::Milliseconds(1)));
  HAPAX_RETURN_IF_ERROR(
      CheckRetention("token_policy.tombstone_retention", policy.tombstone_retention, absl::ZeroDuration()));
  HAPAX_RETURN_IF_ERROR(CheckAtLeast(0, "token_policy.max_tokens_per_tenant", policy.max_tokens_per_tenant));
  HAPAX_RETURN_IF_ERROR(CheckAtLeast(0, "token_policy.max_token_bytes_per_tenant", policy.max_token_bytes_per_tenant));
  return CheckAtLeast(0, "token_policy.max_abandoned_tokens_per_tenant", policy.max_abandoned_tokens_per_tenant);
}

absl::Status CheckBudgets(const MessageBudget::Options& requests, const MessageBudget::Options& replies,
                          const ConnectionLimits& connections) {
  HAPAX_RETURN_IF_ERROR(
      CheckAtLeast(connections.max_message_bytes, "request_budget.max_message_bytes", requests.max_message_bytes));
  HAPAX_RETURN_IF_ERROR(CheckAtLeast(1, "reply_budget.max_message_bytes", replies.max_message_bytes));
  HAPAX_RETURN_IF_ERROR(CheckHoldsTwo("request_budget.bytes", requests));
  HAPAX_RETURN_IF_ERROR(CheckHoldsTwo("reply_budget.bytes", replies));
  const int64_t others = std::min(kOtherConnectionBytes, std::numeric_limits<int64_t>::max() - requests.bytes);
  return CheckAtLeast(requests.bytes + others, "connection_limits.max_connection_bytes",
                      connections.max_connection_bytes);
}

absl::Status CheckDefaultRegion(const std::string& region) {
  const bool is_readable = std::all_of(region.begin(), region.end(), absl::ascii_isprint);
  if (!region.empty() && region.size() <= kMaxRegionBytes && is_readable) return absl::OkStatus();
  return Wrong("default_region", absl::CHexEscape(region),
               absl::StrCat("must be 1 to ", kMaxRegionBytes, " characters 0x20-0x7E"));
}

}  // namespace hapax
