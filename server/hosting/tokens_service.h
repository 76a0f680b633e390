#ifndef HAPAX_SERVER_HOSTING_TOKENS_SERVICE_H_
#define HAPAX_SERVER_HOSTING_TOKENS_SERVICE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/idempotency/v1/tokens.pb.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/interceptors/idempotency/token_time.h"
#include "hapax/interceptors/scope.h"
#include "hapax/server/hosting/hosted_service.h"

namespace hapax {

// The handlers of hapax.idempotency.v1.Tokens: a tenant asks for the state of its client tokens, or abandons them (C20,
// C28).
//
// An abandoned token is a record in the same table, written in a serializable transaction. So abandoning races with an
// attempt like a second attempt: the later one finds what the earlier one wrote.
//
//   AbandonToken                  a late original
//   transaction: free,
//   puts "abandoned"
//                                 transaction: finds it, is refused
//
// Thread-safety: safe.
// Lifetime: the constructor's arguments outlive it.
class TokensService {
 public:
  struct Options {
    // The region of a token whose request names none.
    std::string default_region;
    TokenPolicy policy;
    // The time by which tokens expire.
    const TokenTime* time = nullptr;
    // Turns the names of a region and a zone into a place, and refuses unknown names.
    const ScopeResolver* resolver = nullptr;
    // The services whose methods have rules; compiled.
    std::vector<const HostedService*> services;
  };

  TokensService(Options options, const SealKeys& seal_keys) : options_(std::move(options)), seal_keys_(seal_keys) {}

  // The service to host. The TokensService outlives it.
  [[nodiscard]] std::unique_ptr<HostedService> Host() const;

 private:
  [[nodiscard]] absl::Status GetToken(const CallContext& context, const ReadTransaction& txn,
                                      const idempotency::v1::GetTokenRequest& request,
                                      idempotency::v1::GetTokenResponse* response) const;
  [[nodiscard]] absl::Status ListTokens(const CallContext& context, const ReadTransaction& txn,
                                        const idempotency::v1::ListTokensRequest& request,
                                        idempotency::v1::ListTokensResponse* response) const;
  [[nodiscard]] absl::Status AbandonToken(const CallContext& context, Transaction& txn,
                                          const idempotency::v1::AbandonTokenRequest& request,
                                          idempotency::v1::AbandonTokenResponse* response) const;
  [[nodiscard]] absl::Status GetPolicy(const CallContext& context, const ReadTransaction& txn,
                                       const idempotency::v1::GetPolicyRequest& request,
                                       idempotency::v1::GetPolicyResponse* response) const;

  template <typename Request>
  [[nodiscard]] absl::StatusOr<TokenKey> KeyOf(const CallContext& context, const Request& request) const;
  [[nodiscard]] absl::StatusOr<idempotency::v1::Token> Read(const ReadTransaction& txn, const TokenKey& key) const;

  const Options options_;
  const SealKeys& seal_keys_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_TOKENS_SERVICE_H_
