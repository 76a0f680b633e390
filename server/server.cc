#include "hapax/server/server.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "hapax/base/log/log_writer.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/worker_pool.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/interceptors/idempotency/token_expiry.h"
#include "hapax/interceptors/idempotency/token_time.h"
#include "hapax/interceptors/limits/call_gate.h"
#include "hapax/server/chain.h"
#include "hapax/server/grpc/service_host.h"
#include "hapax/server/grpc/tls_credentials.h"
#include "hapax/server/grpc/tls_probe.h"
#include "hapax/server/hosting/admin_service.h"
#include "hapax/server/hosting/rule_history.h"
#include "hapax/server/hosting/token_policy_history.h"
#include "hapax/server/hosting/token_time_keeper.h"
#include "hapax/server/hosting/tokens_service.h"
#include "hapax/server/operations/operation_waiters.h"
#include "hapax/server/operations/operations_service.h"
#include "hapax/server/options/seal_key_file.h"
#include "hapax/storage/rocksdb/store.h"
#include "prometheus/exposer.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "spdlog/logger.h"

namespace hapax {
namespace {

constexpr int kWorkerThreads = 2;
constexpr size_t kMaxWaitingWork = 256;
constexpr absl::Duration kLameDuckTime = absl::Milliseconds(50);
constexpr absl::Duration kCloseTimeout = absl::Seconds(1);
constexpr absl::Duration kProbeTimeout = absl::Seconds(10);
constexpr char kLogPattern[] = "%Y-%m-%dT%H:%M:%S.%f%z %l %v";
constexpr char kCallLogPattern[] = R"({"time":"%Y-%m-%dT%H:%M:%S.%f%z","level":"%l",%v})";

// The signals that the server answers to, blocked in every thread so that only AwaitStopSignal takes them.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// What is out of the ordinary is written at once.
std::shared_ptr<spdlog::logger> MakeLogger(const std::string& name, std::shared_ptr<LogWriter> writer,
                                           const char* pattern, spdlog::level::level_enum level) {
  auto logger = std::make_shared<spdlog::logger>(name, std::make_shared<LogSink>(std::move(writer)));
  logger->set_pattern(pattern, spdlog::pattern_time_type::utc);
  logger->set_level(level);
  logger->flush_on(spdlog::level::warn);
  return logger;
}

// prometheus-cpp reports what goes wrong by exceptions.
absl::StatusOr<std::unique_ptr<prometheus::Exposer>> ExposeMetrics(
    const std::string& address, const std::shared_ptr<prometheus::Registry>& metrics) {
  try {
    auto exposer = std::make_unique<prometheus::Exposer>(address);
    exposer->RegisterCollectable(metrics);
    return exposer;
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat("cannot listen there: ", error.what()));
  }
}

// A backup that goes with the data is none.
absl::Status CheckIsOutside(const std::string& backup_dir, const std::string& data_dir) {
  namespace fs = std::filesystem;
  if (backup_dir.empty()) return absl::OkStatus();
  std::error_code error;
  const fs::path data = fs::weakly_canonical(fs::absolute(data_dir, error), error) / "";
  const fs::path backups = fs::weakly_canonical(fs::absolute(backup_dir, error), error) / "";
  if (!absl::StartsWith(backups.string(), data.string())) return absl::OkStatus();
  return absl::InvalidArgumentError("must not be in the data directory");
}

void CountDamagedWork(prometheus::Registry& metrics, int count) {
  prometheus::BuildGauge()
      .Name("hapax_damaged_work_rows")
      .Help("Rows of table work that were found damaged at the start, and whose work is left undone")
      .Register(metrics)
      .Add({})
      .Set(count);
}

std::string Describe(const TlsCredentials& tls) {
  return absl::StrCat("the TLS certificate with serial ", tls.serial(), ", valid until ",
                      absl::FormatTime(tls.valid_until(), absl::UTCTimeZone()));
}

void LogCertificate(const TlsCredentials& tls, absl::Time now, spdlog::logger& log) {
  if (tls.IsValidAt(now)) return log.info("{}", Describe(tls));
  log.warn("{}, is not valid now: clients that verify it get no connection", Describe(tls));
}

// Whether a handshake shows the certificate that was read last: not what OpenSSL, but what the server itself does.
absl::Status CheckIsShown(const TlsCredentials& tls, const std::string& listen_address, int port) {
  const std::string host = listen_address.substr(0, listen_address.rfind(':'));
  HAPAX_ASSIGN_OR_RETURN(const std::string shown, ShownCertificate(host, port, kProbeTimeout));
  if (shown == tls.fingerprint()) return absl::OkStatus();
  return absl::FailedPreconditionError("handshakes show another certificate");
}

void LogRuleChanges(const RuleChanges& changes, spdlog::logger& log) {
  for (const std::string& change : changes.accepted) log.warn("accepted, tokens of before do not count: {}", change);
  for (const std::string& name : changes.unchanged) log.warn("accept_rule_changes names {}: it did not change", name);
}

absl::StatusOr<Place> PlaceAsItIsNamed(const PlaceHints& hints) {
  return Place{.region = std::string(hints.region.value),
               .zone = hints.zones.empty() ? "" : std::string(hints.zones.front().value)};
}

}  // namespace

// In the order they are made; what is below uses what is above.
struct Server::Parts {
  explicit Parts(ServerOptions its_options) : options(std::move(its_options)) {
    const auto writer = std::make_shared<LogWriter>(STDERR_FILENO);
    log = MakeLogger("server", writer, kLogPattern, options.log_level);
    call_log = MakeLogger("calls", writer, kCallLogPattern, options.log_level);
  }

  ServerOptions options;
  const sigset_t signals = BlockSignals();
  std::shared_ptr<spdlog::logger> log;
  std::shared_ptr<spdlog::logger> call_log;
  const SystemClock clock;
  TokenTime token_time{clock};
  const TokenExpiry token_expiry{token_time.durable()};
  TimeOrderedIdSource ids{token_time.latest()};
  OperationWaiters waiters{static_cast<size_t>(options.max_calls_in_flight)};  // Each waits for a call in flight.
  const Operations operations{ids, waiters};
  std::optional<SealKeys> seal_keys;
  std::unique_ptr<Store> store;
  std::optional<WorkQueue> work;
  std::optional<TokenTimeKeeper> token_time_keeper;
  std::optional<WorkerPool> workers;
  std::optional<CallGate> gate;
  std::optional<TenantGate> tenant_gate;
  const std::shared_ptr<prometheus::Registry> metrics = std::make_shared<prometheus::Registry>();
  std::unique_ptr<prometheus::Exposer> exposer;
  std::optional<TokensService> tokens_service;
  std::optional<OperationsService> operations_service;
  std::optional<AdminService> admin_service;
  std::vector<std::unique_ptr<HostedService>> own_services;
  std::unique_ptr<TlsCredentials> tls;     // Null: connections are not encrypted.
  Authenticator* authenticator = nullptr;  // In the chain.
  std::unique_ptr<const Chain> chain;
  std::unique_ptr<ServiceHost> host;

  // Whether the next connection uses the TLS files as they are now; logs what it uses.
  [[nodiscard]] bool ReloadTls();
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { Stop(absl::ZeroDuration()); }

absl::StatusOr<std::unique_ptr<Server>> Server::Open(ServerOptions options) {
  // Debian builds Abseil with its deadlock detector on, which makes every lock several times as slow.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  if (options.seal_key_file.empty()) {
    options.seal_key_file = absl::StrCat(absl::StripSuffix(options.data_dir, "/"), ".seal_keys");
  }
  if (options.authenticator == nullptr) options.authenticator = std::make_unique<TrustingAuthenticator>();
  if (options.token_resolver == nullptr) options.token_resolver = PlaceAsItIsNamed;

  if (absl::Status apart = CheckIsOutside(options.backup_dir, options.data_dir); !apart.ok()) {
    return OptionError("backup_dir", options.backup_dir, apart);
  }
  std::unique_ptr<Server> server(new Server(std::make_unique<Parts>(std::move(options))));
  Parts& parts = *server->parts_;
  if (!parts.options.tls.empty()) {
    HAPAX_ASSIGN_OR_RETURN(parts.tls, TlsCredentials::Open(parts.options.tls));
    LogCertificate(*parts.tls, parts.clock.Now(), *parts.log);
  }
  auto store = OpenRocksDbStore({.path = parts.options.data_dir,
                                 .format_1_service = parts.options.format_1_service,
                                 .block_cache_bytes = parts.options.block_cache_bytes,
                                 .max_waiting = parts.options.max_waiting_transactions,
                                 .log = [log = parts.log](std::string_view line) { log->warn("store: {}", line); },
                                 .expiry = &parts.token_expiry});
  if (!store.ok()) return OptionError("data_dir", parts.options.data_dir, store.status());
  parts.store = *std::move(store);
  absl::StatusOr<LoadedSealKeys> keys = LoadSealKeys(parts.options.seal_key_file, *parts.store);
  if (!keys.ok()) return OptionError("seal_key_file", parts.options.seal_key_file, keys.status());
  for (const std::string& id : keys->missing_ids) {
    parts.log->warn("{} has no key \"{}\" any more: replies that it sealed cannot be read", parts.options.seal_key_file,
                    id);
  }
  parts.seal_keys = std::move(keys->keys);
  // The data directory belongs to one process at a time: what an earlier one held is free at once.
  parts.work.emplace(*parts.store, parts.clock, *parts.log, WorkQueue::Options{.sole_server = true});
  return server;
}

Store& Server::store() { return *parts_->store; }
const Clock& Server::clock() const { return parts_->clock; }
IdSource& Server::ids() { return parts_->ids; }
WorkQueue& Server::work() { return *parts_->work; }
const Operations& Server::operations() const { return parts_->operations; }
spdlog::logger& Server::log() { return *parts_->log; }
int Server::port() const { return parts_->host->port(); }

absl::Status Server::Start(std::vector<HostedService*> services) {
  Parts& parts = *parts_;
  const ServerOptions& options = parts.options;
  for (HostedService* service : services) HAPAX_RETURN_IF_ERROR(service->Compile());
  const std::vector<const HostedService*> compiled(services.begin(), services.end());
  HAPAX_RETURN_IF_ERROR(parts.token_time.Load(
      *parts.store, {.shortest_life = ShortestLife(options.token_policy, compiled), .passed = options.time_passed}));
  HAPAX_ASSIGN_OR_RETURN(parts.options.token_policy,
                         CompletePolicy(options.token_policy, compiled, *parts.store, parts.token_time));
  // The data directory belongs to one process at a time: nobody else ends operations, and those who wait need not look.
  parts.operations_service.emplace(*parts.store, parts.waiters, /*check_interval=*/absl::InfiniteDuration());
  parts.tokens_service.emplace(TokensService::Options{.default_region = options.default_region,
                                                      .policy = options.token_policy,
                                                      .time = &parts.token_time,
                                                      .resolver = &options.token_resolver,
                                                      .services = compiled},
                               *parts.seal_keys);
  parts.admin_service.emplace(*parts.store, options.backup_dir);
  parts.own_services.push_back(parts.admin_service->Host());
  parts.own_services.push_back(parts.operations_service->Host());
  parts.own_services.push_back(parts.tokens_service->Host());
  for (const auto& service : parts.own_services) {
    HAPAX_RETURN_IF_ERROR(service->Compile());
    services.push_back(service.get());
  }
  const std::vector<const HostedService*> hosted(services.begin(), services.end());
  HAPAX_RETURN_IF_ERROR(ServiceHost::CheckNames(hosted));
  HAPAX_ASSIGN_OR_RETURN(const RuleChanges changes,
                         RememberRules(hosted, options.default_region, options.accept_rule_changes, *parts.store));
  LogRuleChanges(changes, *parts.log);

  if (!options.metrics_address.empty()) {
    auto exposer = ExposeMetrics(options.metrics_address, parts.metrics);
    if (!exposer.ok()) return OptionError("metrics_address", options.metrics_address, exposer.status());
    parts.exposer = *std::move(exposer);
  }
  HAPAX_ASSIGN_OR_RETURN(const int resumed, parts.work->FindOpenWork());
  CountDamagedWork(*parts.metrics, parts.work->damaged_rows());
  parts.workers.emplace(kWorkerThreads, kMaxWaitingWork);
  parts.gate.emplace(options.max_calls_in_flight);
  parts.tenant_gate.emplace(options.tenant_limits, parts.clock);
  const ChainParts chain_parts = {.store = *parts.store,
                                  .workers = *parts.workers,
                                  .gate = *parts.gate,
                                  .tenant_gate = *parts.tenant_gate,
                                  .seal_keys = *parts.seal_keys,
                                  .clock = parts.clock,
                                  .token_time = parts.token_time,
                                  .registry = *parts.metrics,
                                  .call_log = *parts.call_log};
  parts.authenticator = parts.options.authenticator.get();
  // A chain cannot be moved, so it is built where it stays.
  parts.chain.reset(new Chain(BuildChain({.default_region = options.default_region,
                                          .policy = options.token_policy,
                                          .request_budget = options.request_budget,
                                          .reply_budget = options.reply_budget,
                                          .request = options.request_limits},
                                         chain_parts, std::move(parts.options.authenticator))));
  auto host = ServiceHost::Start({.listen_address = options.listen_address,
                                  .credentials = parts.tls == nullptr ? nullptr : parts.tls->grpc(),
                                  .limits = options.connection_limits},
                                 hosted, *parts.chain);
  if (!host.ok()) return OptionError("listen_address", options.listen_address, host.status());
  parts.host = *std::move(host);
  for (const std::string& address : parts.host->left_out()) {
    parts.log->warn("{} is listened on, but not at {}", options.listen_address, address);
  }
  if (parts.tls != nullptr) {
    const absl::Status shown = CheckIsShown(*parts.tls, options.listen_address, port());
    if (!shown.ok()) {
      return OptionError("tls_cert_file", options.tls.cert_file,
                         absl::UnavailableError(absl::StrCat("no TLS handshake works: ", shown.message())));
    }
  }
  // Nothing fails any more: drivers of work may end when Start does, and when it fails.
  parts.work->TakeUpOpenWork();
  parts.token_time_keeper.emplace(parts.token_time, *parts.store, *parts.log, *parts.metrics);
  parts.log->info("data in {}, {} pieces of work resumed", options.data_dir, resumed);
  return absl::OkStatus();
}

void Server::AwaitStopSignal() {
  int signal = SIGHUP;
  while (signal == SIGHUP) {
    sigwait(&parts_->signals, &signal);
    if (signal == SIGHUP) Reload();
  }
  parts_->log->info("signal {}: draining", signal);
}

void Server::Reload() {
  Parts& parts = *parts_;
  const bool tls_done = parts.tls == nullptr || parts.ReloadTls();
  const absl::Status callers = parts.authenticator == nullptr ? absl::OkStatus() : parts.authenticator->Reload();
  if (!callers.ok()) {
    parts.log->error("reload: what was read before stays in use: {}", std::string(callers.message()));
  }
  if (tls_done && callers.ok()) parts.log->info("reload: done");
}

bool Server::Parts::ReloadTls() {
  if (const absl::Status read = tls->Reload(clock.Now()); !read.ok()) {
    log->error("reload: what was read before stays in use, {}: {}", Describe(*tls), std::string(read.message()));
    return false;
  }
  LogCertificate(*tls, clock.Now(), *log);
  if (host == nullptr) return true;
  const absl::Status shown = CheckIsShown(*tls, options.listen_address, host->port());
  if (!shown.ok()) {
    log->error("reload: the TLS files were read, but it is not sure that connections use them: {}",
               std::string(shown.message()));
  }
  return shown.ok();
}

void Server::Stop(absl::Duration timeout) {
  Parts& parts = *parts_;
  if (parts.store == nullptr) return;
  if (parts.host != nullptr) {
    parts.host->AnnounceShutdown();
    parts.gate->Close();
    parts.waiters.Close();
    parts.admin_service->Close();  // A backup may take longer than anybody waits, and is made anew by whoever asks.
    parts.gate->AwaitIdle(timeout);
    // When connections close, a call that is just arriving is cut off with CANCELLED. So busy clients are
    // given a moment to hear UNAVAILABLE instead, and to go away.
    absl::SleepFor(std::min(kLameDuckTime, timeout));
    parts.host->Drain(kCloseTimeout);
  }
  // No call runs any more. What was prepared is committed, what was committed may still start work, and
  // work that is not written down as done is resumed by the next start.
  parts.workers.reset();
  parts.admin_service.reset();
  if (parts.work.has_value()) parts.work->Stop();
  parts.token_time_keeper.reset();
  parts.store = nullptr;
  parts.log->info("stopped");
}

}  // namespace hapax
