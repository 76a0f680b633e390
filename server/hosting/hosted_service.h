#ifndef HAPAX_SERVER_HOSTING_HOSTED_SERVICE_H_
#define HAPAX_SERVER_HOSTING_HOSTED_SERVICE_H_

#include <any>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/method.h"
#include "hapax/proto/public_name.h"
#include "hapax/storage/service_table.h"

namespace hapax {

// A protobuf service to host: its handlers, typed, by method name.
//
//   HostedService payments(*ChargeRequest::descriptor()->file()->FindServiceByName("Payments"));
//   payments.Mutation<ChargeRequest, ChargeResponse>("Charge", charge);
//   payments.Read<ListRequest, ListResponse>("ListCharges", list_charges);
//
// A handler is synchronous, and called from many threads. It reads and changes what it keeps through the
// transaction alone; an error it returns leaves nothing. See method.h for what each part may do.
//
// A field that a request may leave unset means something, and that may change: a mutation says what, through
// CallContext::RecordDefaults. Then a retry that spells it out is the same request, whatever the default is by then:
//
//   ChargeRequest defaults;
//   defaults.set_currency(CurrencyOf(request.account()));
//   context.RecordDefaults(defaults);
//
// A default that never changes is the canonicalizer's to clear. What the handler picks anew for each call, such as a
// free slot, is no default.
//
// In Table::kResources a service's handlers find their own service's rows and nothing else (service_table.h).
//
// A handler's error reaches the client with its own code, message and details (payloads, by type URL), a
// google.rpc.ErrorInfo of the service's own domain among them. `hapax-retry` is same-token for a code that tells of
// what may pass, or where there is a google.rpc.RetryInfo, else never. An error of the transaction is passed on as it
// is.
//
// Thread-safety: for one thread, until Compile; immutable afterwards.
// Lifetime: outlives the ServiceHost it is given to.
class HostedService {
 public:
  template <typename Request, typename Reply>
  using ReadHandler =
      absl::AnyInvocable<absl::Status(const CallContext&, const ReadTransaction&, const Request&, Reply*) const>;
  template <typename Request, typename Reply>
  using MutationHandler =
      absl::AnyInvocable<absl::Status(const CallContext&, Transaction&, const Request&, Reply*) const>;
  template <typename Request, typename Prepared>
  using PrepareHandler = absl::AnyInvocable<absl::StatusOr<Prepared>(const CallContext&, const Request&) const>;
  template <typename Request, typename Prepared, typename Reply>
  using PreparedHandler =
      absl::AnyInvocable<absl::Status(const CallContext&, Transaction&, const Request&, const Prepared&, Reply*) const>;
  template <typename Request>
  using Canonicalizer = absl::AnyInvocable<void(Request*) const>;
  template <typename Request>
  using ServingHandler = absl::AnyInvocable<void(UnaryCall&, const Request&) const>;
  using Refresher =
      absl::AnyInvocable<absl::StatusOr<std::string>(const CallContext&, const ReadTransaction&, std::string) const>;

  explicit HostedService(const google::protobuf::ServiceDescriptor& descriptor)
      : descriptor_(descriptor), name_(PublicName(descriptor.full_name())), table_prefix_(ServiceTablePrefix(name_)) {}
  HostedService(const HostedService&) = delete;
  HostedService& operator=(const HostedService&) = delete;

  // A scope resolver, by the name that the service's rules use.
  void AddResolver(std::string name, ScopeResolver resolver) {
    resolvers_.emplace(std::move(name), std::move(resolver));
  }

  // What brings a google.longrunning.Operation on record up to date, for the rules that replay the current one.
  void SetOperationRefresher(Refresher refresher) { refresh_operation_ = std::move(refresher); }

  template <typename Request, typename Reply>
  void Read(std::string_view method, ReadHandler<Request, Reply> handler) {
    Add<Request, Reply>(method).read = [this, handler = std::move(handler)](
                                           const CallContext& context, const ReadTransaction& txn,
                                           const Method::Message& request, Method::Message* reply) {
      const ServiceReads own(txn, table_prefix_);
      return handler(context, own, static_cast<const Request&>(request), static_cast<Reply*>(reply));
    };
  }

  // A method without a rule that answers in its own time (Method::serve).
  template <typename Request, typename Reply>
  void Serve(std::string_view method, ServingHandler<Request> handler) {
    Add<Request, Reply>(method).serve = [handler = std::move(handler)](UnaryCall& call) {
      handler(call, static_cast<const Request&>(*call.request));
    };
  }

  // Under an idempotency rule, or declared `idempotency_level = IDEMPOTENT`.
  template <typename Request, typename Reply>
  void Mutation(std::string_view method, MutationHandler<Request, Reply> handler,
                Canonicalizer<Request> canonicalize = nullptr) {
    Method& added = Add<Request, Reply>(method);
    added.mutate = [this, handler = std::move(handler)](const CallContext& context, Transaction& txn,
                                                        const Method::Message& request, const std::any& /*prepared*/,
                                                        Method::Message* reply) {
      ServiceTransaction own(txn, table_prefix_);
      return handler(context, own, static_cast<const Request&>(request), static_cast<Reply*>(reply));
    };
    SetCanonicalizer<Request>(added, std::move(canonicalize));
  }

  // A mutation whose slow part, `prepare`, is done beforehand on a worker thread.
  template <typename Request, typename Prepared, typename Reply>
  void PreparedMutation(std::string_view method, PrepareHandler<Request, Prepared> prepare,
                        PreparedHandler<Request, Prepared, Reply> handler,
                        Canonicalizer<Request> canonicalize = nullptr) {
    Method& added = Add<Request, Reply>(method);
    added.prepare = [prepare = std::move(prepare)](const CallContext& context,
                                                   const Method::Message& request) -> absl::StatusOr<std::any> {
      absl::StatusOr<Prepared> prepared = prepare(context, static_cast<const Request&>(request));
      if (!prepared.ok()) return prepared.status();
      return std::any(*std::move(prepared));
    };
    added.mutate = [this, handler = std::move(handler)](const CallContext& context, Transaction& txn,
                                                        const Method::Message& request, const std::any& prepared,
                                                        Method::Message* reply) {
      ServiceTransaction own(txn, table_prefix_);
      return handler(context, own, static_cast<const Request&>(request), *std::any_cast<Prepared>(&prepared),
                     static_cast<Reply*>(reply));
    };
    SetCanonicalizer<Request>(added, std::move(canonicalize));
  }

  // Compiles the rules. Errors: INVALID_ARGUMENT, naming the method: one that the service declares has no
  // handler of its kind, or a handler has no such method or other types, or a rule is wrong (rule.h).
  [[nodiscard]] absl::Status Compile();

  [[nodiscard]] const google::protobuf::ServiceDescriptor& descriptor() const { return descriptor_; }
  // Its full name, as clients call it.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::deque<Method>& methods() const { return methods_; }

 private:
  [[nodiscard]] absl::Status Compile(Method& method);

  template <typename Request, typename Reply>
  Method& Add(std::string_view method) {
    Method& added = methods_.emplace_back();
    added.name = name_ + "/" + std::string(method);
    added.descriptor = descriptor_.FindMethodByName(std::string(method));
    added.request = &Request::default_instance();
    added.reply = &Reply::default_instance();
    added.lists = Reply::descriptor()->FindFieldByName("next_page_token") != nullptr;
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
  const std::string table_prefix_;
  ScopeResolvers resolvers_;
  Refresher refresh_operation_;
  std::deque<Method> methods_;  // Calls hold references to its elements.
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_HOSTED_SERVICE_H_
