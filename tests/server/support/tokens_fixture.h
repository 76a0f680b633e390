#ifndef HAPAX_TESTS_SERVER_SUPPORT_TOKENS_FIXTURE_H_
#define HAPAX_TESTS_SERVER_SUPPORT_TOKENS_FIXTURE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "hapax/idempotency/v1/tokens.pb.h"
#include "hapax/interceptors/idempotency/token_expiry.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/interceptors/scope.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/hosting/tokens_service.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/interceptors/faulty_store.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/server/support/test_ledger.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/test_service.h"

namespace hapax {

// The service Tokens behind the chain, and services whose tokens it is asked about: Ledger, Vault (ledger.proto) and
// Orders (orders.proto), which it knows nothing of. The default region is `home`, with zone `cellar`; there is also
// `away`, with zone `attic`.
class TokensFixture : public testing::Test {
 protected:
  TokensFixture();

  // Ends the server and starts it again on the same data, with what is in policy_ and seal_key_file_.
  void Restart();

  // A request in protobuf's text format, as that tenant.
  [[nodiscard]] Answer Deposit(const std::string& request, const std::string& tenant = "default");
  [[nodiscard]] Answer Stash(const std::string& request, const std::string& tenant = "default");

  [[nodiscard]] absl::StatusOr<idempotency::v1::Token> Get(const std::string& request,
                                                           const std::string& tenant = "default");
  [[nodiscard]] absl::StatusOr<idempotency::v1::Token> Abandon(const std::string& request,
                                                               const std::string& tenant = "default");
  [[nodiscard]] absl::StatusOr<idempotency::v1::ListTokensResponse> List(const std::string& request,
                                                                         const std::string& tenant = "default");
  [[nodiscard]] absl::StatusOr<idempotency::v1::GetPolicyResponse> GetPolicy();

  // A method of Tokens, for a call that is more than that.
  [[nodiscard]] const Method& TokensMethod(const std::string& name) const;

  const TempDir dir_;
  ManualClock clock_;
  const TokenExpiry expiry_{clock_};
  TokenPolicy policy_;
  std::string seal_key_file_ = SealKeys::NewFile("test");
  TestService orders_;
  LedgerService ledger_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<FaultyStore> faulty_;  // What the chain has for a store.
  std::unique_ptr<TestChain> chain_;

 private:
  void Start();
  template <typename Request, typename Reply>
  absl::StatusOr<Reply> Ask(const std::string& method, const std::string& request, const std::string& tenant);

  const ScopeResolver resolver_;
  HostedService vault_;
  std::unique_ptr<TokensService> tokens_;
  std::unique_ptr<HostedService> hosted_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_TOKENS_FIXTURE_H_
