#include "hapax/server/doors/yandex/launch.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/doors/yandex/requests.h"
#include "hapax/server/doors/yandex/views.h"
#include "yandex/cloud/compute/v1/instance_service.pb.h"

namespace hapax::yandex {
namespace {

namespace vm = ::yandex::cloud::compute::v1;
using compute::v1::RunInstancesRequest;

constexpr char kHostIdRule[] = "yc.hostId";

// Each of these takes what it honours out of the request, and the rest is refused at the end.

absl::Status TakeTags(vm::CreateInstanceRequest& request, RunInstancesRequest& launch) {
  auto& tags = *launch.mutable_tags();
  for (const auto& [key, value] : request.labels()) {
    if (key == kNameTag) return RefuseParameter("labels", "must not have the key Name: the field `name` is it");
    tags[key] = value;
  }
  if (!request.name().empty()) tags[kNameTag] = request.name();
  request.clear_labels();
  request.clear_name();
  return absl::OkStatus();
}

absl::Status TakeResources(vm::CreateInstanceRequest& request, const compute::Catalog& catalog) {
  vm::ResourcesSpec& resources = *request.mutable_resources_spec();
  const std::string& type_name =
      request.platform_id().empty() ? catalog.default_instance_type() : request.platform_id();
  // An unknown type is for the service to refuse.
  if (const auto* type = catalog.FindInstanceType(type_name); type != nullptr && resources.cores() != 0) {
    if (resources.cores() != type->vcpus()) {
      return RefuseParameter("resources_spec.cores",
                             absl::StrCat("must be 0 or ", type->vcpus(), ", as platform_id has"));
    }
  }
  if (resources.core_fraction() != 0 && resources.core_fraction() != 100) {
    return RefuseParameter("resources_spec.core_fraction", "must be 0 or 100");
  }
  resources.clear_cores();
  resources.clear_core_fraction();
  return absl::OkStatus();
}

absl::Status TakeBootDisk(vm::CreateInstanceRequest& request, RunInstancesRequest& launch) {
  vm::AttachedDiskSpec& disk = *request.mutable_boot_disk_spec();
  launch.set_image_id(disk.disk_spec().image_id());
  if (launch.image_id().empty()) return RefuseParameter("boot_disk_spec.disk_spec.image_id", "is required");
  disk.mutable_disk_spec()->clear_image_id();
  if (disk.mode() == vm::AttachedDiskSpec::READ_WRITE) disk.clear_mode();
  disk.clear_auto_delete();
  return absl::OkStatus();
}

absl::Status TakeNetwork(vm::CreateInstanceRequest& request, RunInstancesRequest& launch) {
  if (request.network_interface_specs().empty()) return absl::OkStatus();
  if (request.network_interface_specs_size() > 1)
    return RefuseParameter("network_interface_specs", "must be at most one");
  vm::NetworkInterfaceSpec network = std::move(*request.mutable_network_interface_specs(0));
  request.clear_network_interface_specs();
  launch.set_subnet_id(network.subnet_id());
  network.clear_subnet_id();
  if (network.index() == "0") network.clear_index();
  return RefuseRest(network, "network_interface_specs[0].");
}

absl::Status TakeHost(vm::CreateInstanceRequest& request, RunInstancesRequest& launch) {
  if (!request.has_placement_policy()) return absl::OkStatus();
  vm::PlacementPolicy& policy = *request.mutable_placement_policy();
  if (policy.host_affinity_rules().empty()) return absl::OkStatus();
  const auto& rule = policy.host_affinity_rules(0);
  const bool is_host = policy.host_affinity_rules_size() == 1 && rule.key() == kHostIdRule && rule.values_size() == 1 &&
                       !rule.values(0).empty() && rule.op() == vm::PlacementPolicy::HostAffinityRule::IN;
  if (!is_host) {
    return RefuseParameter("placement_policy.host_affinity_rules",
                           "must be at most one rule, with the key yc.hostId, op IN, and one value");
  }
  launch.mutable_placement()->set_host_id(rule.values(0));
  policy.clear_host_affinity_rules();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RunInstancesRequest> ReadLaunch(std::string_view bytes, const compute::Catalog& catalog) {
  HAPAX_ASSIGN_OR_RETURN(vm::CreateInstanceRequest request, ReadRequest<vm::CreateInstanceRequest>(bytes));
  RunInstancesRequest launch;
  HAPAX_RETURN_IF_ERROR(CheckFolder(request.folder_id()));
  request.clear_folder_id();
  HAPAX_RETURN_IF_ERROR(TakeTags(request, launch));
  if (!request.zone_id().empty()) launch.mutable_placement()->set_availability_zone(request.zone_id());
  request.clear_zone_id();
  HAPAX_RETURN_IF_ERROR(TakeResources(request, catalog));
  launch.set_instance_type(request.platform_id());
  request.clear_platform_id();
  HAPAX_RETURN_IF_ERROR(TakeBootDisk(request, launch));
  HAPAX_RETURN_IF_ERROR(TakeNetwork(request, launch));
  HAPAX_RETURN_IF_ERROR(TakeHost(request, launch));
  HAPAX_RETURN_IF_ERROR(RefuseRest(request));
  return launch;
}

}  // namespace hapax::yandex
