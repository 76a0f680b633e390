#include "hapax/server/options/limit_flags.h"

#include <cstdint>
#include <utility>

#include "absl/flags/flag.h"
#include "hapax/interceptors/idempotency/token_policy.h"

ABSL_FLAG(int, max_calls_in_flight, 4096, "Calls that may be under way; one more is refused with OVERLOADED");
ABSL_FLAG(int, max_calls_in_flight_per_tenant, hapax::TenantLimits().max_calls_in_flight,
          "Calls of one tenant that may be under way; one more is refused with OVERLOADED. Less than "
          "--max_calls_in_flight, so that no tenant takes all of them");
ABSL_FLAG(double, max_calls_per_second_per_tenant, hapax::TenantLimits().max_calls_per_second,
          "Calls a second that one tenant may make in the long run, retries among them; more are refused with "
          "OVERLOADED. 0: any number");
ABSL_FLAG(int, max_burst_per_tenant, hapax::TenantLimits().max_burst,
          "With --max_calls_per_second_per_tenant: calls that a tenant may make at once after a pause");
ABSL_FLAG(
    int64_t, max_tokens_per_tenant, 0,
    "Client tokens that one tenant may have stored, until they are forgotten; a call with one more is refused with "
    "QUOTA_EXCEEDED. 0: any number, which nobody counts; the first start with another number counts them");
ABSL_FLAG(
    int64_t, max_token_bytes_per_tenant, 0,
    "Bytes that one tenant's client tokens may take with their replies, which count until they expire; a call that "
    "would store more is refused with QUOTA_EXCEEDED. 0: any number. Counted as --max_tokens_per_tenant is");
ABSL_FLAG(
    int64_t, max_abandoned_tokens_per_tenant, hapax::TokenPolicy().max_abandoned_tokens_per_tenant,
    "Client tokens that one tenant may have abandoned, besides, some 150 bytes each that are stored for good; one "
    "more is refused with QUOTA_EXCEEDED. 0: any number");
ABSL_FLAG(uint32_t, max_waiting_transactions, 4096,
          "Transactions that may wait for execution, half of them one tenant's; one more is refused with OVERLOADED");
ABSL_FLAG(int, max_connections, hapax::ConnectionLimits().max_connections,
          "Connections that may be open; one more is closed at once, or waits for a stranger's to go. Less where the "
          "process may not have as many descriptors (ulimit -Hn), 512 of which are for files");
ABSL_FLAG(
    int, max_stranger_connections, hapax::ConnectionLimits().max_stranger_connections,
    "Connections that may be open on which no call was admitted yet. One more waits to be accepted, and the oldest "
    "that had half a second for a call is reset for it, also a health checker's");
ABSL_FLAG(int, max_message_bytes, hapax::ConnectionLimits().max_message_bytes,
          "Bytes of a request's message; gRPC refuses a longer one with RESOURCE_EXHAUSTED, before it is read");
ABSL_FLAG(
    int64_t, max_request_bytes_in_flight, hapax::MessageBudget::Options().bytes,
    "Bytes of requests that may be read or held, where one that is read counts as --max_message_bytes, and one up "
    "to 16 KiB no more once it has come; others wait to be read. Once half are taken, one tenant takes a "
    "quarter more at the most. At least two times --max_message_bytes");
ABSL_FLAG(
    int64_t, max_reply_bytes_in_flight, hapax::Scheduling::kReplies.bytes,
    "Bytes of replies over 16 KiB that may be on their way to clients, where one that is about to be read counts as "
    "4 MiB; one tenant takes a quarter at the most, or one. Others wait to be read, and calls that would make one more "
    "are refused with OVERLOADED once half are taken. At least 8 MiB");
ABSL_FLAG(int64_t, max_request_unknown_fields, hapax::RequestLimits().max_unknown_fields,
          "Fields of a request that the server does not know, nested ones among them; a request with more is refused "
          "with INVALID_PARAMETER before it is parsed. A method's rule may allow less, as with the next three");
ABSL_FLAG(int64_t, max_request_map_entries, hapax::RequestLimits().max_map_entries,
          "Entries of all maps of a request together");
ABSL_FLAG(int64_t, max_request_elements, hapax::RequestLimits().max_elements,
          "Fields, elements of lists and map entries of a request together");
ABSL_FLAG(int64_t, max_request_depth, hapax::RequestLimits().max_depth,
          "Messages of a request within one another, itself not among them; 0 to 90");
ABSL_FLAG(int, max_metadata_bytes, hapax::ConnectionLimits().max_metadata_bytes,
          "Bytes of a request's metadata, names and values and 32 for each; gRPC refuses a call with more");
ABSL_FLAG(int, max_calls_per_connection, hapax::ConnectionLimits().max_calls_per_connection,
          "Calls that may be under way on one connection; the client's gRPC has more of them wait");
ABSL_FLAG(int, max_pending_calls, hapax::ConnectionLimits().max_pending_calls,
          "Admitted calls whose request has not come, and as many streams of Health and Reflection, on each event "
          "thread, one for "
          "two cores; with one more the oldest is ended with UNAVAILABLE");
ABSL_FLAG(
    absl::Duration, request_timeout, hapax::ConnectionLimits().request_timeout,
    "How long the request of an admitted call may take to come, or a client to take a reply over 16 KiB, such as 30s, "
    "or inf; once another call comes after that, the late one is ended with UNAVAILABLE");
ABSL_FLAG(
    int64_t, max_connection_bytes, hapax::ConnectionLimits().max_connection_bytes,
    "Bytes that gRPC may hold for connections, messages that are not whole among them; beyond it gRPC ends calls with "
    "RESOURCE_EXHAUSTED, whosever. At least --max_request_bytes_in_flight and 64 MiB more");
ABSL_FLAG(absl::Duration, handshake_timeout, hapax::ConnectionLimits().handshake_timeout,
          "How long a new connection may take until TLS and HTTP/2 are agreed on, such as 20s; then it is closed");
ABSL_FLAG(absl::Duration, keepalive_time, hapax::ConnectionLimits().keepalive_time,
          "How long a connection may be silent before the client is asked whether it is still there, such as 1m");
ABSL_FLAG(absl::Duration, keepalive_timeout, hapax::ConnectionLimits().keepalive_timeout,
          "How long a client may take to answer that, such as 20s; then the connection is closed");
ABSL_FLAG(absl::Duration, max_connection_idle, hapax::ConnectionLimits().max_connection_idle,
          "How long a connection may be without a call, such as 30m, or inf; then it is closed");
ABSL_FLAG(
    absl::Duration, max_connection_age, hapax::ConnectionLimits().max_connection_age,
    "How long a connection may last, such as 1h, or inf; then it takes no more calls, and 30s later it is closed");

namespace hapax {
namespace {

TenantLimits ReadTenantLimits() {
  TenantLimits limits;
  limits.max_calls_in_flight = absl::GetFlag(FLAGS_max_calls_in_flight_per_tenant);
  limits.max_calls_per_second = absl::GetFlag(FLAGS_max_calls_per_second_per_tenant);
  limits.max_burst = absl::GetFlag(FLAGS_max_burst_per_tenant);
  return limits;
}

RequestLimits ReadRequestLimits() {
  RequestLimits limits;
  limits.max_unknown_fields = absl::GetFlag(FLAGS_max_request_unknown_fields);
  limits.max_map_entries = absl::GetFlag(FLAGS_max_request_map_entries);
  limits.max_elements = absl::GetFlag(FLAGS_max_request_elements);
  limits.max_depth = absl::GetFlag(FLAGS_max_request_depth);
  return limits;
}

ConnectionLimits ReadConnectionLimits() {
  ConnectionLimits limits;
  limits.max_connections = absl::GetFlag(FLAGS_max_connections);
  limits.max_stranger_connections = absl::GetFlag(FLAGS_max_stranger_connections);
  limits.max_message_bytes = absl::GetFlag(FLAGS_max_message_bytes);
  limits.max_metadata_bytes = absl::GetFlag(FLAGS_max_metadata_bytes);
  limits.max_calls_per_connection = absl::GetFlag(FLAGS_max_calls_per_connection);
  limits.max_pending_calls = absl::GetFlag(FLAGS_max_pending_calls);
  limits.request_timeout = absl::GetFlag(FLAGS_request_timeout);
  limits.max_connection_bytes = absl::GetFlag(FLAGS_max_connection_bytes);
  limits.handshake_timeout = absl::GetFlag(FLAGS_handshake_timeout);
  limits.keepalive_time = absl::GetFlag(FLAGS_keepalive_time);
  limits.keepalive_timeout = absl::GetFlag(FLAGS_keepalive_timeout);
  limits.max_connection_idle = absl::GetFlag(FLAGS_max_connection_idle);
  limits.max_connection_age = absl::GetFlag(FLAGS_max_connection_age);
  return limits;
}

}  // namespace

LimitFlags ReadLimitFlags() {
  LimitFlags limits;
  limits.max_calls_in_flight = absl::GetFlag(FLAGS_max_calls_in_flight);
  limits.max_waiting_transactions = absl::GetFlag(FLAGS_max_waiting_transactions);
  limits.max_tokens_per_tenant = absl::GetFlag(FLAGS_max_tokens_per_tenant);
  limits.max_token_bytes_per_tenant = absl::GetFlag(FLAGS_max_token_bytes_per_tenant);
  limits.max_abandoned_tokens_per_tenant = absl::GetFlag(FLAGS_max_abandoned_tokens_per_tenant);
  limits.request = ReadRequestLimits();
  limits.tenant = ReadTenantLimits();
  limits.connections = ReadConnectionLimits();
  limits.request_budget = {.bytes = absl::GetFlag(FLAGS_max_request_bytes_in_flight),
                           .max_message_bytes = limits.connections.max_message_bytes};
  limits.reply_budget.bytes = absl::GetFlag(FLAGS_max_reply_bytes_in_flight);
  return limits;
}

std::string FlagOfOption(absl::string_view option) {
  static constexpr std::pair<absl::string_view, absl::string_view> kOtherNames[] = {
      {"tenant_limits.max_calls_in_flight", "max_calls_in_flight_per_tenant"},
      {"tenant_limits.max_calls_per_second", "max_calls_per_second_per_tenant"},
      {"tenant_limits.max_burst", "max_burst_per_tenant"},
      {"request_limits.max_unknown_fields", "max_request_unknown_fields"},
      {"request_limits.max_map_entries", "max_request_map_entries"},
      {"request_limits.max_elements", "max_request_elements"},
      {"request_limits.max_depth", "max_request_depth"},
      {"request_budget.bytes", "max_request_bytes_in_flight"},
      {"reply_budget.bytes", "max_reply_bytes_in_flight"},
      {"token_policy.retention", "token_retention"},
      {"token_policy.tombstone_retention", "token_tombstone_retention"},
  };
  for (const auto& [name, flag] : kOtherNames) {
    if (name == option) return std::string(flag);
  }
  return std::string(option.substr(option.rfind('.') + 1));
}

}  // namespace hapax
