#include "hapax/tests/fuzz/left_behind.h"

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/check.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/tests/fuzz/fuzz_call.h"

namespace hapax {
namespace {

using compute::v1::AllocateHostsRequest;
using compute::v1::DescribeHostsResponse;
using compute::v1::DescribeInstancesResponse;
using compute::v1::ReleaseHostsRequest;
using compute::v1::RunInstancesRequest;
using compute::v1::TerminateInstancesRequest;

absl::StatusOr<std::string> Call(FuzzServer& server, std::string_view method, const std::string& request = "") {
  FuzzCall call(
      server.MethodNamed(absl::StrCat("hapax.compute.v1.Compute/", absl::string_view(method.data(), method.size()))),
      request, {});
  server.chain().Run(call);
  return call.reply();
}

std::string MustCall(FuzzServer& server, std::string_view method, const std::string& request = "") {
  const absl::StatusOr<std::string> reply = Call(server, method, request);
  HAPAX_CHECK(reply.ok(), reply.status().ToString().c_str());
  return *reply;
}

template <typename Reply>
Reply List(FuzzServer& server, std::string_view method) {
  Reply reply;
  HAPAX_CHECK(reply.ParseFromString(MustCall(server, method)), "a list is of its type");
  HAPAX_CHECK(reply.next_page_token().empty(), "a quota fits on a page");
  return reply;
}

// False when there was nothing.
bool TerminateAll(FuzzServer& server) {
  const auto list = List<DescribeInstancesResponse>(server, "DescribeInstances");
  std::map<std::string, TerminateInstancesRequest> by_region;
  std::set<std::string> addresses;
  for (const auto& instance : list.instances()) {
    if (instance.state() != compute::v1::INSTANCE_STATE_TERMINATED) {
      HAPAX_CHECK(addresses.insert(instance.private_ip_address()).second, "an address is one instance's");
    }
    by_region[instance.region()].add_instance_ids(instance.instance_id());
  }
  for (auto& [region, request] : by_region) {
    request.set_region(region);
    MustCall(server, "TerminateInstances", request.SerializeAsString());
  }
  server.FinishWork();
  return !by_region.empty();
}

bool ReleaseAll(FuzzServer& server) {
  const auto list = List<DescribeHostsResponse>(server, "DescribeHosts");
  std::map<std::string, ReleaseHostsRequest> by_region;
  for (const auto& host : list.hosts()) {
    by_region[host.region()].add_host_ids(host.host_id());
  }
  for (auto& [region, request] : by_region) {
    request.set_region(region);
    MustCall(server, "ReleaseHosts", request.SerializeAsString());
  }
  return !by_region.empty();
}

std::string Launch(std::string_view zone, int count) {
  RunInstancesRequest request;
  request.set_image_id("ami-1");
  request.mutable_placement()->set_availability_zone(std::string(zone));
  request.set_min_count(count);
  return request.SerializeAsString();
}

std::string Allocate(std::string_view zone, int count) {
  AllocateHostsRequest request;
  request.set_availability_zone(std::string(zone));
  request.set_instance_type("m5.large");
  request.set_quantity(count);
  return request.SerializeAsString();
}

void CheckRefused(const absl::StatusOr<std::string>& reply, Reason reason) {
  HAPAX_CHECK(ReasonOf(reply.status()) == reason, reply.status().ToString().c_str());
}

}  // namespace

void CheckAllComesBack(FuzzServer& server) {
  server.FinishWork();
  const bool had_instances = TerminateAll(server);
  const bool had_hosts = ReleaseAll(server);
  if (!had_instances && !had_hosts) return;
  const Reason no_room = Reason::kInsufficientInstanceCapacity;
  const Reason no_quota = Reason::kQuotaExceeded;
  MustCall(server, "RunInstances", Launch("us-east-1a", 6));
  CheckRefused(Call(server, "RunInstances", Launch("us-east-1a", 1)), no_room);
  MustCall(server, "AllocateHosts", Allocate("us-east-1b", 2));
  CheckRefused(Call(server, "AllocateHosts", Allocate("eu-west-1a", 1)), no_quota);
  MustCall(server, "RunInstances", Launch("us-east-1b", 2));
  CheckRefused(Call(server, "RunInstances", Launch("eu-west-1a", 1)), no_quota);
}

}  // namespace hapax
