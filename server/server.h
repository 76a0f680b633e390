#ifndef HAPAX_SERVER_SERVER_H_
#define HAPAX_SERVER_SERVER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"
#include "hapax/interceptors/access/authentication.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/limits/request_limits.h"
#include "hapax/interceptors/limits/scheduling.h"
#include "hapax/interceptors/limits/tenant_gate.h"
#include "hapax/interceptors/message_budget.h"
#include "hapax/interceptors/scope.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/operations/operations.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/server/options/connection_limits.h"
#include "hapax/server/options/tls_files.h"
#include "hapax/storage/store.h"
#include "prometheus/registry.h"
#include "spdlog/common.h"
#include "spdlog/logger.h"

namespace hapax {

// The parts and settings of a server. Only the data directory has no default.
struct ServerOptions {
  // The `HOST:PORT` to serve gRPC on; port 0 takes a free one.
  std::string listen_address = "127.0.0.1:50051";
  // The directory of the database; created if it does not exist. Only one server at a time can use it.
  std::string data_dir;
  // The full name of the service whose rows a data directory of format 1 has, which that format does not record.
  // Directories made by this version do not need it.
  std::string format_1_service;
  // The TLS files; all empty: connections are not encrypted.
  TlsFiles tls;
  // Identifies callers. Null trusts metadata `x-tenant-id`: only for addresses that nobody else can reach.
  std::unique_ptr<Authenticator> authenticator;
  // The region of a call that names none and implies none. It is part of the call's token scope for good; see
  // accept_rule_changes.
  std::string default_region = "default";
  // Methods, as `package.Service/Method`, whose rule or default region may differ from the last start so that a retry
  // of an earlier call executes again. Without this, such a start is refused (rule_history.h).
  std::vector<std::string> accept_rule_changes;
  // Turns the names of a region and a zone into a place, for Tokens. Null takes the names as they are.
  ScopeResolver token_resolver;
  // A time that the operator knows to have passed. Tokens expire up to it and the wall clock, even if the server was
  // down for longer than it can tell by itself (token_time.h).
  absl::Time time_passed = absl::InfinitePast();
  // How long tokens protect, unless a method's rule differs.
  TokenPolicy token_policy;
  // The file with the keys that encrypt secret replies (seal_keys.h); created if it does not exist. Empty: the data
  // directory's name followed by `.seal_keys`.
  std::string seal_key_file;
  // The directory for backups (backup.h), outside the data directory; created with the first backup. Empty: no backups.
  std::string backup_dir;
  // The `HOST:PORT` to serve Prometheus metrics on; empty: no metrics.
  std::string metrics_address;
  // Limits; calls beyond them are refused with OVERLOADED.
  int max_calls_in_flight = 4096;
  MessageBudget::Options request_budget;
  MessageBudget::Options reply_budget = Scheduling::kReplies;
  TenantLimits tenant_limits;
  size_t max_waiting_transactions = 4096;
  // Limits on the content of a request; a request beyond them is refused with INVALID_PARAMETER.
  RequestLimits request_limits;
  // Limits on what gRPC accepts from clients.
  ConnectionLimits connection_limits;
  // Memory for the database's blocks, filters and indexes. Bytes.
  size_t block_cache_bytes = size_t{256} << 20;
  // The embedder's interceptors, after authorization and before the token's look-up, in this order. They see every call
  // of every service, retries included, with its request decoded and its context filled in.
  std::vector<std::unique_ptr<UnaryInterceptor>> interceptors;
  // The sink of the log lines; null: stderr, with the time. The text of a call's line is a JSON object.
  spdlog::sink_ptr log_sink;
  // The lowest level that is logged; info has a line for each call.
  spdlog::level::level_enum log_level = spdlog::level::info;
};

// A server of protobuf services whose mutating calls happen once. It has the store, the chain of interceptors, the gRPC
// host and durable work. It also hosts hapax.idempotency.v1.Tokens, google.longrunning.Operations and
// hapax.admin.v1.Admin.
//
//   auto server = Server::Open({.data_dir = "data"});
//   HostedService payments(...);                          // its handlers write through the transaction
//   absl::Status started = (*server)->Start({&payments});
//   (*server)->AwaitStopSignal();
//   (*server)->Stop(absl::Seconds(30));
//
// Thread-safety: for one thread.
// Lifetime: hosted services and drivers of work outlive Stop. A driver's own threads end between Stop and the
// destructor.
class Server {
 public:
  // Opens the data directory and the key files. From now on SIGTERM, SIGINT and SIGHUP are blocked, for
  // AwaitStopSignal.
  // Errors: "<option>=<value>: <error>", with the codes of OpenRocksDbStore, LoadSealKeys and ReadTlsFiles.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Server>> Open(ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The parts that services are built with.
  [[nodiscard]] Store& store();
  [[nodiscard]] const Clock& clock() const;
  [[nodiscard]] IdSource& ids();
  [[nodiscard]] WorkQueue& work();
  [[nodiscard]] const Operations& operations() const;
  [[nodiscard]] spdlog::logger& log();
  // What `metrics_address` serves: for metrics of the embedder's own, too.
  [[nodiscard]] prometheus::Registry& metrics();

  // Compiles the services' rules, takes up open work, and serves.
  // Errors: INVALID_ARGUMENT, naming the method with a wrong declaration, or the service whose name is taken;
  // FAILED_PRECONDITION, naming the methods whose rules have changed (rule_history.h); UNAVAILABLE, the server cannot
  // listen on the address or the metrics' address; those of WorkQueue::Resume.
  [[nodiscard]] absl::Status Start(std::vector<HostedService*> services);

  // The port it listens on.
  [[nodiscard]] int port() const;

  // Returns on SIGTERM or SIGINT. Calls Reload on SIGHUP.
  void AwaitStopSignal();

  // Rereads the TLS files and the authenticator's data, for new connections and calls. If one of them is wrong, that is
  // logged, and it stays as it was.
  void Reload();

  // Accepts no more calls, waits for running ones for at most `timeout`, and closes the store. The next start takes up
  // open work.
  void Stop(absl::Duration timeout);

 private:
  struct Parts;

  explicit Server(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_SERVER_H_
