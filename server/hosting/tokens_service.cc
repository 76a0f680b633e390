#include "hapax/server/hosting/tokens_service.h"

#include <optional>
#include <utility>

#include "hapax/base/check.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/client_token.h"
#include "hapax/interceptors/idempotency/stored_reply.h"
#include "hapax/interceptors/idempotency/token_finding.h"
#include "hapax/interceptors/idempotency/token_quota.h"
#include "hapax/proto/public_name.h"
#include "hapax/server/hosting/listing.h"

namespace hapax {
namespace {

namespace api = idempotency::v1;

constexpr char kTokenField[] = "client_token";
constexpr char kRegionField[] = "region";
constexpr char kZoneField[] = "availability_zone";

api::TokenState ToApi(TokenState state) {
  switch (state) {
    case TokenState::kFree:
      return api::TOKEN_STATE_FREE;
    case TokenState::kExecuted:
      return api::TOKEN_STATE_EXECUTED;
    case TokenState::kExpired:
      return api::TOKEN_STATE_EXPIRED;
    case TokenState::kAbandoned:
      return api::TOKEN_STATE_ABANDONED;
  }
  HAPAX_CHECK(false, "a TokenState is one of its values");
}

// Smaller differences are not reported.
constexpr absl::Duration kClockTolerance = absl::Minutes(1);

// By how much the server's clock is ahead, if that is worth reporting.
absl::Duration ToldClockAhead(const TokenTime& time) {
  const absl::Duration ahead = time.ClockAhead();
  return absl::AbsDuration(ahead) > kClockTolerance ? absl::Trunc(ahead, absl::Seconds(1)) : absl::ZeroDuration();
}

// The token in the form of the API, without its reply.
api::Token Describe(const TokenKey& key, const store::v1::TokenRecord& record, TokenState state) {
  api::Token token;
  token.set_client_token(key.token);
  token.set_region(key.region);
  token.set_availability_zone(key.zone);
  token.set_state(ToApi(state));
  if (state == TokenState::kFree) return token;
  token.set_method(record.method());
  if (record.has_executed_at()) *token.mutable_execute_time() = record.executed_at();
  if (record.has_expires_at()) *token.mutable_expire_time() = record.expires_at();
  if (record.has_abandoned_at()) *token.mutable_abandon_time() = record.abandoned_at();
  return token;
}

const Method* FindMethod(const std::vector<const HostedService*>& services, const std::string& name) {
  for (const HostedService* service : services) {
    for (const Method& method : service->methods()) {
      if (method.name == name) return &method;
    }
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<HostedService> TokensService::Host() const {
  const auto& descriptor = *api::GetTokenRequest::descriptor()->file()->FindServiceByName("Tokens");
  auto service = std::make_unique<HostedService>(descriptor, HostedService::Reach::kAll);
  const auto bind = [this](auto handler) {
    return [this, handler](auto&&... arguments) {
      return (this->*handler)(std::forward<decltype(arguments)>(arguments)...);
    };
  };
  service->Read<api::GetTokenRequest, api::GetTokenResponse>("GetToken", bind(&TokensService::GetToken),
                                                             ReadLength::kShort);
  service->Read<api::ListTokensRequest, api::ListTokensResponse>("ListTokens", bind(&TokensService::ListTokens));
  service->Mutation<api::AbandonTokenRequest, api::AbandonTokenResponse>("AbandonToken",
                                                                         bind(&TokensService::AbandonToken));
  service->Read<api::GetPolicyRequest, api::GetPolicyResponse>("GetPolicy", bind(&TokensService::GetPolicy),
                                                               ReadLength::kShort);
  return service;
}

// The token named by the request's client_token, region and availability_zone.
template <typename Request>
absl::StatusOr<TokenKey> TokensService::KeyOf(const CallContext& context, const Request& request) const {
  HAPAX_RETURN_IF_ERROR(CheckClientToken(kTokenField, request.client_token()));
  HAPAX_ASSIGN_OR_RETURN(
      Place place, (*options_.resolver)({.region = {.field = kRegionField, .value = request.region()},
                                         .zones = {{.field = kZoneField, .value = request.availability_zone()}}}));
  if (place.region.empty()) place.region = options_.default_region;
  return TokenKey{.tenant = context.tenant,
                  .region = std::move(place.region),
                  .zone = std::move(place.zone),
                  .token = request.client_token()};
}

// The current state of the token, with its reply if that is kept.
absl::StatusOr<api::Token> TokensService::Read(const ReadTransaction& txn, const TokenKey& key) const {
  HAPAX_ASSIGN_OR_RETURN(std::optional<store::v1::TokenRecord> record, FindToken(txn, key));
  const TokenTime& time = *options_.time;
  TokenState state = record.has_value() ? StateAt(*record, time.Now()) : TokenState::kFree;
  // The method is not known, so the longest retention applies.
  if (state == TokenState::kFree &&
      FindByAge(key.token, options_.policy.longest_retention, options_.policy, time) == Finding::kExpired) {
    record = store::v1::TokenRecord();
    state = TokenState::kExpired;
  }
  api::Token token = Describe(key, record.value_or(store::v1::TokenRecord()), state);
  if (state != TokenState::kExecuted) return token;
  if (const Method* method = FindMethod(options_.services, record->method())) {
    token.set_reply_type(PublicName(method->reply->GetDescriptor()->full_name()));
  }
  HAPAX_ASSIGN_OR_RETURN(*token.mutable_reply(), ReadReply(seal_keys_, key, *std::move(record)));
  return token;
}

absl::Status TokensService::GetToken(const CallContext& context, const ReadTransaction& txn,
                                     const api::GetTokenRequest& request, api::GetTokenResponse* response) const {
  HAPAX_ASSIGN_OR_RETURN(const TokenKey key, KeyOf(context, request));
  HAPAX_ASSIGN_OR_RETURN(*response->mutable_token(), Read(txn, key));
  return absl::OkStatus();
}

absl::Status TokensService::ListTokens(const CallContext& context, const ReadTransaction& txn,
                                       const api::ListTokensRequest& request, api::ListTokensResponse* response) const {
  HAPAX_RETURN_IF_ERROR(
      (*options_.resolver)({.region = {.field = kRegionField, .value = request.region()}, .zones = {}}).status());
  if (!request.client_token().empty()) HAPAX_RETURN_IF_ERROR(CheckClientToken(kTokenField, request.client_token()));
  HAPAX_ASSIGN_OR_RETURN(const Page page, Page::Of(request, context.page_token_key, context.tenant));
  const std::string prefix =
      request.region().empty() ? TokenPrefix(context.tenant) : TokenPrefix(context.tenant, request.region());
  const auto is_wanted = [&](const TokenKey& key) {
    return request.client_token().empty() || request.client_token() == key.token;
  };
  // The other tokens are listed even if a record or key is damaged.
  const auto take_damaged = [&](std::string_view bytes) {
    const TokenKey key = DecodeTokenKey(bytes).value_or(TokenKey());
    if (!is_wanted(key)) return false;
    api::Token& token = *response->add_tokens();
    token.set_client_token(key.token);
    token.set_region(key.region);
    token.set_availability_zone(key.zone);
    token.set_state(api::TOKEN_STATE_DAMAGED);
    return true;
  };
  HAPAX_ASSIGN_OR_RETURN(*response->mutable_next_page_token(),
                         ListKeyedRows<store::v1::TokenRecord>(
                             txn, Table::kTokens, prefix, page,
                             [&](std::string_view bytes, const store::v1::TokenRecord& record) {
                               const absl::StatusOr<TokenKey> key = DecodeTokenKey(bytes);
                               if (!key.ok()) return take_damaged(bytes);
                               const TokenState state = StateAt(record, options_.time->Now());
                               if (state == TokenState::kFree || !is_wanted(*key)) return false;
                               *response->add_tokens() = Describe(*key, record, state);
                               return true;
                             },
                             take_damaged));
  return absl::OkStatus();
}

absl::Status TokensService::AbandonToken(const CallContext& context, Transaction& txn,
                                         const api::AbandonTokenRequest& request,
                                         api::AbandonTokenResponse* response) const {
  HAPAX_ASSIGN_OR_RETURN(const TokenKey key, KeyOf(context, request));
  HAPAX_ASSIGN_OR_RETURN(*response->mutable_token(), Read(txn, key));
  if (response->token().state() == api::TOKEN_STATE_EXPIRED) return PutTombstone(txn, key);
  if (response->token().state() != api::TOKEN_STATE_FREE) return absl::OkStatus();
  HAPAX_RETURN_IF_ERROR(CountAbandonedToken(options_.policy, context.tenant, txn));
  store::v1::TokenRecord record;
  *record.mutable_abandoned_at() = ToTimestamp(context.now);
  PutToken(txn, key, record);
  *response->mutable_token() = Describe(key, record, TokenState::kAbandoned);
  return absl::OkStatus();
}

absl::Status TokensService::GetPolicy(const CallContext& context, const ReadTransaction& txn,
                                      const api::GetPolicyRequest& /*request*/,
                                      api::GetPolicyResponse* response) const {
  response->set_max_token_length(static_cast<int32_t>(kMaxClientTokenLength));
  response->set_token_pattern("[!-~]{1,64}");
  *response->mutable_retention() = ToProtoDuration(options_.policy.retention);
  *response->mutable_tombstone_retention() = ToProtoDuration(options_.policy.tombstone_retention);
  response->set_default_region(options_.default_region);
  const TokenPolicy& policy_of_tokens = options_.policy;
  response->set_max_tokens_per_tenant(policy_of_tokens.max_tokens_per_tenant);
  response->set_max_token_bytes_per_tenant(policy_of_tokens.max_token_bytes_per_tenant);
  if (policy_of_tokens.max_tokens_per_tenant > 0 || policy_of_tokens.max_token_bytes_per_tenant > 0) {
    HAPAX_ASSIGN_OR_RETURN(const int64_t stored, StoredTokens(context.tenant, options_.time->Now(), txn));
    response->set_stored_tokens(stored);
    HAPAX_ASSIGN_OR_RETURN(const int64_t bytes, StoredTokenBytes(context.tenant, options_.time->Now(), txn));
    response->set_stored_token_bytes(bytes);
  }
  if (const absl::Duration ahead = ToldClockAhead(*options_.time); ahead != absl::ZeroDuration()) {
    *response->mutable_clock_ahead() = ToProtoDuration(ahead);
  }
  response->set_max_abandoned_tokens_per_tenant(policy_of_tokens.max_abandoned_tokens_per_tenant);
  HAPAX_ASSIGN_OR_RETURN(const int64_t abandoned, AbandonedTokens(context.tenant, txn));
  response->set_abandoned_tokens(abandoned);
  for (const HostedService* service : options_.services) {
    for (const Method& method : service->methods()) {
      if (!method.rule.has_value() || !method.rule->retention().has_value()) continue;
      api::MethodPolicy& policy = *response->add_methods();
      policy.set_method(method.name);
      *policy.mutable_retention() = ToProtoDuration(*method.rule->retention());
    }
  }
  return absl::OkStatus();
}

}  // namespace hapax
