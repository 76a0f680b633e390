#include "hapax/tests/server/support/test_compute.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/check.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/compute/rows.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/server/support/null_logger.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::compute {
namespace {

constexpr char kSmallCatalog[] = R"(
regions {
  name: "us-east-1"
  zones { name: "us-east-1a" vcpus: 20 subnets { id: "subnet-a" cidr_block: "10.0.0.0/28" } }
  zones {
    name: "us-east-1b" vcpus: 16
    subnets { id: "subnet-b" cidr_block: "10.1.0.0/24" }
    subnets { id: "subnet-c" cidr_block: "10.2.0.0/27" }
  }
}
regions {
  name: "eu-west-1"
  zones { name: "eu-west-1a" vcpus: 100 subnets { id: "subnet-e" cidr_block: "10.3.0.0/24" } }
}
image_ids: "ami-1"
instance_types { name: "m5.large" vcpus: 2 instances_per_host: 3 }
instance_types { name: "m5.xlarge" vcpus: 4 instances_per_host: 1 }
default_instance_type: "m5.large"
quota { instances: 12 hosts: 3 }
image_key_names: "image-key"
)";

// The value of something that must not fail in a test that means something else.
template <typename Value>
Value Must(absl::StatusOr<Value> result) {
  HAPAX_CHECK(result.ok(), result.status().ToString().c_str());
  return *std::move(result);
}

std::string Escaped(std::string_view bytes) { return absl::CHexEscape(absl::string_view(bytes.data(), bytes.size())); }

}  // namespace

v1::Catalog SmallCatalog() { return FromText<v1::Catalog>(kSmallCatalog); }

TestCompute::TestCompute(const v1::Catalog& catalog) : logger_(NullLogger()) { Start(catalog); }

TestCompute::~TestCompute() { End(); }

void TestCompute::Restart(const v1::Catalog& catalog) {
  End();
  Start(catalog);
}

void TestCompute::Start(const v1::Catalog& catalog) {
  catalog_ = std::make_unique<const Catalog>(Must(Catalog::Parse(catalog.DebugString())));
  store_ = Must(OpenRocksDbStore({.path = dir_.Path("data")}));
  places_ = Must(Places::Load(*store_, *catalog_));
  work_ = std::make_unique<WorkQueue>(*store_, clock_, *logger_,
                                      WorkQueue::Options{.sole_server = true, .first_backoff = absl::Milliseconds(1)});
  boot_ = std::make_unique<BootDriver>(hypervisor_, *store_, *work_);
  shut_down_ = std::make_unique<ShutDownDriver>(hypervisor_);
  stop_ = std::make_unique<PowerDriver>(PowerDriver::Kind::kStop, hypervisor_, operations_);
  start_ = std::make_unique<PowerDriver>(PowerDriver::Kind::kStart, hypervisor_, operations_);
  watched_stop_ = std::make_unique<WatchedDriver>(*stop_);
  watched_start_ = std::make_unique<WatchedDriver>(*start_);
  watched_boot_ = std::make_unique<WatchedDriver>(*boot_);
  watched_shut_down_ = std::make_unique<WatchedDriver>(*shut_down_);
  work_->AddDriver(std::string(kBootWork), kServiceName, *watched_boot_);
  work_->AddDriver(std::string(kShutDownWork), kServiceName, *watched_shut_down_);
  work_->AddDriver(std::string(kStopWork), kServiceName, *watched_stop_);
  work_->AddDriver(std::string(kStartWork), kServiceName, *watched_start_);
  static_cast<void>(Must(work_->Resume()));
  service_ = std::make_unique<ComputeService>(*catalog_, *places_, ids_, *work_, operations_);
  hosted_ = service_->Host();
  const absl::Status compiled = hosted_->Compile();
  HAPAX_CHECK(compiled.ok(), compiled.ToString().c_str());
}

void TestCompute::End() {
  // What the hypervisor has not done by now was cut off by the end of the server.
  work_->Stop();
  hypervisor_.Forget();
  store_.reset();
}

absl::Status TestCompute::Call(const std::string& name, const google::protobuf::Message& request,
                               const std::string& tenant, google::protobuf::Message* reply) {
  const std::string full_name = "hapax.compute.v1.Compute/" + name;
  const auto method = std::find_if(hosted_->methods().begin(), hosted_->methods().end(),
                                   [&](const Method& candidate) { return candidate.name == full_name; });
  HAPAX_CHECK(method != hosted_->methods().end(), name.c_str());
  CallContext context{.tenant = tenant, .now = clock_.Now()};
  if (!method->rule.has_value()) {
    return Query(*store_, [&](const ReadTransaction& txn) {
      reply->Clear();
      return method->read(context, txn, request, reply);
    });
  }
  context.client_token = std::string(method->rule->token_field().Read(request));
  HAPAX_ASSIGN_OR_RETURN(context.place, method->rule->ResolvePlace(request, "us-east-1"));
  std::any prepared;
  if (method->prepare != nullptr) {
    HAPAX_ASSIGN_OR_RETURN(prepared, method->prepare(context, request));
  }
  return Execute(*store_, [&](Transaction& txn) {
    reply->Clear();
    return method->mutate(context, txn, request, prepared, reply);
  });
}

template <typename Reply>
absl::StatusOr<Reply> TestCompute::Call(const std::string& name, const google::protobuf::Message& request,
                                        const std::string& tenant) {
  Reply reply;
  HAPAX_RETURN_IF_ERROR(Call(name, request, tenant, &reply));
  return reply;
}

absl::StatusOr<v1::RunInstancesResponse> TestCompute::RunInstances(const v1::RunInstancesRequest& request,
                                                                   const std::string& tenant) {
  return Call<v1::RunInstancesResponse>("RunInstances", request, tenant);
}

absl::StatusOr<v1::AllocateHostsResponse> TestCompute::AllocateHosts(const v1::AllocateHostsRequest& request,
                                                                     const std::string& tenant) {
  return Call<v1::AllocateHostsResponse>("AllocateHosts", request, tenant);
}

absl::StatusOr<v1::ReleaseHostsResponse> TestCompute::ReleaseHosts(const v1::ReleaseHostsRequest& request,
                                                                   const std::string& tenant) {
  return Call<v1::ReleaseHostsResponse>("ReleaseHosts", request, tenant);
}

absl::StatusOr<v1::CreateKeypairResponse> TestCompute::CreateKeypair(const v1::CreateKeypairRequest& request,
                                                                     const std::string& tenant) {
  return Call<v1::CreateKeypairResponse>("CreateKeypair", request, tenant);
}

absl::StatusOr<v1::DeleteKeypairResponse> TestCompute::DeleteKeypair(const v1::DeleteKeypairRequest& request,
                                                                     const std::string& tenant) {
  return Call<v1::DeleteKeypairResponse>("DeleteKeypair", request, tenant);
}

absl::StatusOr<v1::TerminateInstancesResponse> TestCompute::TerminateInstances(
    const v1::TerminateInstancesRequest& request, const std::string& tenant) {
  return Call<v1::TerminateInstancesResponse>("TerminateInstances", request, tenant);
}

absl::StatusOr<external::longrunning::Operation> TestCompute::StopInstance(const v1::StopInstanceRequest& request,
                                                                           const std::string& tenant) {
  return Call<external::longrunning::Operation>("StopInstance", request, tenant);
}

absl::StatusOr<external::longrunning::Operation> TestCompute::StartInstance(const v1::StartInstanceRequest& request,
                                                                            const std::string& tenant) {
  return Call<external::longrunning::Operation>("StartInstance", request, tenant);
}

absl::StatusOr<v1::DescribeInstancesResponse> TestCompute::DescribeInstances(
    const v1::DescribeInstancesRequest& request, const std::string& tenant) {
  return Call<v1::DescribeInstancesResponse>("DescribeInstances", request, tenant);
}

absl::StatusOr<v1::DescribeHostsResponse> TestCompute::DescribeHosts(const v1::DescribeHostsRequest& request,
                                                                     const std::string& tenant) {
  return Call<v1::DescribeHostsResponse>("DescribeHosts", request, tenant);
}

absl::StatusOr<v1::DescribeKeypairsResponse> TestCompute::DescribeKeypairs(const v1::DescribeKeypairsRequest& request,
                                                                           const std::string& tenant) {
  return Call<v1::DescribeKeypairsResponse>("DescribeKeypairs", request, tenant);
}

absl::StatusOr<v1::DescribeSubnetsResponse> TestCompute::DescribeSubnets(const v1::DescribeSubnetsRequest& request,
                                                                         const std::string& tenant) {
  return Call<v1::DescribeSubnetsResponse>("DescribeSubnets", request, tenant);
}

absl::StatusOr<v1::DescribeAvailabilityZonesResponse> TestCompute::DescribeAvailabilityZones(
    const v1::DescribeAvailabilityZonesRequest& request, const std::string& tenant) {
  return Call<v1::DescribeAvailabilityZonesResponse>("DescribeAvailabilityZones", request, tenant);
}

int TestCompute::FinishBoots(const absl::Status& result) {
  const int count = hypervisor_.FinishBoots(result);
  watched_boot_->AwaitCompleted(count);
  return count;
}

int TestCompute::FinishShutDowns() {
  const int count = hypervisor_.FinishShutDowns();
  watched_shut_down_->AwaitCompleted(count);
  return count;
}

int TestCompute::FinishStops(const absl::Status& result) {
  const int count = hypervisor_.FinishStops(result);
  watched_stop_->AwaitCompleted(count);
  return count;
}

int TestCompute::FinishStarts(const absl::Status& result) {
  const int count = hypervisor_.FinishStarts(result);
  watched_start_->AwaitCompleted(count);
  return count;
}

std::string TestCompute::Rows() {
  std::string rows;
  EXPECT_THAT(
      Query(*store_,
            [&](const ReadTransaction& txn) -> absl::Status {
              for (const Table table : {Table::kResources, Table::kWork, Table::kOperations}) {
                HAPAX_RETURN_IF_ERROR(txn.Scan(table, KeyRange(), [&](std::string_view key, std::string_view value) {
                  absl::StrAppend(&rows, std::string(TableName(table)), " ", Escaped(key), " = ", Escaped(value), "\n");
                  return true;
                }));
              }
              return absl::OkStatus();
            }),
      IsOk());
  return rows;
}

}  // namespace hapax::compute
