#include "hapax/tests/interceptors/test_chain.h"

#include <utility>

#include "hapax/interceptors/access/authorization.h"
#include "hapax/interceptors/call_reads.h"
#include "hapax/interceptors/dispatch.h"
#include "hapax/interceptors/idempotency/idempotency.h"
#include "hapax/interceptors/limits/admission.h"
#include "hapax/interceptors/limits/decoding.h"
#include "hapax/interceptors/limits/reception.h"
#include "hapax/interceptors/limits/scheduling.h"
#include "hapax/interceptors/limits/weighing.h"
#include "hapax/interceptors/resolution.h"
#include "hapax/interceptors/telemetry.h"
#include "hapax/storage/rocksdb/store.h"
#include "spdlog/sinks/ostream_sink.h"

namespace hapax {

Answer AnswerTo(const FakeCall& call) {
  return {.result = call.Result(), .bytes = call.Reply().value_or(""), .status = call.Reply().status()};
}

TestChain::TestChain(Store& store, Options options)
    : clock_(options.clock == nullptr ? own_clock_ : *options.clock),
      token_time_(options.token_time == nullptr ? own_token_time_ : *options.token_time),
      seal_keys_(SealKeys::Parse(options.seal_key_file).value()),
      gate_(options.max_in_flight),
      logger_("calls", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)),
      workers_(options.worker_threads, options.max_waiting_work),
      chain_(MakeLinks(store, std::move(options.authenticator), options.policy)) {}

std::vector<std::unique_ptr<UnaryInterceptor>> TestChain::MakeLinks(Store& store,
                                                                    std::unique_ptr<Authenticator> authenticator,
                                                                    const TokenPolicy& policy) {
  std::vector<std::unique_ptr<UnaryInterceptor>> links;
  links.push_back(std::make_unique<Telemetry>(registry_, logger_));
  links.push_back(std::make_unique<Authentication>(std::move(authenticator)));
  links.push_back(std::make_unique<Admission>(gate_, tenant_gate_));
  auto reception = std::make_unique<Reception>(MessageBudget::Options{});
  auto weighing = std::make_unique<Weighing>(reception->budget());
  links.push_back(std::move(reception));
  links.push_back(std::move(weighing));
  auto scheduling = std::make_unique<Scheduling>();
  const CallReads reads(store, scheduling->reply_budget(), scheduling->workers());
  links.push_back(std::move(scheduling));
  links.push_back(std::make_unique<Decoding>());
  links.push_back(std::make_unique<Authorization>());
  links.push_back(std::make_unique<Resolution>(
      Resolution::Options{.default_region = kDefaultRegion, .page_token_key = "page token key"}, clock_));
  links.push_back(std::make_unique<Idempotency>(policy, store, reads, workers_, seal_keys_, clock_, token_time_));
  links.push_back(std::make_unique<Dispatch>(store, reads, clock_));
  return links;
}

Answer TestChain::Call(FakeCall& call) const {
  Run(call);
  return AnswerTo(call);
}

Answer TestChain::Call(const Method& method, const google::protobuf::Message& request) const {
  FakeCall call(method, request);
  return Call(call);
}

ChainTest::ChainTest() : store_(OpenRocksDbStore({.path = dir_.Path("data")}).value()), chain_(*store_) {}

tests::v1::PlaceOrderRequest OrderOf(const std::string& item, const std::string& token) {
  tests::v1::PlaceOrderRequest request;
  request.set_client_token(token);
  request.set_item(item);
  return request;
}

}  // namespace hapax
