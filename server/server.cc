#include "hapax/server/server.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "hapax/base/bounded_task.h"
#include "hapax/base/log/log_writer.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/stop_requests.h"
#include "hapax/server/chain.h"
#include "hapax/server/clock_agreement.h"
#include "hapax/server/engine.h"
#include "hapax/server/grpc/tls_probe.h"
#include "hapax/server/hosting/rule_history.h"
#include "hapax/server/hosting/token_policy_history.h"
#include "hapax/server/option_checks.h"
#include "hapax/server/options/seal_key_file.h"
#include "hapax/server/server_parts.h"
#include "hapax/server/shared_settings.h"
#include "prometheus/gauge.h"

namespace hapax {
namespace {

constexpr int kWorkerThreads = 2;
constexpr size_t kMaxWaitingWork = 256;
// More threads than cores, since reads of hosted services may wait for other systems.
constexpr int kReaderThreads = 4;
constexpr size_t kMaxWaitingReads = 1000;  // One tenant may have half of them.
// How often operations with waiters are read, for those that other servers end.
constexpr absl::Duration kCheckInterval = absl::Milliseconds(250);
constexpr absl::Duration kProbeTimeout = absl::Seconds(10);
constexpr char kLogPattern[] = "%Y-%m-%dT%H:%M:%S.%f%z %l %v";
constexpr char kCallLogPattern[] = R"({"time":"%Y-%m-%dT%H:%M:%S.%f%z","level":"%l",%v})";

// Lines above info are flushed at once.
std::shared_ptr<spdlog::logger> MakeLogger(const std::string& name, spdlog::sink_ptr sink,
                                           spdlog::level::level_enum level) {
  auto logger = std::make_shared<spdlog::logger>(name, std::move(sink));
  logger->set_level(level);
  logger->flush_on(spdlog::level::warn);
  return logger;
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

// Whether a handshake with the server itself, not only with OpenSSL, shows the certificate that was read last.
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

absl::Status CheckServices(const std::vector<HostedService*>& services) {
  for (size_t i = 0; i < services.size(); ++i) {
    if (services[i] == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("services[", i, "]: is null; must be a service"));
    }
    const auto end = services.begin() + static_cast<ptrdiff_t>(i);
    if (std::find(services.begin(), end, services[i]) != end) {
      return absl::InvalidArgumentError(
          absl::StrCat("services[", i, "]: ", services[i]->name(), " is given twice; each service is given once"));
    }
  }
  return absl::OkStatus();
}

std::vector<std::string_view> NamesOf(const std::vector<const HostedService*>& services) {
  std::vector<std::string_view> names;
  names.reserve(services.size());
  for (const HostedService* service : services) names.emplace_back(service->name());
  return names;
}

absl::StatusOr<Place> PlaceAsItIsNamed(const PlaceHints& hints) {
  return Place{.region = std::string(hints.region.value),
               .zone = hints.zones.empty() ? "" : std::string(hints.zones.front().value)};
}

}  // namespace

Server::Parts::Parts(ServerOptions its_options) : options(std::move(its_options)) {
  if (options.log_sink != nullptr) {
    log = MakeLogger("server", options.log_sink, options.log_level);
    call_log = MakeLogger("calls", std::make_shared<BracedSink>(options.log_sink), options.log_level);
    return;
  }
  const auto writer = std::make_shared<LogWriter>(STDERR_FILENO);
  log = MakeLogger("server", std::make_shared<LogSink>(writer), options.log_level);
  log->set_pattern(kLogPattern, spdlog::pattern_time_type::utc);
  call_log = MakeLogger("calls", std::make_shared<LogSink>(writer), options.log_level);
  call_log->set_pattern(kCallLogPattern, spdlog::pattern_time_type::utc);
}

Server::Server(ServerOptions options)
    : parts_(std::make_shared<Parts>(std::move(options))),
      requests_(std::make_shared<StopRequests>(parts_->options.handle_signals ? StopRequests::Signals::kHandled
                                                                              : StopRequests::Signals::kLeftAlone)) {}

absl::StatusOr<std::unique_ptr<Server>> Server::Open(ServerOptions options) {
  HAPAX_RETURN_IF_ERROR(CheckOptions(options));
  // Debian builds Abseil with its deadlock detector on, which makes every lock several times as slow.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  if (options.seal_key_file.empty()) {
    HAPAX_ASSIGN_OR_RETURN(options.seal_key_file, DefaultSealKeyFile(options.data_dir));
  }
  if (options.authenticator == nullptr) options.authenticator = std::make_unique<TrustingAuthenticator>();
  if (options.token_resolver == nullptr) options.token_resolver = PlaceAsItIsNamed;
  std::unique_ptr<Server> server(new Server(std::move(options)));
  HAPAX_RETURN_IF_ERROR(server->OpenParts());
  server->StopAtExit();
  return server;
}

absl::Status Server::OpenParts() {
  Parts& parts = *parts_;
  if (!parts.options.tls.empty()) {
    HAPAX_ASSIGN_OR_RETURN(parts.tls, TlsCredentials::Open(parts.options.tls, [&parts](const TlsPems& pems) {
                             parts.http_tls.Use(pems);
                           }));
    LogCertificate(*parts.tls, parts.clock.Now(), *parts.log);
  }
  HAPAX_ASSIGN_OR_RETURN(parts.engine, OpenEngine(parts.options, {.log = parts.log, .expiry = parts.token_expiry}));
  Store& store = *parts.engine.store;
  const bool is_shared = parts.engine.is_shared;
  absl::StatusOr<LoadedSealKeys> keys = LoadSealKeys(
      parts.options.seal_key_file, is_shared ? MissingSealKeys::kRefused : MissingSealKeys::kCreated, store);
  if (!keys.ok()) return OptionError("seal_key_file", parts.options.seal_key_file, keys.status());
  for (const std::string& id : keys->missing_ids) {
    parts.log->warn("{} has no key \"{}\" any more: replies that it sealed cannot be read", parts.options.seal_key_file,
                    id);
  }
  parts.seal_keys = std::move(keys->keys);
  // If no other process can have the store, the leases of an earlier process are free at once.
  parts.work.emplace(store, parts.clock, *parts.log,
                     WorkQueue::Options{.sole_server = !is_shared,
                                        .lease = parts.options.work_lease,
                                        .server_id = parts.options.server_id,
                                        .max_clock_skew = parts.options.max_clock_skew,
                                        .registry = parts.metrics.get()});
  if (!is_shared) return absl::OkStatus();
  // Already here, before a service writes anything; and again at the start, when the services are known.
  HAPAX_RETURN_IF_ERROR(
      AgreeOnSettings(SharedSettingsOf(parts.options, /*services=*/{}), LoneChange(*parts.work), store, *parts.log));
  HAPAX_RETURN_IF_ERROR(AgreeOnTime(*parts.work, parts.options.max_clock_skew));
  // A copy that begins from now on sees the lease of this server.
  return CheckServes(parts.engine);
}

Store& Server::store() { return *parts_->engine.store; }
const Clock& Server::clock() const { return parts_->clock; }
IdSource& Server::ids() { return parts_->ids; }
WorkQueue& Server::work() { return *parts_->work; }
const Operations& Server::operations() const { return parts_->operations; }
spdlog::logger& Server::log() { return *parts_->log; }
prometheus::Registry& Server::metrics() { return *parts_->metrics; }
int Server::port() const { return parts_->port; }
int Server::http_port() const { return parts_->http_port; }
void Server::RequestStop() { requests_->Ask(); }

absl::Status Server::Start(std::vector<HostedService*> services) {
  {
    MonitorLock lock(&mu_);
    if (ending_ != nullptr) return absl::FailedPreconditionError("Start: the server was stopped; open another one");
    if (start_was_called_) {
      return absl::FailedPreconditionError("Start: it may be called once, and was called before; open another server");
    }
    start_was_called_ = true;
  }
  HAPAX_RETURN_IF_ERROR(CheckServices(services));
  HAPAX_RETURN_IF_ERROR(StartParts(std::move(services)));
  StopAtExit();
  return absl::OkStatus();
}

absl::Status Server::StartParts(std::vector<HostedService*> services) {
  Parts& parts = *parts_;
  const ServerOptions& options = parts.options;
  Store& store = *parts.engine.store;
  const LoneChange lone_change(*parts.work);
  parts.handler_watch.emplace(*parts.metrics, *parts.log);
  for (HostedService* service : services) HAPAX_RETURN_IF_ERROR(service->Compile(&*parts.handler_watch));
  const std::vector<const HostedService*> compiled(services.begin(), services.end());
  HAPAX_RETURN_IF_ERROR(parts.work->CheckDrivers(NamesOf(compiled)));
  TokenTime::LoadOptions time_options = {.shortest_life = ShortestLife(options.token_policy, compiled),
                                         .passed = options.time_passed};
  if (parts.engine.is_shared) {
    HAPAX_RETURN_IF_ERROR(AgreeOnSettings(SharedSettingsOf(options, compiled), lone_change, store, *parts.log));
    HAPAX_ASSIGN_OR_RETURN(const bool is_alone, lone_change.IsAlone(store));
    if (!is_alone) time_options.max_step_across_boots = TokenTimeKeeper::kInterval;
  }
  HAPAX_RETURN_IF_ERROR(parts.token_time.Load(store, time_options));
  HAPAX_ASSIGN_OR_RETURN(parts.options.token_policy,
                         CompletePolicy(options.token_policy, compiled, store, parts.token_time));
  // Nobody tells of operations that other servers end.
  parts.operations_service.emplace(store, parts.waiters,
                                   parts.engine.is_shared ? kCheckInterval : absl::InfiniteDuration());
  parts.tokens_service.emplace(TokensService::Options{.default_region = options.default_region,
                                                      .policy = options.token_policy,
                                                      .time = &parts.token_time,
                                                      .resolver = &options.token_resolver,
                                                      .services = compiled},
                               *parts.seal_keys);
  parts.admin_service.emplace(store, *parts.work,
                              AdminService::Options{.store = options.store,
                                                    .server_id = options.server_id,
                                                    .no_backups = parts.engine.no_backups,
                                                    .backup_dir = options.backup_dir,
                                                    .version = HAPAX_VERSION,
                                                    .start_time = parts.clock.Now()});
  parts.own_services.push_back(parts.admin_service->Host());
  parts.own_services.push_back(parts.operations_service->Host());
  parts.own_services.push_back(parts.tokens_service->Host());
  for (const auto& service : parts.own_services) {
    HAPAX_RETURN_IF_ERROR(service->Compile(&*parts.handler_watch));
    services.push_back(service.get());
  }
  parts.hosted.assign(services.begin(), services.end());
  HAPAX_RETURN_IF_ERROR(ServiceHost::CheckNames(parts.hosted));
  HAPAX_RETURN_IF_ERROR(RememberRulesWith(lone_change));

  HAPAX_ASSIGN_OR_RETURN(const int resumed, parts.work->FindOpenWork());
  CountDamagedWork(*parts.metrics, parts.work->damaged_rows());
  parts.workers.emplace(kWorkerThreads, kMaxWaitingWork);
  parts.readers.emplace(kReaderThreads, kMaxWaitingReads);
  parts.gate.emplace(options.max_calls_in_flight);
  parts.tenant_gate.emplace(options.tenant_limits, parts.clock);
  const ChainParts chain_parts = {.store = store,
                                  .workers = *parts.workers,
                                  .readers = *parts.readers,
                                  .gate = *parts.gate,
                                  .tenant_gate = *parts.tenant_gate,
                                  .seal_keys = *parts.seal_keys,
                                  .clock = parts.clock,
                                  .token_time = parts.token_time,
                                  .registry = *parts.metrics,
                                  .call_log = *parts.call_log};
  parts.authenticator = parts.options.authenticator.get();
  // A chain cannot be moved, so it is built in place.
  parts.chain.reset(new Chain(BuildChain({.default_region = options.default_region,
                                          .policy = options.token_policy,
                                          .request_budget = options.request_budget,
                                          .reply_budget = options.reply_budget,
                                          .request = options.request_limits},
                                         chain_parts, std::move(parts.options.authenticator),
                                         std::move(parts.options.interceptors))));
  auto host = ServiceHost::Start({.listen_address = options.listen_address,
                                  .credentials = parts.tls == nullptr ? nullptr : parts.tls->grpc(),
                                  .limits = options.connection_limits},
                                 parts.hosted, *parts.chain);
  if (!host.ok()) return OptionError("listen_address", options.listen_address, host.status());
  parts.host = *std::move(host);
  for (const std::string& address : parts.host->skipped_addresses()) {
    parts.log->warn("{} is listened on, but not at {}", options.listen_address, address);
  }
  if (parts.tls != nullptr) {
    const absl::Status shown = CheckIsShown(*parts.tls, options.listen_address, parts.host->port());
    if (!shown.ok()) {
      return OptionError("tls_cert_file", options.tls.cert_file,
                         absl::UnavailableError(absl::StrCat("no TLS handshake works: ", shown.message())));
    }
  }
  HAPAX_ASSIGN_OR_RETURN(parts.http, HttpFront::Start({.http_address = options.http_address,
                                                       .metrics_address = options.metrics_address,
                                                       .limits = options.connection_limits,
                                                       .tls = parts.tls == nullptr ? nullptr : &parts.http_tls},
                                                      options.doors, parts.hosted, *parts.chain, parts.metrics,
                                                      [this] { return Readiness(); }));
  // Nothing fails from here on. So drivers may be destroyed after a failed Start.
  parts.work->TakeUpOpenWork();
  if (!parts.engine.expires_rows) parts.expiry_keeper.emplace(parts.token_time.durable(), store, *parts.log);
  parts.token_time_keeper.emplace(parts.token_time, store, *parts.log, *parts.metrics);
  parts.port = parts.host->port();
  parts.http_port = parts.http->port();
  WatchStore();
  parts.log->info("data in {}, {} pieces of work resumed", parts.engine.place, resumed);
  return absl::OkStatus();
}

absl::Status Server::RememberRulesWith(const LoneChange& lone_change) {
  const Parts& parts = *parts_;
  const ServerOptions& options = parts.options;
  RuleChanges changes;
  absl::Status status = lone_change.Make([&]() -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(
        changes, RememberRules(parts.hosted, options.default_region, options.accept_rule_changes, *parts.engine.store,
                               [&](const ReadTransaction& txn) { return lone_change.Check(txn); }));
    return absl::OkStatus();
  });
  if (absl::IsAborted(status)) {
    return OptionError("accept_rule_changes", absl::StrJoin(options.accept_rule_changes, ","),
                       absl::FailedPreconditionError(status.message()));
  }
  if (status.ok()) LogRuleChanges(changes, *parts.log);
  return status;
}

void Server::WatchStore() {
  if (parts_->engine.status == nullptr) return;
  auto on_stopped = [&parts = *parts_, requests = requests_](const absl::Status& why) {
    {
      MonitorLock lock(&parts.watching);
      parts.store_status = why;
    }
    parts.log->error("{}", std::string(why.message()));
    parts.host->AnnounceShutdown();
    requests->Ask();
  };
  auto on_health = [&log = *parts_->log](const absl::Status& health) {
    if (health.ok()) return log.info("the store serves calls again");
    log.warn("the store cannot serve all calls at the moment: {}", std::string(health.message()));
  };
  parts_->store_watch.emplace(
      StoreWatch::Store{.status = parts_->engine.status, .health = parts_->engine.health},
      StoreWatch::Events{.on_stopped = std::move(on_stopped), .on_health = std::move(on_health)});
}

absl::Status Server::Readiness() const {
  if (absl::Status stopped = store_status(); !stopped.ok()) return stopped;
  return parts_->engine.read_health == nullptr ? absl::OkStatus() : parts_->engine.read_health();
}

absl::Status Server::store_status() const {
  MonitorLock lock(&parts_->watching);
  return parts_->store_status;
}

void Server::AwaitStopSignal() {
  // When the process exits meanwhile, the server may be gone once this wakes.
  const std::shared_ptr<StopRequests> requests = requests_;
  const std::shared_ptr<spdlog::logger> log = parts_->log;
  StopRequests::Request request = requests->Await();
  for (; request.kind == StopRequests::Kind::kReload; request = requests->Await()) Reload();
  if (request.signal == 0) return log->info("asked to stop: draining");
  log->info("signal {}: draining", request.signal);
}

void Server::Reload() {
  Parts& parts = *parts_;
  MonitorLock lock(&parts.reloading);
  if (parts.has_ended) return;
  const bool tls_done = parts.tls == nullptr || parts.ReloadTls();
  absl::Status callers = parts.authenticator == nullptr ? absl::OkStatus() : parts.authenticator->Reload();
  for (const auto& door : parts.options.doors) callers.Update(door->Reload());
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

}  // namespace hapax
