// hapaxd: assembles the server and runs it until it is told to stop.
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "grpc/support/log.h"
#include "hapax/base/check.h"
#include "hapax/base/digest.h"
#include "hapax/base/log/log_writer.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/access/authentication.h"
#include "hapax/interceptors/access/certificate_identity.h"
#include "hapax/server/compute/catalog/builtin_catalog.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/hypervisor/simulated_hypervisor.h"
#include "hapax/server/compute/instances/lifecycle.h"
#include "hapax/server/compute/instances/power.h"
#include "hapax/server/compute/placement/places.h"
#include "hapax/server/compute/rows.h"
#include "hapax/server/doors/ec2/ec2_door.h"
#include "hapax/server/doors/openstack/openstack_door.h"
#include "hapax/server/doors/yandex/translation.h"
#include "hapax/server/doors/yandex/yandex_door.h"
#include "hapax/server/options/api_keys_file.h"
#include "hapax/server/options/flags.h"
#include "hapax/server/server.h"

namespace hapax {
namespace {

// The time beyond --drain_timeout for closing the database and the log once calls are over.
constexpr absl::Duration kStopGrace = absl::Seconds(30);

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file.good() || !content.good()) return absl::NotFoundError("the file cannot be read, or is empty");
  return std::move(content).str();
}

absl::StatusOr<std::string> LoadCatalogText(const ServerFlags& flags) {
  if (flags.catalog_file.empty()) return compute::kBuiltInCatalog;
  absl::StatusOr<std::string> text = ReadFile(flags.catalog_file);
  if (!text.ok()) return FlagError("catalog_file", flags.catalog_file, text.status());
  return text;
}

absl::StatusOr<compute::Catalog> ParseCatalog(const ServerFlags& flags, const std::string& text) {
  absl::StatusOr<compute::Catalog> catalog = compute::Catalog::Parse(text);
  if (!catalog.ok()) return FlagError("catalog_file", flags.catalog_file, catalog.status());
  return catalog;
}

// Tells catalogs apart, by the same name on all servers.
std::string NameOfCatalog(const ServerFlags& flags, const std::string& text) {
  const Sha256Digest digest = Sha256(text);
  const std::string bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
  return absl::StrCat(flags.catalog_file.empty() ? "the built-in one" : "a file", " with SHA-256 ",
                      absl::BytesToHexString(bytes));
}

absl::StatusOr<std::unique_ptr<Authenticator>> MakeAuthenticator(const ServerFlags& flags) {
  switch (flags.auth) {
    case ServerFlags::Auth::kNone:
      return std::make_unique<TrustingAuthenticator>();
    case ServerFlags::Auth::kApiKey:
      return OpenApiKeysFile(flags.api_keys_file);
    case ServerFlags::Auth::kMtls:
      return std::make_unique<CertificateAuthenticator>();
  }
  HAPAX_CHECK(false, "an Auth is one of its values");
}

// Whom the token of an OpenStack client tells.
openstack::Identity OpenStackIdentity(ServerFlags::Auth auth) {
  switch (auth) {
    case ServerFlags::Auth::kNone:
      return openstack::Identity::kProject;
    case ServerFlags::Auth::kApiKey:
      return openstack::Identity::kApiKey;
    case ServerFlags::Auth::kMtls:
      return openstack::Identity::kCertificate;
  }
  HAPAX_CHECK(false, "an Auth is one of its values");
}

// Of "HOST:PORT".
std::string HostOf(const std::string& address) { return address.substr(0, address.rfind(':')); }

// Keeps memory, which holds keys and replies, out of core files.
void ForbidCoreDumps() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__)  // Its leak checker has to trace the process.
  prctl(PR_SET_DUMPABLE, 0);        // The limit does not apply when the core pattern is a pipe.
#endif
}

// gRPC writes its errors to stderr from any of its threads, and a stalled reader would block them.
void KeepGrpcFromStderr() {
  gpr_set_log_function([](gpr_log_func_args* line) {
    // Never destroyed, since gRPC logs as long as the process lives.
    static auto* const writer = new LogWriter(STDERR_FILENO);
    writer->Append(absl::StrCat("grpc: ", line->file, ":", line->line, ": ", line->message, "\n"));
  });
}

// All that was acknowledged is on the disk, so nothing is lost but an orderly end. What still runs may use what exit
// takes away.
[[noreturn]] void EndAtOnce(const absl::Status& why) {
  const std::string message =
      absl::StrCat("hapaxd: it did not stop in time, and is ended: ", std::string(why.message()), "\n");
  pollfd writable{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (poll(&writable, 1, 0) == 1) static_cast<void>(!write(STDERR_FILENO, message.data(), message.size()));
  _exit(1);
}

// The compute service, with what does its work.
class ComputeParts {
 public:
  ComputeParts(const compute::Catalog& catalog, const compute::Places& places, absl::Duration boot_latency,
               Server& server)
      : hypervisor_(boot_latency),
        boot_(hypervisor_, server.store(), server.work()),
        shut_down_(hypervisor_),
        stop_(compute::PowerDriver::Kind::kStop, hypervisor_, server.operations()),
        start_(compute::PowerDriver::Kind::kStart, hypervisor_, server.operations()),
        service_(catalog, places, server.ids(), server.work(), server.operations()),
        hosted_(service_.Host()) {
    server.work().AddDriver(std::string(compute::kBootWork), compute::kServiceName, boot_);
    server.work().AddDriver(std::string(compute::kShutDownWork), compute::kServiceName, shut_down_);
    server.work().AddDriver(std::string(compute::kStopWork), compute::kServiceName, stop_);
    server.work().AddDriver(std::string(compute::kStartWork), compute::kServiceName, start_);
  }

  [[nodiscard]] HostedService* hosted() { return hosted_.get(); }

 private:
  compute::SimulatedHypervisor hypervisor_;
  compute::BootDriver boot_;
  compute::ShutDownDriver shut_down_;
  compute::PowerDriver stop_;
  compute::PowerDriver start_;
  compute::ComputeService service_;
  std::unique_ptr<HostedService> hosted_;
};

// None without an address for them.
absl::StatusOr<std::vector<std::unique_ptr<Door>>> MakeDoors(const ServerFlags& flags,
                                                             const compute::Catalog& catalog) {
  static const SystemClock clock;
  std::vector<std::unique_ptr<Door>> doors;
  if (flags.http_address.empty()) return doors;
  ec2::Ec2Options options{.default_region = flags.default_region,
                          .invocation_id_tokens = flags.ec2_invocation_id_tokens,
                          .access_keys_file = flags.access_keys_file};
  if (flags.auth == ServerFlags::Auth::kApiKey) options.auth = ec2::Auth::kApiKey;
  if (flags.auth == ServerFlags::Auth::kMtls) options.auth = ec2::Auth::kCertificate;
  HAPAX_ASSIGN_OR_RETURN(doors.emplace_back(), ec2::Ec2Door::Create(std::move(options), catalog, clock));
  doors.push_back(std::make_unique<openstack::OpenStackDoor>(openstack::Options{
      .catalog = catalog, .default_region = flags.default_region, .identity = OpenStackIdentity(flags.auth)}));
  doors.push_back(std::make_unique<yandex::YandexDoor>(catalog));
  return doors;
}

absl::Status Run(int argc, char** argv) {
  HAPAX_ASSIGN_OR_RETURN(const ServerFlags flags, ParseServerFlags(argc, argv));
  ForbidCoreDumps();
  umask(S_IRWXG | S_IRWXO);  // The server's files are for its own user only.
  HAPAX_ASSIGN_OR_RETURN(const std::string catalog_text, LoadCatalogText(flags));
  HAPAX_ASSIGN_OR_RETURN(const compute::Catalog catalog, ParseCatalog(flags, catalog_text));
  if (!catalog.HasRegion(flags.default_region)) {
    return FlagError("default_region", flags.default_region,
                     absl::InvalidArgumentError("must be a region of the catalog"));
  }
  absl::StatusOr<std::unique_ptr<Authenticator>> authenticator = MakeAuthenticator(flags);
  if (!authenticator.ok()) return AsFlagError(authenticator.status());

  absl::StatusOr<std::vector<std::unique_ptr<Door>>> doors = MakeDoors(flags, catalog);
  if (!doors.ok()) return AsFlagError(doors.status());

  KeepGrpcFromStderr();
  // Known once the store is open; by then nobody has asked.
  std::unique_ptr<const compute::Places> places;
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Open({
      .listen_address = flags.listen_address,
      .store = flags.store.store,
      .data_dir = flags.store.data_dir,
      .etcd = flags.store.etcd,
      .postgres = flags.store.postgres,
      .server_id = flags.store.server_id,
      .work_lease = flags.store.work_lease,
      .max_clock_skew = flags.store.max_clock_skew,
      .shared_settings = {{"catalog_file", NameOfCatalog(flags, catalog_text)}},
      .format_1_service = std::string(compute::kServiceName),
      .tls = flags.tls,
      .authenticator = *std::move(authenticator),
      .default_region = flags.default_region,
      .accept_rule_changes = flags.accept_rule_changes,
      .token_resolver = [&places](const PlaceHints& hints) { return places->Resolve(hints); },
      .time_passed = flags.time_passed,
      .token_policy = flags.token_policy,
      .seal_key_file = flags.seal_key_file,
      .backup_dir = flags.backup_dir,
      .http_address = flags.http_address,
      .doors = *std::move(doors),
      .translated_methods = yandex::TranslatedMethods(catalog),
      .metrics_address = flags.metrics_address,
      .max_calls_in_flight = flags.limits.max_calls_in_flight,
      .request_budget = flags.limits.request_budget,
      .reply_budget = flags.limits.reply_budget,
      .tenant_limits = flags.limits.tenant,
      .max_waiting_transactions = flags.limits.max_waiting_transactions,
      .request_limits = flags.limits.request,
      .connection_limits = flags.limits.connections,
      .block_cache_bytes = flags.store.block_cache_bytes,
      .log_level = flags.log_level,
      .stop_grace = kStopGrace,
  });
  if (!server.ok()) return AsFlagError(server.status());
  if (flags.auth == ServerFlags::Auth::kApiKey && flags.tls.empty() && flags.listens_to_others) {
    (*server)->log().warn("API keys and replies travel unencrypted to {}: give --tls_cert_file and --tls_key_file",
                          flags.listen_address);
  }
  auto loaded = compute::Places::Load((*server)->store(), catalog);
  if (!loaded.ok()) return FlagError("catalog_file", flags.catalog_file, loaded.status());
  places = *std::move(loaded);

  ComputeParts compute(catalog, *places, flags.simulated_boot_latency, **server);
  if (absl::Status started = (*server)->Start({compute.hosted()}); !started.ok()) return AsFlagError(started);
  // That of gRPC comes last: who waits for it finds both.
  if ((*server)->http_port() != 0) {
    std::printf("hapaxd: HTTP on %s:%d\n", HostOf(flags.http_address).c_str(), (*server)->http_port());
  }
  std::printf("hapaxd: listening on %s:%d\n", HostOf(flags.listen_address).c_str(), (*server)->port());
  std::fflush(stdout);

  (*server)->AwaitStopSignal();
  if (absl::Status stopped = (*server)->Stop(flags.drain_timeout); !stopped.ok()) EndAtOnce(stopped);
  return AsFlagError((*server)->store_status());
}

}  // namespace
}  // namespace hapax

int main(int argc, char** argv) {
  const absl::Status status = hapax::Run(argc, argv);
  if (status.ok()) return 0;
  std::fprintf(stderr, "hapaxd: %s\n", std::string(status.message()).c_str());
  return 1;
}
