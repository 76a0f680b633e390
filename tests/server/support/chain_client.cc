#include "hapax/tests/server/support/chain_client.h"

#include <string_view>
#include <utility>

#include "hapax/base/check.h"
#include "hapax/interceptors/access/authentication.h"
#include "hapax/server/chain.h"
#include "hapax/tests/server/support/null_logger.h"

namespace hapax {
namespace {

constexpr int kMaxInFlight = 1'000;

const Method& MethodNamed(const std::vector<const HostedService*>& services, const std::string& name) {
  for (const HostedService* service : services) {
    for (const Method& method : service->methods()) {
      if (method.name == service->name() + "/" + name) return method;
    }
  }
  HAPAX_CHECK(false, name.c_str());
}

}  // namespace

ChainReply ReplyTo(const FakeCall& call) {
  return {.result = call.Result(), .bytes = call.Reply().value_or(""), .status = call.Reply().status()};
}

SealKeys ChainClient::NewSealKeys() { return SealKeys::Parse(SealKeys::NewFile("test")).value(); }

ChainClient::ChainClient(Store& store, const Clock& clock, std::vector<const HostedService*> services,
                         SealKeys seal_keys)
    : services_(std::move(services)),
      logger_(NullLogger()),
      seal_keys_(std::move(seal_keys)),
      gate_(kMaxInFlight),
      tenant_gate_(TenantLimits{}, clock),
      token_time_(clock),
      workers_(/*threads=*/1, /*max_waiting=*/100),
      chain_(new Chain(BuildChain({.default_region = "us-east-1"},
                                  {.store = store,
                                   .workers = workers_,
                                   .readers = workers_,
                                   .gate = gate_,
                                   .tenant_gate = tenant_gate_,
                                   .seal_keys = seal_keys_,
                                   .clock = clock,
                                   .token_time = token_time_,
                                   .registry = registry_,
                                   .call_log = *logger_},
                                  std::make_unique<TrustingAuthenticator>()))) {}

ChainClient::~ChainClient() = default;

void ChainClient::Run(FakeCall& call) const { chain_->Run(call); }

std::unique_ptr<FakeCall> ChainClient::Start(const std::string& method, const google::protobuf::Message& request,
                                             const std::string& tenant) const {
  auto call = std::make_unique<FakeCall>(MethodNamed(services_, method), request);
  call->AddMetadata("x-tenant-id", tenant);
  chain_->Run(*call);
  return call;
}

ChainReply ChainClient::Call(const std::string& method, const google::protobuf::Message& request,
                             const std::string& tenant) const {
  return ReplyTo(*Start(method, request, tenant));
}

}  // namespace hapax
