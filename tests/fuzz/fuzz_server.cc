#include "hapax/tests/fuzz/fuzz_server.h"

#include <algorithm>
#include <utility>

#include "google/protobuf/stubs/logging.h"
#include "hapax/base/check.h"
#include "hapax/interceptors/access/authentication.h"
#include "hapax/server/chain.h"
#include "hapax/server/compute/rows.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/work.pb.h"
#include "spdlog/sinks/null_sink.h"

namespace hapax {
namespace {

constexpr char kDefaultRegion[] = "us-east-1";
// Room for six instances in zone a, for two hosts and two instances in zone b. Subnet a has addresses for more launches
// than its zone has room for, but not for many: they come to be used again.
constexpr char kCatalog[] = R"(
  regions { name: "us-east-1"
    zones { name: "us-east-1a" vcpus: 12 subnets { id: "subnet-a" cidr_block: "10.0.0.0/28" } }
    zones { name: "us-east-1b" vcpus: 12 subnets { id: "subnet-b" cidr_block: "11.0.0.0/8" } } }
  regions { name: "eu-west-1"
    zones { name: "eu-west-1a" vcpus: 100 subnets { id: "subnet-c" cidr_block: "12.0.0.0/8" } } }
  image_ids: "ami-1"
  instance_types { name: "m5.large" vcpus: 2 instances_per_host: 2 }
  default_instance_type: "m5.large"
  quota { instances: 8 hosts: 2 }
  image_key_names: "image-key"
)";
// The same in every process, as page tokens are made with it.
constexpr char kSealKeys[] = "fuzz 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

}  // namespace

class FuzzServer::IdleHypervisor final : public compute::Hypervisor {
 public:
  void Boot(const compute::BootSpec& /*spec*/, Done /*done*/) override {}
  void ShutDown(const std::string& /*instance_id*/, Done /*done*/) override {}
  void Stop(const std::string& /*instance_id*/, const std::string& /*task*/, Done /*done*/) override {}
  void Start(const std::string& /*instance_id*/, const std::string& /*task*/, Done /*done*/) override {}
};

FuzzServer::FuzzServer()
    : log_("calls", std::make_shared<spdlog::sinks::null_sink_mt>()),
      seal_keys_(SealKeys::Parse(kSealKeys).value()),
      catalog_(compute::Catalog::Parse(kCatalog).value()),
      places_(compute::Places::Load(store_, catalog_).value()),
      at_first_(store_.tables()),
      resolver_([this](const PlaceHints& hints) { return places_->Resolve(hints); }),
      hypervisor_(std::make_unique<IdleHypervisor>()),
      work_(store_, clock_, log_, {.sole_server = true}),
      compute_(catalog_, *places_, ids_, work_, operations_),
      hosted_compute_(compute_.Host()),
      operations_service_(store_, waiters_, /*check_interval=*/absl::InfiniteDuration()),
      hosted_operations_(operations_service_.Host()),
      tokens_({.default_region = kDefaultRegion,
               .time = &token_time_,
               .resolver = &resolver_,
               .services = {hosted_compute_.get()}},
              seal_keys_),
      hosted_tokens_(tokens_.Host()) {
  // Protobuf would say of every malformed request that it is.
  google::protobuf::SetLogHandler(nullptr);
  using compute::PowerDriver;
  drivers_[compute::kBootWork] = std::make_unique<compute::BootDriver>(*hypervisor_, store_, work_);
  drivers_[compute::kShutDownWork] = std::make_unique<compute::ShutDownDriver>(*hypervisor_);
  drivers_[compute::kStopWork] = std::make_unique<PowerDriver>(PowerDriver::Kind::kStop, *hypervisor_, operations_);
  drivers_[compute::kStartWork] = std::make_unique<PowerDriver>(PowerDriver::Kind::kStart, *hypervisor_, operations_);
  for (const auto& [kind, driver] : drivers_) work_.AddDriver(std::string(kind), compute::kServiceName, *driver);
  waiters_.Close();
  for (HostedService* service : {hosted_compute_.get(), hosted_operations_.get(), hosted_tokens_.get()}) {
    HAPAX_CHECK(service->Compile().ok(), "the services' rules are right");
    for (const Method& method : service->methods()) methods_.push_back(&method);
  }
  chain_.reset(new Chain(BuildChain({.default_region = kDefaultRegion},
                                    {.store = store_,
                                     .workers = workers_,
                                     .readers = workers_,
                                     .gate = gate_,
                                     .tenant_gate = tenant_gate_,
                                     .seal_keys = seal_keys_,
                                     .clock = clock_,
                                     .token_time = token_time_,
                                     .registry = metrics_,
                                     .call_log = log_},
                                    std::make_unique<TrustingAuthenticator>())));
}

FuzzServer::~FuzzServer() { work_.Stop(); }

void FuzzServer::Reset() {
  ids_.Reset();
  clock_.Set(ManualClock().Now());
  store_.Restore(at_first_);
  HAPAX_CHECK(token_time_.Load(store_, {}).ok(), "the store takes all");  // It begins again, too.
  store_.Restore(at_first_);
}

const Method& FuzzServer::MethodNamed(std::string_view name) const {
  const auto found =
      std::find_if(methods_.begin(), methods_.end(), [&](const Method* method) { return method->name == name; });
  HAPAX_CHECK(found != methods_.end(), "it is asked for methods that there are");
  return **found;
}

void FuzzServer::FinishWork() {
  const std::string table_prefix = ServiceTablePrefix(compute::kServiceName);
  const absl::Status status = ExecuteAndWait(store_, [&](Transaction& txn) {
    std::vector<std::pair<std::string, store::v1::WorkRecord>> works;
    HAPAX_RETURN_IF_ERROR(txn.Scan(Table::kWork, KeyRange(), [&](std::string_view key, std::string_view value) {
      auto& [row_key, record] = works.emplace_back(key, store::v1::WorkRecord());
      HAPAX_CHECK(DecodeRow(key, value, &record).ok(), "a row of work can be read");
      return true;
    }));
    for (auto& [key, record] : works) {
      ServiceTransaction own(txn, table_prefix);
      HAPAX_RETURN_IF_ERROR(drivers_.at(record.kind())->Complete(record.subject(), absl::OkStatus(), own));
      txn.Delete(Table::kWork, std::move(key));
    }
    return absl::OkStatus();
  });
  HAPAX_CHECK(status.ok(), status.ToString().c_str());
}

}  // namespace hapax
