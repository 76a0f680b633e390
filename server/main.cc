// hapaxd: puts the parts together and runs them until it is told to stop.
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "hapax/interceptors/api_keys.h"
#include "hapax/interceptors/authentication.h"
#include "hapax/interceptors/call_gate.h"
#include "hapax/interceptors/worker_pool.h"
#include "hapax/server/chain.h"
#include "hapax/server/compute/catalog.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/ids.h"
#include "hapax/server/compute/lifecycle.h"
#include "hapax/server/compute/places.h"
#include "hapax/server/compute/simulated_hypervisor.h"
#include "hapax/server/flags.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/server/service_host.h"
#include "hapax/storage/clock.h"
#include "hapax/storage/rocksdb_store.h"
#include "hapax/storage/status_macros.h"
#include "prometheus/exposer.h"
#include "prometheus/registry.h"
#include "spdlog/async.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace hapax {
namespace {

constexpr int kWorkerThreads = 2;
constexpr size_t kMaxWaitingWork = 256;
constexpr absl::Duration kLameDuckTime = absl::Milliseconds(50);
constexpr absl::Duration kCloseTimeout = absl::Seconds(1);
constexpr size_t kLogQueueSize = 8192;
constexpr char kLogPattern[] = "%Y-%m-%dT%H:%M:%S.%f%z %l %v";
constexpr char kCallLogPattern[] = R"({"time":"%Y-%m-%dT%H:%M:%S.%f%z","level":"%l",%v})";

// The signals that end the server, blocked in every thread so that only the main one takes them.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file.good() || !content.good()) return absl::NotFoundError("the file cannot be read, or is empty");
  return std::move(content).str();
}

absl::StatusOr<compute::Catalog> LoadCatalog(const ServerFlags& flags) {
  if (flags.catalog_file.empty()) return compute::Catalog::BuiltIn();
  const absl::StatusOr<std::string> text = ReadFile(flags.catalog_file);
  if (!text.ok()) return FlagError("catalog_file", flags.catalog_file, text.status());
  absl::StatusOr<compute::Catalog> catalog = compute::Catalog::Parse(*text);
  if (!catalog.ok()) return FlagError("catalog_file", flags.catalog_file, catalog.status());
  return catalog;
}

absl::StatusOr<std::unique_ptr<Authenticator>> MakeAuthenticator(const ServerFlags& flags) {
  switch (flags.auth) {
    case ServerFlags::Auth::kNone:
      return std::make_unique<TrustingAuthenticator>();
    case ServerFlags::Auth::kApiKey:
      break;
  }
  const absl::StatusOr<std::string> text = ReadFile(flags.api_keys_file);
  if (!text.ok()) return FlagError("api_keys_file", flags.api_keys_file, text.status());
  absl::StatusOr<std::unique_ptr<ApiKeyAuthenticator>> keys = ApiKeyAuthenticator::Parse(*text);
  if (!keys.ok()) return FlagError("api_keys_file", flags.api_keys_file, keys.status());
  return *std::move(keys);
}

// Serves the metrics, when that is asked for. prometheus-cpp reports what goes wrong by exceptions.
absl::StatusOr<std::unique_ptr<prometheus::Exposer>> ExposeMetrics(
    const ServerFlags& flags, const std::shared_ptr<prometheus::Registry>& metrics) {
  if (flags.metrics_address.empty()) return nullptr;
  try {
    auto exposer = std::make_unique<prometheus::Exposer>(flags.metrics_address);
    exposer->RegisterCollectable(metrics);
    return exposer;
  } catch (const std::exception& error) {
    return FlagError("metrics_address", flags.metrics_address,
                     absl::UnavailableError(absl::StrCat("cannot listen there: ", error.what())));
  }
}

std::shared_ptr<spdlog::logger> MakeLogger(const std::string& name, const char* pattern,
                                           spdlog::level::level_enum level) {
  // A log that cannot keep up loses its oldest lines rather than hold up calls.
  auto logger = spdlog::create_async_nb<spdlog::sinks::stderr_sink_mt>(name);
  logger->set_pattern(pattern, spdlog::pattern_time_type::utc);
  logger->set_level(level);
  return logger;
}

absl::Status Run(int argc, char** argv) {
  // Debian builds Abseil with its deadlock detector on, which makes every lock several times as slow.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  HAPAX_ASSIGN_OR_RETURN(const ServerFlags flags, ParseServerFlags(argc, argv));
  umask(S_IRWXG | S_IRWXO);  // What the server writes is for its own user alone.
  const sigset_t stop_signals = BlockStopSignals();
  spdlog::init_thread_pool(kLogQueueSize, 1);
  const auto log = MakeLogger("server", kLogPattern, flags.log_level);
  const auto call_log = MakeLogger("calls", kCallLogPattern, flags.log_level);

  HAPAX_ASSIGN_OR_RETURN(const compute::Catalog catalog, LoadCatalog(flags));
  if (!catalog.HasRegion(flags.default_region)) {
    return FlagError("default_region", flags.default_region,
                     absl::InvalidArgumentError("must be a region of the catalog"));
  }
  HAPAX_ASSIGN_OR_RETURN(std::unique_ptr<Authenticator> authenticator, MakeAuthenticator(flags));
  absl::StatusOr<std::unique_ptr<Store>> store =
      OpenRocksDbStore({.path = flags.data_dir,
                        .block_cache_bytes = flags.block_cache_bytes,
                        .max_waiting = flags.max_waiting_transactions,
                        .log = [log](std::string_view line) { log->warn("store: {}", line); }});
  if (!store.ok()) return FlagError("data_dir", flags.data_dir, store.status());
  absl::StatusOr<std::unique_ptr<const compute::Places>> places = compute::Places::Load(**store, catalog);
  if (!places.ok()) return FlagError("catalog_file", flags.catalog_file, places.status());

  const SystemClock clock;
  const auto metrics = std::make_shared<prometheus::Registry>();
  HAPAX_ASSIGN_OR_RETURN(const auto exposer, ExposeMetrics(flags, metrics));
  compute::RandomIdSource ids;
  WorkQueue work(**store, clock, *log);
  std::optional<compute::SimulatedHypervisor> hypervisor(flags.simulated_boot_latency);
  compute::BootDriver boot(*hypervisor);
  compute::ShutDownDriver shut_down(*hypervisor);
  work.AddDriver(std::string(compute::kBootWork), boot);
  work.AddDriver(std::string(compute::kShutDownWork), shut_down);
  HAPAX_ASSIGN_OR_RETURN(const int resumed, work.Resume());

  const compute::ComputeService compute_service(catalog, **places, ids, work);
  const std::unique_ptr<HostedService> hosted = compute_service.Host();
  HAPAX_RETURN_IF_ERROR(hosted->Compile());
  std::optional<WorkerPool> workers(std::in_place, kWorkerThreads, kMaxWaitingWork);
  CallGate gate(flags.max_calls_in_flight);
  const Chain chain = BuildChain({.default_region = flags.default_region},
                                 {.store = **store,
                                  .workers = *workers,
                                  .gate = gate,
                                  .clock = clock,
                                  .registry = *metrics,
                                  .call_log = *call_log},
                                 std::move(authenticator));
  absl::StatusOr<std::unique_ptr<ServiceHost>> host =
      ServiceHost::Start({.listen_address = flags.listen_address}, {hosted.get()}, chain);
  if (!host.ok()) return FlagError("listen_address", flags.listen_address, host.status());

  log->info("data in {}, {} pieces of work resumed", flags.data_dir, resumed);
  const std::string listen_host = flags.listen_address.substr(0, flags.listen_address.rfind(':'));
  std::printf("hapaxd: listening on %s:%d\n", listen_host.c_str(), (*host)->port());
  std::fflush(stdout);

  int signal = 0;
  sigwait(&stop_signals, &signal);
  log->info("signal {}: draining", signal);
  (*host)->AnnounceShutdown();
  gate.Close();
  gate.AwaitIdle(flags.drain_timeout);
  // When connections close, a call that is just arriving is cut off with CANCELLED. So busy clients are
  // given a moment to hear UNAVAILABLE instead, and to go away.
  absl::SleepFor(kLameDuckTime);
  (*host)->Drain(kCloseTimeout);
  // No call runs any more. What was prepared is committed, what was committed may still start work, and
  // work that is not written down as done is resumed by the next start.
  workers.reset();
  work.Stop();
  store->reset();
  hypervisor.reset();
  log->info("stopped");
  spdlog::shutdown();
  return absl::OkStatus();
}

}  // namespace
}  // namespace hapax

int main(int argc, char** argv) {
  const absl::Status status = hapax::Run(argc, argv);
  if (status.ok()) return 0;
  std::fprintf(stderr, "hapaxd: %s\n", std::string(status.message()).c_str());
  return 1;
}
