#include "hapax/testing/test_host.h"

#include <deque>
#include <map>
#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "hapax/base/check.h"
#include "hapax/base/clock.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/worker_pool.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/interceptors/access/authentication.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/interceptors/idempotency/token_time.h"
#include "hapax/interceptors/limits/call_gate.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/interceptors/refusal_bounds.h"
#include "hapax/interceptors/rpc_status.h"
#include "hapax/proto/public_name.h"
#include "hapax/server/chain.h"
#include "hapax/server/hosting/rule_history.h"
#include "hapax/server/hosting/token_policy_history.h"
#include "hapax/server/hosting/tokens_service.h"
#include "hapax/server/operations/operation_waiters.h"
#include "hapax/server/operations/operations_service.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/memory/tables.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/work.pb.h"
#include "hapax/testing/repeated_handlers.h"
#include "prometheus/registry.h"
#include "spdlog/logger.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace hapax {
namespace {

using google::protobuf::Descriptor;

constexpr int kMaxInFlight = 4096;
constexpr size_t kMaxWaiting = 256;
// Of pieces of work that are left.
constexpr int kMaxToldErrors = 5;
// The same for all hosts, so that one can unseal what another sealed.
constexpr char kSealKeyFile[] = "test 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";
constexpr char kErrorInfoType[] = "type.googleapis.com/google.rpc.ErrorInfo";

// A call that does not arrive over a wire.
class HostCall final : public UnaryCall {
 public:
  HostCall(const Method& its_method, const google::protobuf::Message& message, const TestCallOptions& options)
      : UnaryCall(its_method),
        bytes_(message.SerializeAsString()),
        principal_{.tenant = options.tenant, .role = options.role},
        metadata_(options.metadata),
        deadline_(options.deadline) {
    if (!options.token.empty()) metadata_.emplace_back("x-client-token", options.token);
  }

  [[nodiscard]] const Principal& principal() const { return principal_; }

  [[nodiscard]] std::string_view request_bytes() const override { return bytes_; }
  [[nodiscard]] MetadataValues Metadata(std::string_view key) const override {
    MetadataValues values;
    for (const auto& [name, value] : metadata_) {
      if (name == key) values.emplace_back(value);
    }
    return values;
  }
  [[nodiscard]] absl::Time deadline() const override { return deadline_; }
  [[nodiscard]] bool IsCancelled() const override { return false; }

  [[nodiscard]] absl::StatusOr<std::string> AwaitEnd() const {
    absl::MutexLock lock(&end_->mu);
    end_->mu.Await(absl::Condition(&end_->ended));
    return std::move(end_->reply);
  }

 private:
  // Shared with Send, which may still be returning when the call is destroyed.
  struct End {
    absl::Mutex mu;
    bool ended ABSL_GUARDED_BY(mu) = false;
    absl::StatusOr<std::string> reply ABSL_GUARDED_BY(mu);
  };

  void Send(absl::StatusOr<std::string> reply) override {
    const std::shared_ptr<End> end = end_;
    absl::MutexLock lock(&end->mu);
    HAPAX_CHECK(!end->ended, "a call ends once");
    end->reply = std::move(reply);
    end->ended = true;
  }

  const std::string bytes_;
  const Principal principal_;
  std::vector<std::pair<std::string, std::string>> metadata_;
  const absl::Time deadline_;
  const std::shared_ptr<End> end_ = std::make_shared<End>();
};

// Trusts the principal that the test names.
class HostAuthenticator final : public Authenticator {
 public:
  [[nodiscard]] absl::StatusOr<Principal> Identify(const UnaryCall& call) const override {
    const Principal& principal = static_cast<const HostCall&>(call).principal();
    if (!IsTenantName(principal.tenant)) return RefuseParameter("tenant", "must be 1 to 64 of a-z A-Z 0-9 . _ -");
    return principal;
  }
};

// Returns the error as a client receives it, cut to what gRPC carries (server/grpc/grpc_status.cc).
absl::Status AsSent(const absl::Status& status) {
  external::rpc::Status message = ToRpcStatus(status);
  FitRefusal(message);
  absl::Status sent(status.code(), message.message());
  for (const auto& detail : message.details()) sent.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  return sent;
}

std::string ReasonIn(const absl::Status& status) {
  external::rpc::ErrorInfo info;
  const auto payload = status.GetPayload(kErrorInfoType);
  return payload.has_value() && info.ParseFromString(std::string(*payload)) ? info.reason() : "";
}

// Whether both are the same type on the wire. A test may have code of its own for a type, such as google.longrunning.
bool IsSameType(const Descriptor& one, const Descriptor& other) {
  return &one == &other || PublicName(one.full_name()) == PublicName(other.full_name());
}

spdlog::logger StderrLogger(const std::string& pattern) {
  spdlog::logger logger("test_host", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger.set_level(spdlog::level::warn);
  logger.set_pattern(pattern);
  return logger;
}

absl::StatusOr<Place> PlaceAsItIsNamed(const PlaceHints& hints) {
  return Place{.region = std::string(hints.region.value),
               .zone = hints.zones.empty() ? "" : std::string(hints.zones.front().value)};
}

}  // namespace

// In order of construction: each member uses only those above it.
struct TestHost::Parts {
  explicit Parts(TestHostOptions its_options)
      : options(std::move(its_options)),
        tables(options.tables == nullptr ? MakeMemoryTables() : options.tables),
        clock(options.clock == nullptr ? own_clock : *options.clock) {
    if (options.token_resolver == nullptr) options.token_resolver = PlaceAsItIsNamed;
  }
  ~Parts() {
    Stop();
    chain.reset();
  }

  void Stop() {
    gate.Close();
    waiters.Close();
    workers.reset();
    work.Stop();
  }

  [[nodiscard]] absl::StatusOr<const Method*> Find(const google::protobuf::Message& request, const Descriptor& reply,
                                                   const std::string& name) const;
  [[nodiscard]] absl::StatusOr<std::vector<std::string>> OpenWork() const;
  [[nodiscard]] std::string ErrorsOfWork() const;

  TestHostOptions options;
  const std::shared_ptr<MemoryTables> tables;
  ManualClock own_clock;
  ManualClock& clock;
  CountedIds ids;
  RepeatFindings findings;
  spdlog::logger log = StderrLogger("%l: %v");
  spdlog::logger call_log = StderrLogger("%l: call {%v}");
  TokenTime token_time{clock};
  OperationWaiters waiters{kMaxInFlight};
  const Operations operations{ids, waiters};
  const SealKeys seal_keys = SealKeys::Parse(kSealKeyFile).value();
  const std::unique_ptr<Store> store = MakeMemoryStore({.tables = tables});
  std::deque<RepeatedDriver> drivers;
  WorkQueue work{*store, clock, log, {.sole_server = true, .first_backoff = absl::Milliseconds(1)}};
  std::optional<WorkerPool> workers;
  CallGate gate{kMaxInFlight};
  TenantGate tenant_gate{options.tenant_limits, clock};
  prometheus::Registry metrics;
  std::optional<TokensService> tokens_service;
  std::optional<OperationsService> operations_service;
  std::vector<std::unique_ptr<HostedService>> own_services;
  std::deque<Method> repeated;  // Wrappers of the services' methods.
  std::map<std::string, const Method*> methods;
  std::unique_ptr<const Chain> chain;
};

TestHost::TestHost(TestHostOptions options) : parts_(std::make_unique<Parts>(std::move(options))) {}
TestHost::~TestHost() = default;

Store& TestHost::store() { return *parts_->store; }
ManualClock& TestHost::clock() { return parts_->clock; }
CountedIds& TestHost::ids() { return parts_->ids; }
WorkQueue& TestHost::work() { return parts_->work; }
const Operations& TestHost::operations() const { return parts_->operations; }
std::vector<std::string> TestHost::unrepeatable() const { return parts_->findings.all(); }
std::shared_ptr<MemoryTables> TestHost::tables() const { return parts_->tables; }

void TestHost::Stop() { parts_->Stop(); }

void TestHost::AddDriver(std::string_view kind, std::string_view service, WorkDriver& driver) {
  Parts& parts = *parts_;
  if (!parts.options.repeat_bodies) return parts.work.AddDriver(kind, service, driver);
  RepeatedDriver& repeated = parts.drivers.emplace_back(std::string(kind), driver, parts.ids, parts.findings);
  parts.work.AddDriver(kind, service, repeated);
}

absl::Status TestHost::Start(std::vector<HostedService*> services) {
  Parts& parts = *parts_;
  const TestHostOptions& options = parts.options;
  if (parts.chain != nullptr) return absl::FailedPreconditionError("the host is started already");
  for (HostedService* service : services) HAPAX_RETURN_IF_ERROR(service->Compile());
  std::vector<const HostedService*> hosted(services.begin(), services.end());
  HAPAX_RETURN_IF_ERROR(CheckStore(hosted, *parts.store));
  std::vector<std::string_view> names;
  names.reserve(hosted.size());
  for (const HostedService* service : hosted) names.emplace_back(service->name());
  HAPAX_RETURN_IF_ERROR(parts.work.CheckDrivers(names));
  HAPAX_RETURN_IF_ERROR(
      parts.token_time.Load(*parts.store, {.shortest_life = ShortestLife(options.token_policy, hosted)}));
  HAPAX_ASSIGN_OR_RETURN(const TokenPolicy policy,
                         CompletePolicy(options.token_policy, hosted, *parts.store, parts.token_time));
  parts.operations_service.emplace(*parts.store, parts.waiters, /*check_interval=*/absl::InfiniteDuration());
  parts.tokens_service.emplace(TokensService::Options{.default_region = options.default_region,
                                                      .policy = policy,
                                                      .time = &parts.token_time,
                                                      .resolver = &options.token_resolver,
                                                      .services = hosted},
                               parts.seal_keys);
  parts.own_services.push_back(parts.operations_service->Host());
  parts.own_services.push_back(parts.tokens_service->Host());
  for (const auto& service : parts.own_services) {
    HAPAX_RETURN_IF_ERROR(service->Compile());
    hosted.push_back(service.get());
  }
  const size_t others = services.size();
  for (size_t i = 0; i < hosted.size(); ++i) {
    for (const Method& method : hosted[i]->methods()) {
      const Method* used = &method;
      if (options.repeat_bodies && i < others) {
        used = &parts.repeated.emplace_back(RepeatedMethod(method, parts.ids, parts.findings));
      }
      if (parts.methods.emplace(method.name, used).second) continue;
      return absl::InvalidArgumentError(absl::StrCat("service ", hosted[i]->name(), ": is hosted twice"));
    }
  }
  HAPAX_RETURN_IF_ERROR(
      RememberRules(hosted, options.default_region, options.accept_rule_changes, *parts.store).status());
  HAPAX_RETURN_IF_ERROR(parts.work.FindOpenWork().status());
  parts.workers.emplace(/*threads=*/1, kMaxWaiting);
  parts.chain.reset(new Chain(
      BuildChain({.default_region = options.default_region, .policy = policy, .request = options.request_limits},
                 {.store = *parts.store,
                  .workers = *parts.workers,
                  .readers = *parts.workers,
                  .gate = parts.gate,
                  .tenant_gate = parts.tenant_gate,
                  .seal_keys = parts.seal_keys,
                  .clock = parts.clock,
                  .token_time = parts.token_time,
                  .registry = parts.metrics,
                  .call_log = parts.call_log},
                 std::make_unique<HostAuthenticator>())));
  parts.work.TakeUpOpenWork();
  return absl::OkStatus();
}

absl::StatusOr<const Method*> TestHost::Parts::Find(const google::protobuf::Message& request, const Descriptor& reply,
                                                    const std::string& name) const {
  const Method* found = nullptr;
  for (const auto& [full_name, method] : methods) {
    const bool is_named = name.empty() || full_name == name || method->descriptor->name() == name;
    const bool fits = IsSameType(*method->request->GetDescriptor(), *request.GetDescriptor()) &&
                      IsSameType(*method->reply->GetDescriptor(), reply);
    if (!is_named || !fits) continue;
    if (found != nullptr) {
      return absl::UnimplementedError(
          absl::StrCat("both ", found->name, " and ", method->name, " may be meant; name the method"));
    }
    found = method;
  }
  if (found != nullptr) return found;
  return absl::UnimplementedError(absl::StrCat("no method ", name, name.empty() ? "" : " ", "from ",
                                               request.GetDescriptor()->full_name(), " to ", reply.full_name(),
                                               " is hosted"));
}

TestEnd TestHost::CallUntyped(const google::protobuf::Message& request, const Descriptor& reply,
                              const TestCallOptions& options) {
  if (parts_->chain == nullptr) {
    return {.status = absl::FailedPreconditionError("the host is not started: Start must return OK before a call")};
  }
  const absl::StatusOr<const Method*> method = parts_->Find(request, reply, options.method);
  if (!method.ok()) return {.status = method.status()};
  HostCall call(**method, request, options);
  parts_->chain->Run(call);
  absl::StatusOr<std::string> ended = call.AwaitEnd();
  if (ended.ok()) {
    const std::string_view outcome = call.outcome.has_value() ? WireName(*call.outcome) : "";
    return {.bytes = *std::move(ended), .outcome = std::string(outcome)};
  }
  absl::Status sent = AsSent(ended.status());
  std::string reason = ReasonIn(sent);
  return {.status = std::move(sent),
          .reason = std::move(reason),
          .retry = std::string(WireName(VerdictOf(ended.status()))),
          .cause = CauseOf(ended.status())};
}

// Returns each open piece of work as `kind of subject`.
absl::StatusOr<std::vector<std::string>> TestHost::Parts::OpenWork() const {
  std::vector<std::string> open;
  HAPAX_RETURN_IF_ERROR(QueryAndWait(*store, [&](const ReadTransaction& txn) {
    return txn.Scan(Table::kWork, KeyRange(), [&](std::string_view key, std::string_view value) {
      store::v1::WorkRecord record;
      const bool is_sound = DecodeRow(key, value, &record).ok();
      open.push_back(is_sound ? absl::StrCat(record.kind(), " of ", record.subject()) : "a damaged row");
      return true;
    });
  }));
  return open;
}

// Returns the last errors of a few open pieces of work, and whether they are parked.
std::string TestHost::Parts::ErrorsOfWork() const {
  std::string text;
  int count = 0;
  for (const WorkPieceStatus& piece : work.Status().pieces) {
    if (piece.last_error.empty() || ++count > kMaxToldErrors) continue;
    absl::StrAppend(&text, "; ", piece.kind, " of ", piece.subject,
                    piece.state == WorkState::kParked ? " is parked" : "", ", last error: ", piece.last_error);
  }
  return text;
}

absl::Status TestHost::AwaitWork(absl::Duration timeout) {
  const absl::Duration until = MonotonicNow() + timeout;
  while (true) {
    const int64_t version = parts_->tables->version();
    HAPAX_ASSIGN_OR_RETURN(const std::vector<std::string> open, parts_->OpenWork());
    if (open.empty()) break;
    if (!parts_->tables->AwaitWriteAfter(version, until)) {
      return absl::DeadlineExceededError(
          absl::StrCat("work is left: ", absl::StrJoin(open, ", "), parts_->ErrorsOfWork()));
    }
  }
  const std::vector<std::string> findings = unrepeatable();
  if (findings.empty()) return absl::OkStatus();
  return absl::InternalError(absl::StrJoin(findings, "; "));
}

}  // namespace hapax
