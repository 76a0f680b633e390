#include "hapax/tests/server/support/tokens_fixture.h"

#include <algorithm>
#include <utility>

#include "hapax/base/check.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/support/fake_call.h"

namespace hapax {
namespace {

namespace api = idempotency::v1;
using test::v1::DepositRequest;
using test::v1::DepositResponse;

absl::StatusOr<Place> Resolve(const PlaceHints& hints) {
  Place place{.region = std::string(hints.region.value)};
  if (!place.region.empty() && place.region != "home" && place.region != "away") {
    return RefuseField(Reason::kUnknownRegion, hints.region.field, "must be home or away");
  }
  for (const PlaceHint& hint : hints.zones) {
    if (hint.value.empty()) continue;
    if (hint.value != "cellar" && hint.value != "attic") {
      return RefuseField(Reason::kUnknownAvailabilityZone, hint.field, "must be cellar or attic");
    }
    place = {.region = hint.value == "cellar" ? "home" : "away", .zone = std::string(hint.value)};
    if (!hints.region.value.empty() && hints.region.value != place.region) {
      return RefuseParameter(hints.region.field, "must be that of the zone");
    }
  }
  return place;
}

const Method& Find(const HostedService& service, const std::string& name) {
  const std::string full_name = service.name() + "/" + name;
  const auto found = std::find_if(service.methods().begin(), service.methods().end(),
                                  [&](const Method& method) { return method.name == full_name; });
  HAPAX_CHECK(found != service.methods().end(), full_name.c_str());
  return *found;
}

Answer CallAs(const TestChain& chain, const std::string& tenant, const Method& method,
              const google::protobuf::Message& request) {
  FakeCall call(method, request);
  call.AddMetadata("x-tenant-id", tenant);
  return chain.Call(call);
}

}  // namespace

TokensFixture::TokensFixture()
    : resolver_(Resolve), vault_(*DepositRequest::descriptor()->file()->FindServiceByName("Vault")) {
  vault_.Mutation<DepositRequest, DepositResponse>(
      "Stash", [](const CallContext&, Transaction&, const DepositRequest& request, DepositResponse* response) {
        response->set_memo("secret " + request.memo());
        return absl::OkStatus();
      });
  HAPAX_CHECK(vault_.Compile().ok(), "its rule is good");
  Start();
}

void TokensFixture::Start() {
  store_ = OpenRocksDbStore({.path = dir_.Path("data"), .expiry = &expiry_}).value();
  faulty_ = std::make_unique<FaultyStore>(*store_);
  chain_ = std::make_unique<TestChain>(
      *faulty_, TestChain::Options{.policy = policy_, .clock = &clock_, .seal_key_file = seal_key_file_});
  tokens_ = std::make_unique<TokensService>(TokensService::Options{.default_region = kDefaultRegion,
                                                                   .policy = policy_,
                                                                   .time = &chain_->token_time(),
                                                                   .resolver = &resolver_,
                                                                   .services = {&ledger_.hosted(), &vault_}},
                                            chain_->seal_keys());
  hosted_ = tokens_->Host();
  const absl::Status compiled = hosted_->Compile();
  HAPAX_CHECK(compiled.ok(), compiled.ToString().c_str());
}

void TokensFixture::Restart() {
  hosted_.reset();
  tokens_.reset();
  chain_.reset();
  faulty_.reset();
  store_.reset();
  Start();
}

Answer TokensFixture::Deposit(const std::string& request, const std::string& tenant) {
  return CallAs(*chain_, tenant, Find(ledger_.hosted(), "Deposit"), FromText<DepositRequest>(request));
}

Answer TokensFixture::Stash(const std::string& request, const std::string& tenant) {
  return CallAs(*chain_, tenant, Find(vault_, "Stash"), FromText<DepositRequest>(request));
}

template <typename Request, typename Reply>
absl::StatusOr<Reply> TokensFixture::Ask(const std::string& method, const std::string& request,
                                         const std::string& tenant) {
  const Answer answer = CallAs(*chain_, tenant, TokensMethod(method), FromText<Request>(request));
  if (!answer.status.ok()) return answer.status;
  Reply reply;
  EXPECT_TRUE(reply.ParseFromString(answer.bytes));
  return reply;
}

absl::StatusOr<api::Token> TokensFixture::Get(const std::string& request, const std::string& tenant) {
  const auto reply = Ask<api::GetTokenRequest, api::GetTokenResponse>("GetToken", request, tenant);
  if (!reply.ok()) return reply.status();
  return reply->token();
}

absl::StatusOr<api::Token> TokensFixture::Abandon(const std::string& request, const std::string& tenant) {
  const auto reply = Ask<api::AbandonTokenRequest, api::AbandonTokenResponse>("AbandonToken", request, tenant);
  if (!reply.ok()) return reply.status();
  return reply->token();
}

absl::StatusOr<api::ListTokensResponse> TokensFixture::List(const std::string& request, const std::string& tenant) {
  return Ask<api::ListTokensRequest, api::ListTokensResponse>("ListTokens", request, tenant);
}

absl::StatusOr<api::GetPolicyResponse> TokensFixture::GetPolicy() {
  return Ask<api::GetPolicyRequest, api::GetPolicyResponse>("GetPolicy", "", "default");
}

const Method& TokensFixture::TokensMethod(const std::string& name) const { return Find(*hosted_, name); }

}  // namespace hapax
