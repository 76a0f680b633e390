#ifndef HAPAX_TESTING_TEST_HOST_H_
#define HAPAX_TESTING_TEST_HOST_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/interceptors/limits/request_limits.h"
#include "hapax/interceptors/limits/tenant_gate.h"
#include "hapax/interceptors/role.h"
#include "hapax/interceptors/scope.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/operations/operations.h"
#include "hapax/server/operations/work_driver.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/storage/memory/store.h"
#include "hapax/storage/store.h"
#include "hapax/testing/counted_ids.h"
#include "hapax/testing/manual_clock.h"

namespace hapax {

struct TestHostOptions {
  // The same as in ServerOptions.
  std::string default_region = "default";
  std::vector<std::string> accept_rule_changes;
  ScopeResolver token_resolver;
  TokenPolicy token_policy;
  TenantLimits tenant_limits;
  RequestLimits request_limits;
  // Whether each body of a mutation or of a completion of work runs twice (repeat.h).
  bool repeat_bodies = true;
  // The rows and the clock of an earlier host, to test a restart. Null: the host has its own.
  std::shared_ptr<MemoryTables> tables;
  ManualClock* clock = nullptr;
};

// The properties of a call besides its request. Each has a default.
struct TestCallOptions {
  // Sent as metadata `x-client-token`. Empty: the call has the token of the request field, or none.
  std::string token;
  std::string tenant = "default";
  Role role = Role::kAdmin;
  // `package.Service/Method`, or `Method` if only one hosted service has it. Empty: the only method with this request
  // and reply type.
  std::string method;
  // The metadata of the request. Keys are in lower case.
  std::vector<std::pair<std::string, std::string>> metadata;
  // The deadline, by the host's clock.
  absl::Time deadline = absl::InfiniteFuture();
};

// The end of a call as a client sees it, without the typed reply.
struct TestEnd {
  absl::Status status;  // Code, message and details, as gRPC sends them.
  std::string bytes;    // The serialized reply; empty for an error.
  std::string outcome;  // `hapax-outcome`: `executed`, `replayed` or `unprotected`; empty for an error or a read.
  std::string reason;   // The reason in google.rpc.ErrorInfo, of Hapax or a service; empty if none.
  std::string retry;    // `hapax-retry`: `same-token`, `new-token` or `never`; empty without an error.
  std::string cause;    // The cause of an error of the server, which only the log has; clients never see it.
};

template <typename Reply>
struct TestReply : TestEnd {
  Reply reply;  // Empty for an error.
};

// Hosts services for their tests, without a server, a port or a file. It has the real chain of interceptors, with
// rules, tokens, roles and limits, on a store in memory.
//
//   TestHost host;
//   HostedService payments(...);                               // as for a Server
//   ASSERT_TRUE(host.Start({&payments}).ok());
//   auto first = host.Call<ChargeResponse>(request, {.token = "order-1"});
//   auto again = host.Call<ChargeResponse>(request, {.token = "order-1"});
//   EXPECT_EQ(again.outcome, "replayed");
//
// It also hosts hapax.idempotency.v1.Tokens and google.longrunning.Operations. The clock stands still until the test
// advances it. Ids are counted. A token that is a UUID of version 7 contains its time, so set the clock to at least
// that time.
//
// Each body of a mutation runs twice (repeat.h). If the runs differ, the call leaves nothing and ends with INTERNAL,
// naming the method and the difference.
//
// Log lines of level warn and above are written to stderr.
//
// Thread-safety: Call and the parts are safe after Start; the rest is for one thread.
// Lifetime: services outlive its calls, and drivers outlive Stop. A `done` that a driver calls later has no effect,
// even after the host is destroyed.
class TestHost {
 public:
  explicit TestHost(TestHostOptions options = {});
  ~TestHost();
  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;

  // The parts that services are made of, as for a Server.
  [[nodiscard]] Store& store();
  [[nodiscard]] ManualClock& clock();
  [[nodiscard]] CountedIds& ids();
  [[nodiscard]] WorkQueue& work();
  [[nodiscard]] const Operations& operations() const;

  // Like WorkQueue::AddDriver, but each Complete runs twice.
  void AddDriver(std::string_view kind, std::string_view service, WorkDriver& driver);

  // Compiles the services' rules, and takes up open work. Must be called once.
  // Errors: those of Server::Start that concern the services, the drivers or the store.
  [[nodiscard]] absl::Status Start(std::vector<HostedService*> services);

  // Makes the call, and waits for its end. Types match by their names on the wire. Errors: those of the call;
  // UNIMPLEMENTED: not exactly one hosted method matches. FAILED_PRECONDITION: Start did not succeed before.
  template <typename Reply>
  [[nodiscard]] TestReply<Reply> Call(const google::protobuf::Message& request, const TestCallOptions& options = {}) {
    TestReply<Reply> reply;
    static_cast<TestEnd&>(reply) = CallUntyped(request, *Reply::descriptor(), options);
    if (reply.status.ok() && !reply.reply.ParseFromString(reply.bytes)) {
      reply.status = absl::InternalError("the reply's bytes are no message of its type");
    }
    return reply;
  }

  // Waits until all scheduled work is done and its completion committed, at most for `timeout` of real time.
  // Errors: DEADLINE_EXCEEDED, naming the remaining work, and the last errors of at most 5 pieces; INTERNAL: a body was
  // not repeatable.
  [[nodiscard]] absl::Status AwaitWork(absl::Duration timeout = absl::Minutes(1));

  // Takes no more calls, and commits no more completions of work. Open work is left to a later host.
  void Stop();

  // Returns the differences found so far. Each names the method or kind of work, and what differed.
  [[nodiscard]] std::vector<std::string> unrepeatable() const;

  // Returns the rows, for the options of a later host.
  [[nodiscard]] std::shared_ptr<MemoryTables> tables() const;

 private:
  struct Parts;

  [[nodiscard]] TestEnd CallUntyped(const google::protobuf::Message& request, const google::protobuf::Descriptor& reply,
                                    const TestCallOptions& options);

  const std::unique_ptr<Parts> parts_;
};

// Makes one call of one service, on a store of its own. `method` is the name without the service. Errors: those of the
// call and of TestHost::Start.
template <typename Reply>
[[nodiscard]] TestReply<Reply> CallOnce(HostedService& service, const std::string& method,
                                        const google::protobuf::Message& request, const std::string& token = "") {
  TestHost host;
  if (absl::Status started = host.Start({&service}); !started.ok()) {
    TestReply<Reply> reply;
    reply.status = std::move(started);
    return reply;
  }
  return host.Call<Reply>(request, {.token = token, .method = method});
}

}  // namespace hapax

#endif  // HAPAX_TESTING_TEST_HOST_H_
