#ifndef HAPAX_SERVER_SERVER_H_
#define HAPAX_SERVER_SERVER_H_

#include <cstddef>
#include <map>
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
#include "hapax/server/hosting/translated_method.h"
#include "hapax/server/http/door.h"
#include "hapax/server/operations/operations.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/server/options/connection_limits.h"
#include "hapax/server/options/store_options.h"
#include "hapax/server/options/tls_files.h"
#include "hapax/storage/store.h"
#include "prometheus/registry.h"
#include "spdlog/common.h"
#include "spdlog/logger.h"

namespace hapax {

class BoundedTask;
class LoneChange;
class StopRequests;

// The options of a server. Each has a default, except those that tell where the rows are.
struct ServerOptions {
  // The `HOST:PORT` to serve gRPC on. Port 0 takes a free one. Without an authenticator it is a loopback address.
  std::string listen_address = "127.0.0.1:50051";
  // Where the rows are: "rocksdb", in `data_dir`; "etcd", in the cluster of `etcd`, or "postgres", in the database of
  // `postgres`, which other servers may share.
  std::string store = "rocksdb";
  // With "rocksdb": the directory of the database; created if it does not exist. Only one server at a time can use it.
  std::string data_dir;
  // With "etcd" or "postgres": the cluster or the database; and the server's own name, which stays the same after each
  // restart. No two running servers may share a name: the one that started later stops the other. 1 to 64 letters,
  // digits, "-", "_" and ".".
  EtcdStoreOptions etcd;
  PostgresStoreOptions postgres;
  std::string server_id;
  // With "etcd" or "postgres": how long a server that is not heard of keeps its work, until another takes it up.
  // Positive.
  absl::Duration work_lease = absl::Seconds(30);
  // With "etcd" or "postgres": by how much the wall clocks of the servers may differ. Positive; may be infinite. A
  // start is refused while the clock surely differs by more from those of most other servers; later that is logged.
  absl::Duration max_clock_skew = absl::Seconds(10);
  // With "etcd" or "postgres": what else the servers must agree on, by the option's name. A start with other values is
  // refused while other servers run.
  std::map<std::string, std::string> shared_settings;
  // The full name of the service whose rows a data directory of format 1 contains, since that format does not record
  // it. Directories made by this version do not need it.
  std::string format_1_service;
  // The TLS files; all empty: connections are not encrypted.
  TlsFiles tls;
  // Identifies callers. Null is a TrustingAuthenticator, which believes metadata `x-tenant-id` and gives every role. So
  // null is refused with other than loopback addresses. A server behind a trusted proxy is given that authenticator.
  // Hapax also has OpenApiKeysFile (server/options/api_keys_file.h), and CertificateAuthenticator for client
  // certificates (interceptors/access/certificate_identity.h), which requires tls.client_ca_file.
  std::unique_ptr<Authenticator> authenticator;
  // The region of a call that neither names nor implies one. It is a permanent part of the call's token scope; see
  // accept_rule_changes.
  std::string default_region = "default";
  // Methods, as `package.Service/Method`, whose rule or default region may have changed since the last start so that a
  // retry of an earlier call executes again. Without this, such a start is refused (rule_history.h).
  std::vector<std::string> accept_rule_changes;
  // Turns the names of a region and a zone into a place, for Tokens. Null takes the names as they are.
  ScopeResolver token_resolver;
  // A time that the operator knows to have passed. Tokens expire up to it and the wall clock, even if the server was
  // down for longer than it can detect by itself (token_time.h).
  absl::Time time_passed = absl::InfinitePast();
  // How long tokens protect, unless a method's rule differs.
  TokenPolicy token_policy;
  // The file with the keys that encrypt secret replies (seal_keys.h). With "rocksdb" it is created if it does not
  // exist; empty: the data directory's name followed by `.seal_keys`. With the others each server has a copy of one
  // file.
  std::string seal_key_file;
  // The directory for backups (backup.h), outside the data directory; created with the first backup. Empty: no backups.
  std::string backup_dir;
  // The `HOST:PORT` to serve `doors` on, over HTTP, with /metrics, /healthz and /readyz; empty: no HTTP. With TLS if
  // `listen_address` has it. Without an authenticator it is a loopback address.
  std::string http_address;
  // Other protocols for the hosted methods. Each request goes to the first door that it is for.
  std::vector<std::unique_ptr<Door>> doors;
  // Methods of other APIs, served by gRPC on `listen_address` through calls of hosted ones. Their services have other
  // names than those that are hosted.
  std::vector<TranslatedMethod> translated_methods;
  // The `HOST:PORT` to serve /metrics, /healthz and /readyz on, unencrypted; empty: not served there.
  std::string metrics_address;
  // Limits. Calls beyond them are refused with OVERLOADED.
  int max_calls_in_flight = 4096;
  MessageBudget::Options request_budget;
  MessageBudget::Options reply_budget = Scheduling::kReplies;
  TenantLimits tenant_limits;
  size_t max_waiting_transactions = 4096;
  // Limits on the content of a request; a request beyond them is refused with INVALID_PARAMETER.
  RequestLimits request_limits;
  // Limits on what gRPC accepts from clients.
  ConnectionLimits connection_limits;
  // Memory for the database's blocks, filters and indexes, in bytes.
  size_t block_cache_bytes = size_t{256} << 20;
  // The embedder's interceptors, in this order. They run after authorization and before the token's look-up. They see
  // every call of every service, retries included, with its request decoded and its context filled in.
  std::vector<std::unique_ptr<UnaryInterceptor>> interceptors;
  // The sink of the log lines. Null: stderr, with the time. The text of a call's line is a JSON object.
  spdlog::sink_ptr log_sink;
  // The lowest level that is logged. Level info has a line for each call.
  spdlog::level::level_enum log_level = spdlog::level::info;
  // Whether SIGTERM, SIGINT and SIGHUP are handled while the server is open. False leaves them to the process, which
  // calls RequestStop and Reload.
  bool handle_signals = true;
  // The time that Stop waits beyond its timeout for things that do not end, such as a handler. Positive; may be
  // infinite.
  absl::Duration stop_grace = absl::Seconds(10);
};

// A server of protobuf services whose mutating calls happen once. It contains the store, the chain of interceptors, the
// gRPC host and durable work. It also hosts hapax.idempotency.v1.Tokens, google.longrunning.Operations and
// hapax.admin.v1.Admin.
//
//   auto server = Server::Open({.data_dir = "data"});
//   HostedService payments(...);                          // its handlers write through the transaction
//   absl::Status started = (*server)->Start({&payments});
//   (*server)->AwaitStopSignal();
//   absl::Status stopped = (*server)->Stop(absl::Seconds(30));
//
// Signals: with handle_signals, SIGTERM, SIGINT and SIGHUP have handlers from Open until Stop or the destructor, which
// restore the earlier ones. A signal that arrives before AwaitStopSignal is not lost. Only AwaitStopSignal changes a
// thread's signal mask, and restores it. A program that the process executes has the default handlers. If a process has
// several servers, each receives every signal.
//
// A server that still exists when the process exits, such as a global one, is stopped as by Stop(0), before globals are
// destroyed. It is better to stop it in main, since the exit may destroy objects that handlers use.
//
// Thread-safety: for one thread. Stop, AwaitStopSignal, Reload, port and the accessors are safe once Start has
// returned. RequestStop is always safe, even in signal handlers.
// Lifetime: hosted services and drivers of work outlive Stop. A `done` that a driver calls later has no effect, even
// after the destructor. If Stop returned DEADLINE_EXCEEDED, all of them must live as long as the process.
class Server {
 public:
  // Checks the options, and opens the store and the key files.
  // Errors: each names the option and its value, and says what is wrong. INVALID_ARGUMENT, naming what is allowed, is
  // returned before anything is opened. FAILED_PRECONDITION: settings or the clock differ from those of other servers.
  // The other codes are those of the engine (OpenRocksDbStore, OpenEtcdBackend), LoadSealKeys and ReadTlsFiles.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Server>> Open(ServerOptions options);
  // Stops the server as by Stop(0), unless Stop was called.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The parts that services are made of. Only work and log may be used after Stop.
  [[nodiscard]] Store& store();
  [[nodiscard]] const Clock& clock() const;
  [[nodiscard]] IdSource& ids();
  [[nodiscard]] WorkQueue& work();
  [[nodiscard]] const Operations& operations() const;
  [[nodiscard]] spdlog::logger& log();
  // The metrics served on `metrics_address`. The embedder may add its own.
  [[nodiscard]] prometheus::Registry& metrics();

  // Compiles the services' rules, takes up open work, and serves. May be called only once, even if it fails.
  // Errors: INVALID_ARGUMENT: a declaration or handler is wrong (naming the method), a service's name is taken or given
  // twice (naming the service), a translated method is wrong (naming it), a service is null (naming its position), or a
  // driver of work is given twice or for a service that is not in `services` (naming the kind). FAILED_PRECONDITION:
  // rules have changed (rule_history.h; naming the methods), settings differ from those of other servers (naming the
  // option), or Start or Stop was called before. UNAVAILABLE: the server cannot listen on the address or the metrics'
  // address. Those of WorkQueue::Resume.
  [[nodiscard]] absl::Status Start(std::vector<HostedService*> services);

  // Returns the port that the server listens on; 0 if none: before Start, if Start failed, and after Stop.
  [[nodiscard]] int port() const;

  // Returns the port of `http_address`, as port().
  [[nodiscard]] int http_port() const;

  // Returns once a stop was requested, by SIGTERM, SIGINT, RequestStop or Stop, even before this call, or the store has
  // stopped for ever. Reloads at each SIGHUP.
  void AwaitStopSignal();

  // Returns OK, or why the store has stopped for ever, such as another process with the same server_id. Health is
  // NOT_SERVING then, and calls get UNAVAILABLE. The process should stop the server, and end with an error.
  [[nodiscard]] absl::Status store_status() const;

  // Makes AwaitStopSignal return. Async-signal-safe.
  void RequestStop();

  // Rereads the TLS files and the data of the authenticator, for later connections and calls. If one of them is wrong,
  // that is logged, and the earlier one stays in use. Does nothing after Stop.
  void Reload();

  // Takes no more calls, lets running calls finish for at most `timeout`, and closes the store. The next start takes up
  // open work.
  //
  // Returns within `timeout` plus `stop_grace`, even if a handler, a driver or a disk never ends. Then it returns
  // DEADLINE_EXCEEDED, naming the methods whose handlers run and the step it waits for. Nothing that still runs is
  // destroyed, not even by the destructor. The process should then end by _exit, since exit may destroy objects that
  // are still in use. All acknowledged effects are durable. Another Stop continues to wait for the same end.
  [[nodiscard]] absl::Status Stop(absl::Duration timeout);

 private:
  struct Parts;

  explicit Server(ServerOptions options);

  [[nodiscard]] absl::Status OpenParts();
  [[nodiscard]] absl::Status StartParts(std::vector<HostedService*> services);
  [[nodiscard]] absl::Status RememberRulesWith(const LoneChange& lone_change);
  // Ends readiness and requests a stop once the store has stopped for ever.
  void WatchStore();
  // OK: the store is read. Otherwise why not.
  [[nodiscard]] absl::Status Readiness() const;
  // Registers a stop of the server at exit, before the destructors of the statics that exist now. Those include the
  // statics of the libraries that the server uses, and RocksDB aborts without its own. A global server would be
  // destroyed after them.
  void StopAtExit();
  // Returns a text that says what Stop waits for.
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
