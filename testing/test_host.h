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
  // As of ServerOptions.
  std::string default_region = "default";
  std::vector<std::string> accept_rule_changes;
  ScopeResolver token_resolver;
  TokenPolicy token_policy;
  TenantLimits tenant_limits;
  RequestLimits request_limits;
  // Whether each body of a mutation, and of a completion of work, is run twice (repeat.h).
  bool repeat_bodies = true;
  // For a restart: the rows and the clock of a host that has ended. Null: its own.
  std::shared_ptr<MemoryTables> tables;
  ManualClock* clock = nullptr;
};

// What a test says of a call beside its request. Each has a default.
struct TestCallOptions {
  // Sent as metadata `x-client-token`. Empty: the call has the token of the request's field, or none.
  std::string token;
  std::string tenant = "default";
  Role role = Role::kAdmin;
  // `package.Service/Method`, or `Method` where only one hosted service has it. Empty: the only method that takes such
  // a request and gives such a reply.
  std::string method;
  // Of the request; keys in lower case.
  std::vector<std::pair<std::string, std::string>> metadata;
  // By the host's clock.
  absl::Time deadline = absl::InfiniteFuture();
};

// What a client is told, without the reply's type.
struct TestEnd {
  absl::Status status;  // Code, message and details, as gRPC sends them.
  std::string bytes;    // Of the reply; empty for an error.
  std::string outcome;  // `hapax-outcome`: `executed`, `replayed` or `unprotected`; empty: of an error, or a read.
  std::string reason;   // Of the error's google.rpc.ErrorInfo, Hapax's own or a service's; empty: it has none.
  std::string retry;    // `hapax-retry`: `same-token`, `new-token` or `never`; empty: there is no error.
};

template <typename Reply>
struct TestReply : TestEnd {
  Reply reply;  // Empty for an error.
};

// Hosts services without a server, for their tests: the real chain of interceptors, with rules, tokens, roles and
// limits, on a store in memory. No port, no file.
//
//   TestHost host;
//   HostedService payments(...);                               // as for a Server
//   ASSERT_TRUE(host.Start({&payments}).ok());
//   auto first = host.Call<ChargeResponse>(request, {.token = "order-1"});
//   auto again = host.Call<ChargeResponse>(request, {.token = "order-1"});
//   EXPECT_EQ(again.outcome, "replayed");
//
// Hosted with it: hapax.idempotency.v1.Tokens and google.longrunning.Operations. The clock stands still until the test
// moves it; ids are counted. A token that is a UUID of version 7 tells its time, so the clock must have come to that.
//
// Each body of a mutation is run twice (repeat.h). A call whose runs do not agree ends with INTERNAL, names the method
// and what differs, and leaves nothing.
//
// Thread-safety: Call is safe once it is started, and so are the parts; the rest is for one thread.
// Lifetime: services and drivers outlive its calls and its work: where a driver may be at work, they outlive Stop.
class TestHost {
 public:
  explicit TestHost(TestHostOptions options = {});
  ~TestHost();
  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;

  // What services are made of, as of a Server.
  [[nodiscard]] Store& store();
  [[nodiscard]] ManualClock& clock();
  [[nodiscard]] CountedIds& ids();
  [[nodiscard]] WorkQueue& work();
  [[nodiscard]] const Operations& operations() const;

  // As WorkQueue::AddDriver, but each Complete is run twice.
  void AddDriver(std::string kind, std::string_view service, WorkDriver& driver);

  // Compiles the services' rules, and takes up open work. To be called once.
  // Errors: those of Server::Start that are the services' or the store's.
  [[nodiscard]] absl::Status Start(std::vector<HostedService*> services);

  // Makes the call, and waits for its end. Errors, besides the call's: UNIMPLEMENTED, no such method is hosted, or
  // several are.
  template <typename Reply>
  [[nodiscard]] TestReply<Reply> Call(const google::protobuf::Message& request, const TestCallOptions& options = {}) {
    TestReply<Reply> reply;
    static_cast<TestEnd&>(reply) = CallUntyped(request, *Reply::descriptor(), options);
    if (reply.status.ok() && !reply.reply.ParseFromString(reply.bytes)) {
      reply.status = absl::InternalError("the reply's bytes are no message of its type");
    }
    return reply;
  }

  // Waits until all work that was scheduled is done and written down, for `timeout` of real time at the most.
  // Errors: DEADLINE_EXCEEDED, naming the work that is left; INTERNAL, a completion was not repeatable.
  [[nodiscard]] absl::Status AwaitWork(absl::Duration timeout = absl::Minutes(1));

  // Takes no more calls, and writes no more completions of work down. What is open is left to a later host.
  void Stop();

  // What was not repeatable so far: each as method, or kind of work, and what differed.
  [[nodiscard]] std::vector<std::string> unrepeatable() const;

  // For a later host's options.
  [[nodiscard]] std::shared_ptr<MemoryTables> tables() const;

 private:
  struct Parts;

  [[nodiscard]] TestEnd CallUntyped(const google::protobuf::Message& request, const google::protobuf::Descriptor& reply,
                                    const TestCallOptions& options);

  const std::unique_ptr<Parts> parts_;
};

// One call of one service, on a store of its own. `method`: its name without the service's. Errors, besides the
// call's: those of TestHost::Start.
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
