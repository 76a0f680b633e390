#ifndef HAPAX_SERVER_HOSTING_HOSTED_SERVICE_H_
#define HAPAX_SERVER_HOSTING_HOSTED_SERVICE_H_

#include <any>
#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "hapax/base/clock.h"
#include "hapax/base/contain.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/method.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/proto/public_name.h"
#include "hapax/server/hosting/handler_function.h"
#include "hapax/server/hosting/handler_watch.h"
#include "hapax/storage/service_table.h"
#include "hapax/storage/sql_connection.h"

namespace hapax {

// The possible length of a read.
enum class ReadLength {
  kAny,    // Any length. The handler runs on a reader thread, where tenants take turns.
  kShort,  // Few rows, and never blocking. The handler runs on an event thread; not for lists.
};

// A protobuf service to host: its handlers, typed, by method name.
//
//   HostedService payments(*ChargeRequest::descriptor()->file()->FindServiceByName("Payments"));
//   payments.Mutation<ChargeRequest, ChargeResponse>("Charge", charge);
//   payments.Read<ListRequest, ListResponse>("ListCharges", list_charges);
//
// A handler is synchronous, and called from many threads. It reads and writes its data through the transaction alone,
// and an error that it returns leaves no effect. See method.h for what each part may do.
//
// Handlers of mutations run one at a time in the whole server, so one that is slow or waits delays every mutation. Slow
// work belongs in a preparation (PreparedMutation); work that waits for others belongs in the work queue
// (work_queue.h).
//
// An exception is a fault of the server: the call ends with INTERNAL, leaves no effect, and the token stays free. The
// same holds for a reply or a row without a required field, or with a string that is not UTF-8. The call's log line has
// the cause.
//
// The meaning of a field left unset may change over time. A mutation records it with CallContext::RecordDefaults. A
// retry that spells it out is then the same request, even if the default has changed:
//
//   ChargeRequest defaults;
//   defaults.set_currency(CurrencyOf(request.account()));
//   context.RecordDefaults(defaults);
//
// A default that never changes is left to the canonicalizer. A value picked anew for each call, such as a free slot, is
// not a default.
//
// In Table::kResources the handlers see only the rows of their own service. They may use no other table
// (service_table.h).
//
// A handler's error reaches the client with its own code, message and details (payloads, by type URL), including a
// google.rpc.ErrorInfo with the service's own domain. `hapax-retry` is same-token for a transient code, or with a
// google.rpc.RetryInfo; otherwise it is never. Errors of the transaction are passed on unchanged.
//
// Thread-safety: for one thread, until Compile; immutable afterwards.
// Lifetime: outlives the ServiceHost that it is given to.
class HostedService {
 public:
  template <typename Request, typename Reply>
  using ReadHandler =
      HandlerFunction<absl::Status(const CallContext&, const ReadTransaction&, const Request&, Reply*) const, AsRead>;
  template <typename Request, typename Reply>
  using MutationHandler =
      HandlerFunction<absl::Status(const CallContext&, Transaction&, const Request&, Reply*) const, AsMutation>;
  template <typename Request, typename Reply>
  using SqlHandler =
      HandlerFunction<absl::Status(const CallContext&, SqlConnection&, const Request&, Reply*) const, AsSqlMutation>;
  template <typename Request, typename Prepared>
  using PrepareHandler =
      HandlerFunction<absl::StatusOr<Prepared>(const CallContext&, const Request&) const, AsPreparation>;
  template <typename Request, typename Prepared, typename Reply>
  using PreparedHandler =
      HandlerFunction<absl::Status(const CallContext&, Transaction&, const Request&, const Prepared&, Reply*) const,
                      AsPreparedMutation>;
  template <typename Request, typename Reply>
  using StreamingHandler = HandlerFunction<absl::StatusOr<bool>(const CallContext&, const ReadTransaction&,
                                                                const Request&, std::string* cursor, Reply*) const,
                                           AsStreamingRead>;
  template <typename Request>
  using Canonicalizer = HandlerFunction<void(Request*) const, AsCanonicalizer>;
  template <typename Request>
  using ServingHandler = HandlerFunction<void(UnaryCall&, const Request&) const>;
  using Refresher =
      HandlerFunction<absl::StatusOr<std::string>(const CallContext&, const ReadTransaction&, std::string) const>;

  // The tables that the handlers may use. kAll is for Hapax's own services only.
  enum class Reach { kOwn, kAll };

  explicit HostedService(const google::protobuf::ServiceDescriptor& descriptor, Reach reach = Reach::kOwn)
      : descriptor_(descriptor),
        name_(PublicName(descriptor.full_name())),
        reach_(reach),
        table_prefix_(ServiceTablePrefix(name_)) {}
  HostedService(const HostedService&) = delete;
  HostedService& operator=(const HostedService&) = delete;

  // Adds a scope resolver under the name that the service's rules use.
  void AddResolver(std::string name, ScopeResolver resolver) {
    if (resolver == nullptr) {
      resolvers_.emplace(std::move(name), nullptr);
      return;
    }
    auto contained = [this, part = "resolver " + name, resolver = std::move(resolver)](const PlaceHints& hints) {
      return Run(part, [&] { return resolver(hints); });
    };
    resolvers_.emplace(std::move(name), std::move(contained));
  }

  // Sets the function that updates a recorded google.longrunning.Operation, for rules that replay the current one.
  void SetOperationRefresher(Refresher refresher) { refresh_operation_ = std::move(refresher); }

  template <typename Request, typename Reply>
  void Read(std::string_view method, ReadHandler<Request, Reply> handler, ReadLength length = ReadLength::kAny) {
    NoteIfNull(method, handler);
    Method& added = Add<Request, Reply>(method);
    added.is_long_read |= length == ReadLength::kAny;
    added.read = [this, part = "read of " + added.name, handler = std::move(handler)](
                     const CallContext& context, const ReadTransaction& txn, const Method::Message& request,
                     Method::Message* reply) {
      return Reading(part, txn, [&](const ReadTransaction& own) {
        return handler(context, own, static_cast<const Request&>(request), static_cast<Reply*>(reply));
      });
    };
  }

  // A streaming read. `handler` fills in the next message and moves `cursor`, which is empty at first; only the handler
  // interprets it. It returns false when there is no further message. A message has at most 64 KiB.
  //
  // Like pages of a list, each message reads a state of its own, once the client has taken the message before. So a
  // slow client holds no thread and no snapshot.
  template <typename Request, typename Reply>
  void StreamingRead(std::string_view method, StreamingHandler<Request, Reply> handler) {
    NoteIfNull(method, handler);
    Method& added = Add<Request, Reply>(method);
    added.stream = [this, part = "streaming read of " + added.name, handler = std::move(handler)](
                       const CallContext& context, const ReadTransaction& txn, const Method::Message& request,
                       std::string* cursor, Method::Message* reply) {
      return Reading(part, txn, [&](const ReadTransaction& own) {
        return handler(context, own, static_cast<const Request&>(request), cursor, static_cast<Reply*>(reply));
      });
    };
  }

  // A method without a rule that ends its call itself (Method::serve).
  template <typename Request, typename Reply>
  void Serve(std::string_view method, ServingHandler<Request> handler) {
    NoteIfNull(method, handler);
    Method& added = Add<Request, Reply>(method);
    added.serve = [this, part = "handler of " + added.name, handler = std::move(handler)](UnaryCall& call) {
      const auto ended = std::make_shared<std::atomic<bool>>(false);
      call.OnFinish([ended](UnaryCall&, const absl::StatusOr<std::string>&) { *ended = true; });
      absl::Status status = Run(part, [&] {
        handler(call, static_cast<const Request&>(*call.request));
        return absl::OkStatus();
      });
      if (!status.ok() && !*ended) call.Finish(std::move(status));
    };
  }

  // A mutation: under an idempotency rule, or declared `idempotency_level = IDEMPOTENT`.
  template <typename Request, typename Reply>
  void Mutation(std::string_view method, MutationHandler<Request, Reply> handler,
                Canonicalizer<Request> canonicalize = nullptr) {
    NoteIfNull(method, handler);
    Method& added = Add<Request, Reply>(method);
    added.mutate = [this, part = "mutation of " + added.name, handler = std::move(handler)](
                       const CallContext& context, Transaction& txn, const Method::Message& request,
                       const std::any& /*prepared*/, Method::Message* reply) {
      return Changing(part, txn, [&](Transaction& own) {
        return handler(context, own, static_cast<const Request&>(request), static_cast<Reply*>(reply));
      });
    };
    SetCanonicalizer<Request>(added, std::move(canonicalize));
  }

  // A mutation whose effect is in SQL tables of the service's own, in the database of the server's store: its
  // statements, the token's record and the reply are one commit. docs/your_own_tables.md says what it may do.
  //
  // The handler may block, and runs beside others. It runs again when the database rolled its statements back for
  // another's sake. A server whose store has no SQL does not start with it.
  template <typename Request, typename Reply>
  void SqlMutation(std::string_view method, SqlHandler<Request, Reply> handler,
                   Canonicalizer<Request> canonicalize = nullptr) {
    NoteIfNull(method, handler);
    Method& added = Add<Request, Reply>(method);
    added.uses_sql = true;
    added.mutate = [this, part = "SQL mutation of " + added.name, handler = std::move(handler)](
                       const CallContext& context, Transaction& txn, const Method::Message& request,
                       const std::any& /*prepared*/, Method::Message* reply) -> absl::Status {
      HAPAX_ASSIGN_OR_RETURN(SqlConnection* const sql, txn.sql());
      return Run(part, [&] {
        return handler(context, *sql, static_cast<const Request&>(request), static_cast<Reply*>(reply));
      });
    };
    SetCanonicalizer<Request>(added, std::move(canonicalize));
  }

  // A mutation whose slow part, `prepare`, runs first on a worker thread.
  template <typename Request, typename Prepared, typename Reply>
  void PreparedMutation(std::string_view method, PrepareHandler<Request, Prepared> prepare,
                        PreparedHandler<Request, Prepared, Reply> handler,
                        Canonicalizer<Request> canonicalize = nullptr) {
    NoteIfNull(method, prepare);
    NoteIfNull(method, handler);
    Method& added = Add<Request, Reply>(method);
    added.prepare = [this, part = "preparation of " + added.name, prepare = std::move(prepare)](
                        const CallContext& context, const Method::Message& request) -> absl::StatusOr<std::any> {
      absl::StatusOr<Prepared> prepared =
          Run(part, [&] { return prepare(context, static_cast<const Request&>(request)); });
      if (!prepared.ok()) return prepared.status();
      return std::any(*std::move(prepared));
    };
    added.mutate = [this, part = "mutation of " + added.name, handler = std::move(handler)](
                       const CallContext& context, Transaction& txn, const Method::Message& request,
                       const std::any& prepared, Method::Message* reply) {
      return Changing(part, txn, [&](Transaction& own) {
        return handler(context, own, static_cast<const Request&>(request), *std::any_cast<Prepared>(&prepared),
                       static_cast<Reply*>(reply));
      });
    };
    SetCanonicalizer<Request>(added, std::move(canonicalize));
  }

  // Compiles the rules, unless that is done. `watch` is informed of slow handlers. It outlives the service's calls, and
  // may be null.
  //
  // Errors: INVALID_ARGUMENT, naming the method: a declared method has no handler of its kind, a rule is wrong
  // (rule.h), or a handler is null, has no such method or has other types. Also if a resolver is null, naming it.
  [[nodiscard]] absl::Status Compile(const HandlerWatch* watch = nullptr);

  [[nodiscard]] const google::protobuf::ServiceDescriptor& descriptor() const { return descriptor_; }
  // Its full name, as clients call it.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::deque<Method>& methods() const { return methods_; }

 private:
  [[nodiscard]] absl::Status Compile(Method& method);
  [[nodiscard]] static absl::Status CompileStream(Method& method);

  // Runs `f`, a part of the service's code, and returns its Status or StatusOr. An exception becomes a fault of the
  // server. For code that may be slow, such as preparations.
  template <typename F>
  std::invoke_result_t<F> Run(std::string_view part, F&& f) const {
    bool threw = true;
    std::invoke_result_t<F> result = Contain(part, [&] {
      auto own = f();
      threw = false;
      return own;
    });
    if (threw) result = ToRefusal(absl::Status(StatusOf(result)));
    return result;
  }
  static const absl::Status& StatusOf(const absl::Status& status) { return status; }
  template <typename T>
  static const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
    return result.status();
  }

  // Like Run, for a handler, which must not be slow.
  template <typename F>
  std::invoke_result_t<F> RunWatched(std::string_view part, F&& f) const {
    const absl::Duration begin = MonotonicNow();
    std::invoke_result_t<F> result = Run(part, std::forward<F>(f));
    if (watch_ != nullptr) watch_->OnEnd(part, MonotonicNow() - begin);
    return result;
  }

  template <typename F>
  std::invoke_result_t<F, const ReadTransaction&> Reading(std::string_view part, const ReadTransaction& txn,
                                                          F&& f) const {
    if (reach_ == Reach::kAll) return RunWatched(part, [&] { return f(txn); });
    const ServiceReads own(txn, table_prefix_);
    return RunWatched(part, [&] { return f(static_cast<const ReadTransaction&>(own)); });
  }

  template <typename F>
  absl::Status Changing(std::string_view part, Transaction& txn, F&& f) const {
    if (reach_ == Reach::kAll) return RunWatched(part, [&] { return f(txn); });
    ServiceTransaction own(txn, table_prefix_, {.name = part, .errors = watch_});
    return RunWatched(part, [&] { return f(static_cast<Transaction&>(own)); });
  }

  [[nodiscard]] absl::Status CheckFunctions() const;

  [[nodiscard]] std::string FullName(std::string_view method) const { return name_ + "/" + std::string(method); }

  // Records a null handler, which Compile refuses. It is checked here, since the registered wrapper is never null.
  template <typename Function>
  void NoteIfNull(std::string_view method, const Function& function) {
    if (function == nullptr) null_handlers_.push_back(FullName(method));
  }

  template <typename Request, typename Reply>
  Method& Add(std::string_view method) {
    Method& added = methods_.emplace_back();
    added.name = FullName(method);
    added.descriptor = descriptor_.FindMethodByName(std::string(method));
    added.request = &Request::default_instance();
    added.reply = &Reply::default_instance();
    // A list may visit every row of a tenant (AIP-158).
    added.is_long_read = Reply::descriptor()->FindFieldByName("next_page_token") != nullptr;
    return added;
  }

  template <typename Request>
  static void SetCanonicalizer(Method& method, Canonicalizer<Request> canonicalize) {
    if (canonicalize == nullptr) return;
    method.canonicalize = [canonicalize = std::move(canonicalize)](Method::Message* request) {
      canonicalize(static_cast<Request*>(request));
    };
  }

  const google::protobuf::ServiceDescriptor& descriptor_;
  const std::string name_;
  const Reach reach_;
  const std::string table_prefix_;
  const HandlerWatch* watch_ = nullptr;
  ScopeResolvers resolvers_;
  Refresher refresh_operation_;
  std::deque<Method> methods_;              // Calls hold references to its elements.
  std::vector<std::string> null_handlers_;  // The names of the methods with null handlers.
  size_t compiled_count_ = 0;               // The number of compiled methods, from the start.
};

// Whether the store has what the services' methods need.
// Errors: INVALID_ARGUMENT, naming the method.
[[nodiscard]] absl::Status CheckStore(const std::vector<const HostedService*>& services, const Store& store);

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_HOSTED_SERVICE_H_
