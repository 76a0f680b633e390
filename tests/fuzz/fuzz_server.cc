#include "hapax/tests/fuzz/fuzz_server.h"

#include <utility>

#include "hapax/interceptors/authentication.h"
#include "hapax/server/chain.h"
#include "hapax/server/compute/lifecycle.h"
#include "hapax/server/compute/power.h"
#include "hapax/storage/check.h"
#include "hapax/storage/token_table.h"
#include "hapax/tests/support/disk_sync.h"
#include "spdlog/sinks/null_sink.h"

namespace hapax {
namespace {

constexpr char kDefaultRegion[] = "us-east-1";
constexpr char kCatalog[] = R"(
  regions { name: "us-east-1"
    zones { name: "us-east-1a" vcpus: 1000000000000 subnets { id: "subnet-a" cidr_block: "10.0.0.0/8" } }
    zones { name: "us-east-1b" vcpus: 1000000000000 subnets { id: "subnet-b" cidr_block: "11.0.0.0/8" } } }
  regions { name: "eu-west-1"
    zones { name: "eu-west-1a" vcpus: 1000000000000 subnets { id: "subnet-c" cidr_block: "12.0.0.0/8" } } }
  image_ids: "ami-1"
  instance_types { name: "m5.large" vcpus: 2 instances_per_host: 2 }
  default_instance_type: "m5.large"
  quota { instances: 8 hosts: 2 }
  image_key_names: "image-key"
)";

RocksDbStoreOptions WithoutSyncs(std::string path) {
  SetDiskSyncHook([](int) { return kSkipSync; });
  return {.path = std::move(path), .block_cache_bytes = size_t{8} << 20};
}

}  // namespace

class FuzzServer::IdleDriver final : public WorkDriver {
 public:
  void Perform(const std::string& /*subject*/, absl::AnyInvocable<void() &&> /*done*/) override {}
  absl::Status Complete(const std::string& /*subject*/, Transaction& /*txn*/) override { return absl::OkStatus(); }
};

FuzzServer::FuzzServer()
    : log_("calls", std::make_shared<spdlog::sinks::null_sink_mt>()),
      store_(OpenRocksDbStore(WithoutSyncs(dir_.Path("data"))).value()),
      seal_keys_(SealKeys::Parse(SealKeys::NewFile("fuzz")).value()),
      catalog_(compute::Catalog::Parse(kCatalog).value()),
      places_(compute::Places::Load(*store_, catalog_).value()),
      resolver_([this](const PlaceHints& hints) { return places_->Resolve(hints); }),
      driver_(std::make_unique<IdleDriver>()),
      work_(*store_, clock_, log_),
      compute_(catalog_, *places_, ids_, work_, operations_),
      hosted_compute_(compute_.Host()),
      operations_service_(*store_, waiters_),
      hosted_operations_(operations_service_.Host()),
      tokens_({.default_region = kDefaultRegion, .resolver = &resolver_, .services = {hosted_compute_.get()}},
              seal_keys_),
      hosted_tokens_(tokens_.Host()) {
  for (const std::string_view kind :
       {compute::kBootWork, compute::kShutDownWork, compute::kStopWork, compute::kStartWork}) {
    work_.AddDriver(std::string(kind), *driver_);
  }
  for (HostedService* service : {hosted_compute_.get(), hosted_operations_.get(), hosted_tokens_.get()}) {
    HAPAX_CHECK(service->Compile().ok(), "the services' rules are right");
    for (const Method& method : service->methods()) {
      if (method.serve == nullptr) methods_.push_back(&method);
    }
  }
  chain_.reset(new Chain(BuildChain({.default_region = kDefaultRegion},
                                    {.store = *store_,
                                     .workers = workers_,
                                     .gate = gate_,
                                     .tenant_gate = tenant_gate_,
                                     .seal_keys = seal_keys_,
                                     .clock = clock_,
                                     .registry = metrics_,
                                     .call_log = log_},
                                    std::make_unique<TrustingAuthenticator>())));
}

FuzzServer::~FuzzServer() { work_.Stop(); }

size_t FuzzServer::TokensOf(const std::string& tenant) {
  size_t count = 0;
  store_->Query(
      [&](const ReadTransaction& txn) {
        count = 0;
        return txn.Scan(Table::kTokens, KeyRange::Prefix(TokenPrefix(tenant)),
                        [&](std::string_view, std::string_view) { return ++count, true; });
      },
      [](absl::Status status) { HAPAX_CHECK(status.ok(), "the store can be read"); });
  return count;
}

}  // namespace hapax
