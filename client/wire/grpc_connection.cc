#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "hapax/client/wire/connection.h"
#include "hapax/client/wire/proxy.h"
#include "hapax/external/rpc/status.pb.h"

namespace hapax::client {
namespace {

constexpr int kMaxMessageBytes = 64 << 20;
// A refusal that is longer than gRPC's own limit, 8 KiB, would arrive as another error, without what is to be done.
constexpr int kMaxMetadataBytes = 256 << 10;
constexpr char kVerdict[] = "hapax-retry";
constexpr int kConnectTimeoutMs = 5'000;
// What the peer's machine does not acknowledge for so long was sent to nobody: the connection is given up.
constexpr int kUnacknowledgedMs = 10'000;
// Pings only tell of a peer that hangs; servers take more than one in 5 minutes amiss.
constexpr int kPingIntervalMs = 300'000;

absl::Status FromGrpcStatus(const grpc::Status& status) {
  // gRPC's codes and Abseil's are the same numbers.
  absl::Status converted(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  external::rpc::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) {
      converted.SetPayload(detail.type_url(), absl::Cord(detail.value()));
    }
  }
  return converted;
}

// An error that may be the proxy's.
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

// gRPC ends the process over metadata that it must not send.
bool CanBeSent(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// What gRPC writes to and reads from until an attempt ends.
struct RunningAttempt {
  std::optional<Proxy> proxy;  // By which it goes.
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

// The attempts under way. Each is kept here until its callback has come and gone, and nowhere else.
struct OpenAttempts {
  absl::Mutex mu;
  std::map<RunningAttempt*, std::shared_ptr<RunningAttempt>> attempts ABSL_GUARDED_BY(mu);
};

class GrpcConnection final : public Connection {
 public:
  GrpcConnection(std::shared_ptr<grpc::Channel> channel, Metadata metadata, std::optional<Proxy> proxy,
                 Destination destination)
      : stub_(std::move(channel)),
        metadata_(std::move(metadata)),
        proxy_(std::move(proxy)),
        destination_(std::move(destination)) {}

  // The channel ends here, and not on a thread of gRPC's that lets go of an attempt: that one would wait for itself.
  ~GrpcConnection() override {
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

  Cancel Start(Attempt attempt, Done done) override {
    auto running = std::make_shared<RunningAttempt>();
    running->proxy = proxy_;
    running->context.set_deadline(absl::ToChronoTime(attempt.deadline));
    for (const Metadata* metadata : {&metadata_, static_cast<const Metadata*>(&attempt.metadata)}) {
      for (const auto& [key, value] : *metadata) {
        if (!CanBeSent(value)) {
          std::move(done)(
              {.status = absl::InvalidArgumentError(absl::StrCat(key, " has characters that cannot be sent"))});
          return [] {};
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
    stub_.UnaryCall(&running->context, "/" + attempt.method, grpc::StubOptions(), &running->request, &running->reply,
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
  static void End(RunningAttempt& attempt, const grpc::Status& status) {
    Done done = std::move(attempt.done);
    std::move(done)(EndOf(attempt, status));
  }

  grpc::GenericStub stub_;
  const Metadata metadata_;
  const std::optional<Proxy> proxy_;
  const Destination destination_;
  const std::shared_ptr<OpenAttempts> open_ = std::make_shared<OpenAttempts>();
};

absl::StatusOr<std::string> ReadPem(const std::string& option, const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file.good() || content.str().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(option, " \"", path, "\": cannot be read, or is empty"));
  }
  return std::move(content).str();
}

// The credentials, and the client certificate of them (PEM; empty when there is none).
struct TlsSide {
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  std::string certificate;
};

absl::StatusOr<TlsSide> TlsSideOf(const ConnectionOptions& options) {
  const bool has_files =
      !options.tls_ca_file.empty() || !options.tls_cert_file.empty() || !options.tls_key_file.empty();
  if (!options.tls && has_files) return absl::InvalidArgumentError("files for TLS are given, but TLS is not asked for");
  if (!options.tls) return TlsSide{.credentials = grpc::InsecureChannelCredentials(), .certificate = ""};
  if (options.tls_cert_file.empty() != options.tls_key_file.empty()) {
    return absl::InvalidArgumentError("a client certificate and its key are given together, or not at all");
  }
  grpc::SslCredentialsOptions ssl;
  for (const auto& [pem, option, path] : {std::tuple(&ssl.pem_root_certs, "tls_ca_file", &options.tls_ca_file),
                                          {&ssl.pem_cert_chain, "tls_cert_file", &options.tls_cert_file},
                                          {&ssl.pem_private_key, "tls_key_file", &options.tls_key_file}}) {
    absl::StatusOr<std::string> text = ReadPem(option, *path);
    if (!text.ok()) return text.status();
    *pem = *std::move(text);
  }
  return TlsSide{.credentials = grpc::SslCredentials(ssl), .certificate = ssl.pem_cert_chain};
}

}  // namespace

absl::StatusOr<std::shared_ptr<Connection>> Connect(const ConnectionOptions& options) {
  const auto tls = TlsSideOf(options);
  if (!tls.ok()) return tls.status();
  if (!CanBeSent(options.api_key)) return absl::InvalidArgumentError("the API key has characters that cannot be sent");
  if (!CanBeSent(options.tenant)) return absl::InvalidArgumentError("the tenant has characters that cannot be sent");
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  // No proxy leads back to this machine.
  if (IsLoopback(options.endpoint)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // A server that comes back is found again soon: by default gRPC waits up to two minutes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // Not what its name says, but how long an attempt to connect may take at least.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  // With these two gRPC sets TCP_USER_TIMEOUT. Else a peer that vanished is waited for until TCP gives up, for a
  // quarter of an hour, and every retry goes the same way.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kPingIntervalMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kUnacknowledgedMs);
  // Connections of its own: a channel is else shared with others in the process that go to the same place.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  Metadata metadata;
  if (!options.api_key.empty()) metadata.emplace_back("x-api-key", options.api_key);
  if (!options.tenant.empty()) metadata.emplace_back("x-tenant-id", options.tenant);
  return std::make_shared<GrpcConnection>(
      grpc::CreateCustomChannel(options.endpoint, tls->credentials, arguments), std::move(metadata),
      ProxyTo(options.endpoint),
      Destination{.endpoint = absl::AsciiStrToLower(options.endpoint),
                  .caller = CallerNameOf(options.api_key, options.tenant, tls->certificate)});
}

}  // namespace hapax::client
