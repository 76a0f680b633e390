#include "hapax/storage/etcd/members.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "grpcpp/grpcpp.h"

namespace hapax {
namespace {

constexpr int kMaxMessageBytes = 256 << 20;
constexpr int kConnectTimeoutMs = 2'000;
// A connection whose peer acknowledges nothing for this long is closed.
constexpr int kUnacknowledgedMs = 5'000;
// Pings only make gRPC set TCP_USER_TIMEOUT; etcd refuses more than one in 5 s.
constexpr int kPingIntervalMs = 60'000;

absl::Status CheckEndpoint(const std::string& endpoint) {
  const size_t colon = endpoint.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 || absl::StrContains(endpoint, "/") ||
      !absl::SimpleAtoi(endpoint.substr(colon + 1), &port) || port < 1 || port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat("etcd_endpoints: \"", endpoint, "\" must be host:port"));
  }
  return absl::OkStatus();
}

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  // Only the caller knows whether a request may be sent twice.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  // A member that was started again is found quickly. By default gRPC waits up to two minutes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kPingIntervalMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kUnacknowledgedMs);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EtcdMembers>> EtcdMembers::Create(const std::vector<std::string>& endpoints,
                                                                 const EtcdAccess& access) {
  if (endpoints.empty()) return absl::InvalidArgumentError("etcd_endpoints: at least one member is required");
  const auto credentials =
      access.tls
          ? grpc::SslCredentials(
                {.pem_root_certs = access.roots, .pem_private_key = access.key, .pem_cert_chain = access.certificates})
          : grpc::InsecureChannelCredentials();
  std::unique_ptr<EtcdMembers> members(new EtcdMembers());
  for (const std::string& endpoint : endpoints) {
    if (absl::Status status = CheckEndpoint(endpoint); !status.ok()) return status;
    const std::shared_ptr<grpc::Channel> channel = grpc::CreateCustomChannel(endpoint, credentials, Arguments());
    members->members_.push_back(
        std::unique_ptr<Member>(new Member{.endpoint = endpoint,
                                           .txn = decltype(Member::txn)(channel),
                                           .authenticate = decltype(Member::authenticate)(channel)}));
  }
  return members;
}

}  // namespace hapax
