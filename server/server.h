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

// What a server is made of. Each has a default but the data directory.
struct ServerOptions {
  // `HOST:PORT` to serve gRPC on; port 0 takes a free one.
  std::string listen_address = "127.0.0.1:50051";
  // Directory of the database; created when it does not exist. One server at a time may use it.
  std::string data_dir;
  // The full name of the service whose rows a data directory of format 1 has: that format does not say. Not needed
  // for directories that this version made.
  std::string format_1_service;
  // How connections are encrypted.
  TlsFiles tls;
  // Who calls. Null believes metadata `x-tenant-id`: only for addresses that nobody else reaches.
  std::unique_ptr<Authenticator> authenticator;
  // The region of a call that names none and implies none; part of its token's scope for good. See accept_rule_changes.
  std::string default_region = "default";
  // Methods, as `package.Service/Method`, whose rule or default region may differ from the last start's so that a retry
  // of an earlier call is executed again. Without their names such a start is refused (rule_history.h).
  std::vector<std::string> accept_rule_changes;
  // Turns the names of a region and a zone into a place, for Tokens. Null takes them as they are.
  ScopeResolver token_resolver;
  // What an operator knows to have passed: tokens expire as far as that and the wall clock, though the server was down
  // for longer than it believes by itself (token_time.h).
  absl::Time time_passed = absl::InfinitePast();
  // For how long tokens protect, unless a method's rule says otherwise.
  TokenPolicy token_policy;
  // The keys that secret replies are sealed with (seal_keys.h); created when it does not exist. Empty: the data
  // directory's name with `.seal_keys` at its end.
  std::string seal_key_file;
  // Where backups of the data directory are made (backup.h), outside of it; created with the first. Empty: none are.
  std::string backup_dir;
  // `HOST:PORT` to serve Prometheus metrics on; empty for none.
  std::string metrics_address;
  // Bounds; what comes on top is refused with OVERLOADED.
  int max_calls_in_flight = 4096;
  MessageBudget::Options request_budget;
  MessageBudget::Options reply_budget = Scheduling::kReplies;
  TenantLimits tenant_limits;
  size_t max_waiting_transactions = 4096;
  // Bounds of what a request consists of; refused with INVALID_PARAMETER.
  RequestLimits request_limits;
  // Bounds of what gRPC does for clients.
  ConnectionLimits connection_limits;
  // Bytes of memory for the database's blocks, filters and indexes.
  size_t block_cache_bytes = size_t{256} << 20;
  // Interceptors of the embedder's own, after authorization and before the token's look-up, in this order. They see
  // every call of every service, retries included, with its request decoded and its context filled in.
  std::vector<std::unique_ptr<UnaryInterceptor>> interceptors;
  // Where log lines go, each with its level and text, of a call a JSON object; null: to stderr, with the time.
  spdlog::sink_ptr log_sink;
  // Least level of what is logged; info has a line for every call.
  spdlog::level::level_enum log_level = spdlog::level::info;
};

// A server of protobuf services whose mutating calls happen once: the store, the chain of interceptors, the gRPC host,
// durable work, and with them hapax.idempotency.v1.Tokens, google.longrunning.Operations and hapax.admin.v1.Admin.
//
//   auto server = Server::Open({.data_dir = "data"});
//   HostedService payments(...);                          // its handlers keep what they keep in the transaction
//   absl::Status started = (*server)->Start({&payments});
//   (*server)->AwaitStopSignal();
//   (*server)->Stop(absl::Seconds(30));
//
// Thread-safety: for one thread.
// Lifetime: hosted services, and drivers of work, outlive Stop; a driver's own machinery ends between Stop and the
// destructor.
class Server {
 public:
  // Opens the data directory and the key files. From here on SIGTERM, SIGINT and SIGHUP are held back for
  // AwaitStopSignal.
  // Errors: the option's name and value, and what is wrong with it; the codes are those of OpenRocksDbStore,
  // LoadSealKeys and ReadTlsFiles.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Server>> Open(ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // What services are made of.
  [[nodiscard]] Store& store();
  [[nodiscard]] const Clock& clock() const;
  [[nodiscard]] IdSource& ids();
  [[nodiscard]] WorkQueue& work();
  [[nodiscard]] const Operations& operations() const;
  [[nodiscard]] spdlog::logger& log();
  // What `metrics_address` serves: for metrics of the embedder's own, too.
  [[nodiscard]] prometheus::Registry& metrics();

  // Compiles the services' rules, takes up open work, and serves.
  // Errors: INVALID_ARGUMENT, naming the method whose declaration is wrong, or the service whose name is taken;
  // FAILED_PRECONDITION, naming the methods whose rules have changed (rule_history.h); UNAVAILABLE, the address or the
  // metrics' address cannot be listened on; those of WorkQueue::Resume.
  [[nodiscard]] absl::Status Start(std::vector<HostedService*> services);

  // The port it listens on.
  [[nodiscard]] int port() const;

  // Returns when the process is told to stop, by SIGTERM or SIGINT. Reloads when it is told to, by SIGHUP.
  void AwaitStopSignal();

  // Reads the TLS files and what the authenticator knows callers by afresh, for the connections and calls that come
  // from now on. What is wrong with one of them is logged, and that one stays as it was.
  void Reload();

  // Takes no more calls, lets those that run finish, for `timeout` at the most, and closes the store. Open work is
  // taken up by the next start.
  void Stop(absl::Duration timeout);

 private:
  struct Parts;

  explicit Server(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_SERVER_H_
