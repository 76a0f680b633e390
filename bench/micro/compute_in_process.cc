#include "hapax/bench/micro/compute_in_process.h"

#include <algorithm>

#include "hapax/base/check.h"
#include "hapax/bench/messages.h"
#include "hapax/interceptors/access/authentication.h"
#include "hapax/server/chain.h"
#include "hapax/server/compute/instances/lifecycle.h"
#include "hapax/server/compute/rows.h"
#include "spdlog/sinks/null_sink.h"

namespace hapax::bench {
namespace {

// Has room for any number of launches, like systems.py.
constexpr char kCatalog[] = R"(
  regions { name: "us-east-1" zones { name: "us-east-1a" vcpus: 1000000000
    subnets { id: "subnet-bench" cidr_block: "10.0.0.0/8" } } }
  image_ids: "ami-b232d0db"
  instance_types { name: "m5.large" vcpus: 2 instances_per_host: 48 }
  default_instance_type: "m5.large"
  quota { instances: 1000000000 hosts: 1 }
)";

}  // namespace

class ComputeInProcess::IdleDriver final : public WorkDriver {
 public:
  void Perform(const std::string& /*subject*/, Done /*done*/) override {}
  absl::Status Complete(const std::string& /*subject*/, const absl::Status& /*result*/, Transaction& /*txn*/) override {
    return absl::OkStatus();
  }
};

std::string LaunchBytes(std::string_view token) {
  const RequestTemplate launch = LaunchMessage(/*instances=*/1, /*with_token=*/true);
  std::string bytes(launch.size(), '\0');
  launch.Write(token, bytes.data());
  return bytes;
}

ComputeInProcess::ComputeInProcess(const std::string& directory)
    : log_("calls", std::make_shared<spdlog::sinks::null_sink_mt>()),
      store_(OpenRocksDbStore({.path = directory}).value()),
      seal_keys_(SealKeys::Parse(SealKeys::NewFile("bench")).value()),
      catalog_(compute::Catalog::Parse(kCatalog).value()),
      places_(compute::Places::Load(*store_, catalog_).value()),
      waiters_(/*max_waiting=*/1),
      driver_(std::make_unique<IdleDriver>()),
      work_(*store_, clock_, log_, {.sole_server = true}),
      service_(catalog_, *places_, ids_, work_, operations_),
      hosted_(service_.Host()),
      workers_(/*threads=*/1, /*max_waiting=*/1),
      gate_(/*max_in_flight=*/4096),
      chain_(BuildChain({.default_region = "us-east-1", .policy = {}},
                        {.store = *store_,
                         .workers = workers_,
                         .readers = workers_,
                         .gate = gate_,
                         .tenant_gate = tenant_gate_,
                         .seal_keys = seal_keys_,
                         .clock = clock_,
                         .token_time = token_time_,
                         .registry = metrics_,
                         .call_log = log_},
                        std::make_unique<TrustingAuthenticator>())) {
  work_.AddDriver(std::string(compute::kBootWork), compute::kServiceName, *driver_);
  const absl::Status compiled = hosted_->Compile();
  HAPAX_CHECK(compiled.ok(), "the compute service's rules are right");
}

ComputeInProcess::~ComputeInProcess() { work_.Stop(); }

const Method& ComputeInProcess::run_instances() const {
  const auto& methods = hosted_->methods();
  return *std::find_if(methods.begin(), methods.end(),
                       [](const Method& method) { return "/" + method.name == kRunInstances; });
}

}  // namespace hapax::bench
