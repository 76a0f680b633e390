#ifndef HAPAX_SERVER_SERVER_H_
#define HAPAX_SERVER_SERVER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/base/clock.h"
#include "hapax/base/monitor.h"
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

class BoundedTask;
class StopRequests;

// What a server is made of. Each has a default but the data directory.
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
  // Whether SIGTERM, SIGINT and SIGHUP are handled while the server is open. False leaves them to the process, which
  // calls RequestStop and Reload.
  bool handle_signals = true;
  // How much longer than its timeout Stop waits for what does not end, such as a handler. Positive; may be infinite.
  absl::Duration stop_grace = absl::Seconds(10);
};

// A server of protobuf services whose mutating calls happen once. It has the store, the chain of interceptors, the gRPC
// host and durable work. It also hosts hapax.idempotency.v1.Tokens, google.longrunning.Operations and
// hapax.admin.v1.Admin.
//
//   auto server = Server::Open({.data_dir = "data"});
//   HostedService payments(...);                          // its handlers write through the transaction
//   absl::Status started = (*server)->Start({&payments});
//   (*server)->AwaitStopSignal();
//   absl::Status stopped = (*server)->Stop(absl::Seconds(30));
//
// Signals: with handle_signals, SIGTERM, SIGINT and SIGHUP have handlers from Open until Stop or the destructor, which
// put back what was there before. A signal that comes before AwaitStopSignal is not lost. No thread's signal mask is
// changed for longer than AwaitStopSignal. A program that the process executes has the default handlers. Of several
// servers in a process each is told of every signal.
//
// A server that still exists when the process exits, such as a global one, is stopped then as by Stop(0). That comes
// before the destructors of globals. Better is to stop it in main: the exit may take away what handlers use.
//
// Thread-safety: for one thread. Stop, AwaitStopSignal, Reload, port and the accessors are safe once Start has
// returned. RequestStop is always safe, in signal handlers too.
// Lifetime: hosted services, and drivers of work, outlive Stop; a driver's own machinery ends between Stop and the
// destructor. They live as long as the process when Stop was DEADLINE_EXCEEDED.
class Server {
 public:
  // Checks the options, and opens the data directory and the key files.
  // Errors: the option's name and value, and what is wrong with it. INVALID_ARGUMENT, naming what is allowed, comes
  // before anything is opened; the other codes are those of OpenRocksDbStore, LoadSealKeys and ReadTlsFiles.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Server>> Open(ServerOptions options);
  // Stops it as by Stop(0), unless that was tried.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // What services are made of. To be used until Stop, but for work and log.
  [[nodiscard]] Store& store();
  [[nodiscard]] const Clock& clock() const;
  [[nodiscard]] IdSource& ids();
  [[nodiscard]] WorkQueue& work();
  [[nodiscard]] const Operations& operations() const;
  [[nodiscard]] spdlog::logger& log();
  // What `metrics_address` serves: for metrics of the embedder's own, too.
  [[nodiscard]] prometheus::Registry& metrics();

  // Compiles the services' rules, takes up open work, and serves. To be called once, whether it fails or not.
  // Errors: INVALID_ARGUMENT, naming the method whose declaration or handler is wrong, the service whose name is taken
  // or that is given twice, or the position of one that is null; FAILED_PRECONDITION, naming the methods whose rules
  // have changed (rule_history.h), or Start or Stop was called before; UNAVAILABLE, the address or the metrics' address
  // cannot be listened on; those of WorkQueue::Resume.
  [[nodiscard]] absl::Status Start(std::vector<HostedService*> services);

  // The port that it listens on; 0 when it listens on none: before Start, when that failed, and after Stop.
  [[nodiscard]] int port() const;

  // Returns once the server is to stop: after SIGTERM, SIGINT, RequestStop or Stop, be it before the call. Reloads
  // whenever SIGHUP comes.
  void AwaitStopSignal();

  // Has AwaitStopSignal return. Async-signal-safe.
  void RequestStop();

  // Reads the TLS files and what the authenticator knows callers by afresh, for the connections and calls that come
  // from now on. What is wrong with one of them is logged, and that one stays as it was. Does nothing after Stop.
  void Reload();

  // Takes no more calls, lets those that run finish, for `timeout` at the most, and closes the store. Open work is
  // taken up by the next start.
  //
  // Returns within `timeout` and `stop_grace`, though a handler, a driver or a disk never ends. Then it is
  // DEADLINE_EXCEEDED, naming the methods whose handlers run, or else what it waits for. Nothing of what still runs is
  // destroyed, not by the destructor either. The process is to be ended by _exit, since what runs on may use what exit
  // takes away. Whatever was acknowledged is durable. Another Stop waits once more for the same end.
  [[nodiscard]] absl::Status Stop(absl::Duration timeout);

 private:
  struct Parts;

  explicit Server(ServerOptions options);

  [[nodiscard]] absl::Status OpenParts();
  [[nodiscard]] absl::Status StartParts(std::vector<HostedService*> services);
  // Has exit stop the server before it runs the destructors of what exists by now. Those are the statics of the
  // libraries that the server uses, and RocksDB aborts without its own. A global server would be destroyed after them.
  void StopAtExit();
  // What Stop waits for, in words.
  [[nodiscard]] std::string WhatRuns() const;
  [[nodiscard]] bool WasStopped();

  const std::shared_ptr<Parts> parts_;
  const std::shared_ptr<StopRequests> requests_;
  Monitor mu_;
  bool start_was_called_ ABSL_GUARDED_BY(mu_) = false;
  std::unique_ptr<BoundedTask> ending_ ABSL_GUARDED_BY(mu_);  // Null until Stop.
};

}  // namespace hapax

#endif  // HAPAX_SERVER_SERVER_H_
