#ifndef HAPAX_TESTS_SERVER_SUPPORT_CHAIN_CLIENT_H_
#define HAPAX_TESTS_SERVER_SUPPORT_CHAIN_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "hapax/base/clock.h"
#include "hapax/base/worker_pool.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/interceptors/idempotency/token_time.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/limits/call_gate.h"
#include "hapax/interceptors/limits/tenant_gate.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/storage/store.h"
#include "hapax/tests/support/fake_call.h"
#include "prometheus/registry.h"
#include "spdlog/logger.h"

namespace hapax {

// What a client is told.
struct ChainReply {
  std::string result;   // FakeCall::Result.
  std::string bytes;    // Of the reply; empty for an error.
  absl::Status status;  // OK for a reply.

  template <typename Message>
  [[nodiscard]] Message As() const {
    EXPECT_TRUE(status.ok()) << status;
    Message message;
    EXPECT_TRUE(message.ParseFromString(bytes));
    return message;
  }
};

// Calls hosted services through the real chain, as a server has it, but over no wire. Callers are believed, and the
// default region is us-east-1.
//
// Thread-safety: safe.
// Lifetime: what it is made of outlives it, and it outlives its calls.
class ChainClient {
 public:
  // A file of one key, for those that need none to outlive them.
  [[nodiscard]] static SealKeys NewSealKeys();

  // The services are compiled.
  ChainClient(Store& store, const Clock& clock, std::vector<const HostedService*> services,
              SealKeys seal_keys = NewSealKeys());
  ~ChainClient();
  ChainClient(const ChainClient&) = delete;
  ChainClient& operator=(const ChainClient&) = delete;

  // `method` is its name without its service's.
  [[nodiscard]] ChainReply Call(const std::string& method, const google::protobuf::Message& request,
                                const std::string& tenant) const;
  // A call that is on its way, or at its end.
  [[nodiscard]] std::unique_ptr<FakeCall> Start(const std::string& method, const google::protobuf::Message& request,
                                                const std::string& tenant) const;
  // Takes a call that the test made through the chain.
  void Run(FakeCall& call) const;

 private:
  const std::vector<const HostedService*> services_;
  const std::unique_ptr<spdlog::logger> logger_;
  const SealKeys seal_keys_;
  prometheus::Registry registry_;
  CallGate gate_;
  TenantGate tenant_gate_;
  const TokenTime token_time_;
  WorkerPool workers_;
  const std::unique_ptr<const Chain> chain_;
};

// What the call was answered with; waits for that.
[[nodiscard]] ChainReply ReplyTo(const FakeCall& call);

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_CHAIN_CLIENT_H_
