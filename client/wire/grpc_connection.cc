#include "hapax/client/wire/grpc_connection.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "hapax/client/wire/endpoint.h"
#include "hapax/client/wire/fork.h"
#include "hapax/client/wire/proxy.h"
#include "hapax/external/rpc/status.pb.h"

namespace hapax::client {
namespace {

constexpr int kMaxMessageBytes = 64 << 20;
// gRPC's default limit is 8 KiB. A longer refusal would arrive as another error, without its verdict.
constexpr int kMaxMetadataBytes = 256 << 10;
constexpr char kVerdict[] = "hapax-retry";
constexpr int kConnectTimeoutMs = 5'000;
// If the peer acknowledges nothing for this long, the connection is closed.
constexpr int kUnacknowledgedMs = 10'000;
// With several endpoints another can answer meanwhile. TCP repeats a lost SYN after a second, and lost data four times
// within three, so a lost packet does not look like a lost server.
constexpr int kConnectTimeoutOfSeveralMs = 2'000;
constexpr int kUnacknowledgedOfSeveralMs = 3'000;
// Pings only detect a peer that hangs; servers reject more than one in 5 minutes.
constexpr int kPingIntervalMs = 300'000;

absl::Status FromGrpcStatus(const grpc::Status& status) {
  // gRPC and Abseil use the same numbers for codes.
  absl::Status converted(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  external::rpc::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) {
      converted.SetPayload(detail.type_url(), absl::Cord(detail.value()));
    }
  }
  return converted;
}

// Adds the proxy's name to an error that may be the proxy's.
absl::Status NamingProxy(const absl::Status& status, const Proxy& proxy) {
  absl::Status named(status.code(),
                     absl::StrCat(status.message(), " (by the proxy ", proxy.address, " of ", proxy.variable, ")"));
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) { named.SetPayload(type, payload); });
  return named;
}

void Append(const std::multimap<grpc::string_ref, grpc::string_ref>& from, Metadata& to) {
  for (const auto& [key, value] : from) {
    to.emplace_back(std::string(key.data(), key.size()), std::string(value.data(), value.size()));
  }
}

// The memory that gRPC uses until an attempt ends.
struct RunningAttempt {
  std::optional<Proxy> proxy;  // The proxy used.
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer reply;
  Connection::Done done;
};

AttemptEnd EndOf(const RunningAttempt& attempt, const grpc::Status& status) {
  AttemptEnd end{.status = FromGrpcStatus(status)};
  Append(attempt.context.GetServerInitialMetadata(), end.metadata);
  Append(attempt.context.GetServerTrailingMetadata(), end.metadata);
  grpc::Slice slice;
  if (!status.ok()) {
    const bool is_servers = std::any_of(end.metadata.begin(), end.metadata.end(),
                                        [](const auto& entry) { return entry.first == kVerdict; });
    if (!is_servers && attempt.proxy.has_value()) end.status = NamingProxy(end.status, *attempt.proxy);
    return end;
  }
  if (!attempt.reply.DumpToSingleSlice(&slice).ok()) {
    end.status = absl::InternalError("the reply cannot be read");
    return end;
  }
  end.reply.assign(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return end;
}

// Owns the running attempts. Each stays until its callback has finished.
struct OpenAttempts {
  absl::Mutex mu;
  std::map<RunningAttempt*, std::shared_ptr<RunningAttempt>> attempts ABSL_GUARDED_BY(mu);
};

class GrpcConnection final : public EndpointConnection {
 public:
  GrpcConnection(std::shared_ptr<grpc::Channel> channel, Metadata metadata, std::optional<Proxy> proxy,
                 Destination destination)
      : channel_(std::move(channel)),
        stub_(std::make_unique<grpc::GenericStub>(channel_)),
        metadata_(std::move(metadata)),
        proxy_(std::move(proxy)),
        destination_(std::move(destination)) {}

  // Destroys the channel here. If a gRPC thread destroyed it with an attempt, that thread would wait for itself.
  ~GrpcConnection() override {
    if (!process_.IsThisOne()) {
      Abandon();
      return;
    }
    std::vector<std::shared_ptr<RunningAttempt>> under_way;
    {
      absl::MutexLock lock(&open_->mu);
      for (const auto& [attempt, kept] : open_->attempts) under_way.push_back(kept);
    }
    for (const auto& attempt : under_way) attempt->context.TryCancel();
    under_way.clear();
    absl::MutexLock lock(&open_->mu);
    const auto none_open = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(open_->mu) { return open_->attempts.empty(); };
    open_->mu.Await(absl::Condition(&none_open));
  }

  [[nodiscard]] Destination destination() const override { return destination_; }
  [[nodiscard]] absl::Status CheckUsable() const override { return process_.Check("connection"); }
  [[nodiscard]] bool IsConnected() override {
    return channel_->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY;
  }

  Cancel Start(Attempt attempt, Done done) override {
    if (absl::Status status = CheckUsable(); !status.ok()) return Refuse(std::move(status), std::move(done));
    auto running = std::make_shared<RunningAttempt>();
    running->proxy = proxy_;
    running->context.set_deadline(absl::ToChronoTime(attempt.deadline));
    for (const Metadata* metadata : {&metadata_, static_cast<const Metadata*>(&attempt.metadata)}) {
      for (const auto& [key, value] : *metadata) {
        if (!CanBeSent(value)) {
          return Refuse(absl::InvalidArgumentError(absl::StrCat(key, " has characters that cannot be sent")),
                        std::move(done));
        }
        running->context.AddMetadata(key, value);
      }
    }
    const grpc::Slice slice(attempt.request);
    running->request = grpc::ByteBuffer(&slice, 1);
    running->done = std::move(done);
    {
      absl::MutexLock lock(&open_->mu);
      open_->attempts.emplace(running.get(), running);
    }
    stub_->UnaryCall(&running->context, "/" + attempt.method, grpc::StubOptions(), &running->request, &running->reply,
                     [open = open_, attempt = running.get()](const grpc::Status& status) {
                       End(*attempt, status);
                       absl::MutexLock lock(&open->mu);
                       open->attempts.erase(attempt);
                     });
    return [weak = std::weak_ptr(running)] {
      if (const auto open = weak.lock()) open->context.TryCancel();
    };
  }

 private:
  static Cancel Refuse(absl::Status status, Done done) {
    std::move(done)({.status = std::move(status), .sent = false});
    return [] {};
  }

  // Leaks the channel in a forked child. Destroying it would write to the parent's sockets, and wait for threads that
  // the child does not have.
  void Abandon() {
    static_cast<void>(stub_.release());
    static_cast<void>(new std::shared_ptr(channel_));
    static_cast<void>(new std::shared_ptr(open_));
  }

  static void End(RunningAttempt& attempt, const grpc::Status& status) {
    Done done = std::move(attempt.done);
    std::move(done)(EndOf(attempt, status));
  }

  const OwningProcess process_;
  const std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::GenericStub> stub_;
  const Metadata metadata_;
  const std::optional<Proxy> proxy_;
  const Destination destination_;
  const std::shared_ptr<OpenAttempts> open_ = std::make_shared<OpenAttempts>();
};

grpc::ChannelArguments ArgumentsFor(const std::string& endpoint, bool is_only) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  // A proxy cannot lead back to this machine.
  if (IsLoopback(endpoint)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Uses all addresses of the name in turn, so that an attempt after a failed one goes to another.
  if (endpoint.starts_with("dns:")) arguments.SetLoadBalancingPolicyName("round_robin");
  // Reconnects quickly to a restarted server. By default gRPC waits up to two minutes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // Despite its name, this is the shortest time that an attempt to connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, is_only ? kConnectTimeoutMs : kConnectTimeoutOfSeveralMs);
  // These two make gRPC set TCP_USER_TIMEOUT. Otherwise a vanished peer is detected only when TCP gives up, after a
  // quarter of an hour, and every retry uses the same connection.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kPingIntervalMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, is_only ? kUnacknowledgedMs : kUnacknowledgedOfSeveralMs);
  // Gives each channel its own connections. By default, channels of a process with the same target share them.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

}  // namespace

bool CanBeSent(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::shared_ptr<EndpointConnection> OpenGrpcConnection(const std::string& endpoint, bool is_only,
                                                       const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                                                       Metadata metadata, std::string caller) {
  return std::make_shared<GrpcConnection>(
      grpc::CreateCustomChannel(endpoint, credentials, ArgumentsFor(endpoint, is_only)), std::move(metadata),
      ProxyTo(endpoint), Destination{.endpoint = EndpointName(endpoint), .caller = std::move(caller)});
}

}  // namespace hapax::client
