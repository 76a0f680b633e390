#include <memory>
#include <string>
#include <utility>

#include "hapax/base/status_macros.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/server/doors/ec2/actions.h"
#include "hapax/server/doors/ec2/common.h"
#include "hapax/server/doors/ec2/exchange.h"

namespace hapax::ec2 {
namespace {

using compute::v1::DescribeInstancesRequest;
using compute::v1::DescribeInstancesResponse;
using compute::v1::Instance;
using compute::v1::Placement;
using compute::v1::RunInstancesRequest;
using compute::v1::RunInstancesResponse;
using compute::v1::TerminateInstancesRequest;
using compute::v1::TerminateInstancesResponse;

constexpr int kMaxCount = 100'000;

void RenderInstance(XmlWriter& xml, const Instance& instance) {
  xml.Open("item");
  xml.Element("instanceId", instance.instance_id());
  xml.Element("imageId", instance.image_id());
  RenderState(xml, "instanceState", instance.state());
  xml.ElementUnlessEmpty("keyName", instance.key_name());
  xml.Element("instanceType", instance.instance_type());
  xml.Element("launchTime", instance.launch_time());
  xml.Open("placement");
  xml.Element("availabilityZone", instance.availability_zone());
  xml.Element("tenancy", instance.host_id().empty() ? "default" : "host");
  xml.ElementUnlessEmpty("hostId", instance.host_id());
  xml.Close();
  xml.Element("subnetId", instance.subnet_id());
  xml.Element("privateIpAddress", instance.private_ip_address());
  xml.ElementUnlessEmpty("clientToken", instance.client_token());
  if (instance.has_state_reason()) {
    xml.Open("stateReason");
    xml.Element("code", instance.state_reason().code());
    xml.Element("message", instance.state_reason().message());
    xml.Close();
  }
  RenderTags(xml, instance.tags());
  xml.Close();
}

// The elements of a reservation before its instances. An instance's owner is the one who can see it.
void RenderReservation(XmlWriter& xml, const std::string& reservation_id, const std::string& owner_id) {
  xml.Element("reservationId", reservation_id);
  xml.ElementUnlessEmpty("ownerId", owner_id);
  xml.Element("groupSet", "");
}

void TakePlacement(Parameters& parameters, RunInstancesRequest* request) {
  Placement placement;
  placement.set_availability_zone(parameters.Take("Placement.AvailabilityZone").value_or(""));
  placement.set_tenancy(parameters.Take("Placement.Tenancy").value_or(""));
  placement.set_host_id(parameters.Take("Placement.HostId").value_or(""));
  if (placement.ByteSizeLong() > 0) *request->mutable_placement() = placement;
}

// Neighbours of one reservation make one item of the set. One that goes on on the next page has an item there, too.
void RenderReservations(XmlWriter& xml, const DescribeInstancesResponse& response) {
  xml.Open("reservationSet");
  for (int i = 0; i < response.instances_size();) {
    const std::string& reservation_id = response.instances(i).reservation_id();
    xml.Open("item");
    RenderReservation(xml, reservation_id, "");
    xml.Open("instancesSet");
    while (i < response.instances_size() && response.instances(i).reservation_id() == reservation_id) {
      RenderInstance(xml, response.instances(i++));
    }
    xml.Close();
    xml.Close();
  }
  xml.Close();
  xml.ElementUnlessEmpty("nextToken", response.next_page_token());
}

}  // namespace

absl::StatusOr<Plan> PlanRunInstances(Parameters& parameters, const Setting& setting) {
  RunInstancesRequest request;
  HAPAX_ASSIGN_OR_RETURN(std::string image_id, parameters.TakeRequired("ImageId"));
  request.set_image_id(std::move(image_id));
  request.set_instance_type(parameters.Take("InstanceType").value_or(""));
  HAPAX_ASSIGN_OR_RETURN(const auto min_count, parameters.TakeNumber("MinCount", 1, kMaxCount));
  HAPAX_ASSIGN_OR_RETURN(const auto max_count, parameters.TakeNumber("MaxCount", 1, kMaxCount));
  request.set_min_count(min_count.value_or(0));
  request.set_max_count(max_count.value_or(0));
  request.set_key_name(parameters.Take("KeyName").value_or(""));
  request.set_subnet_id(parameters.Take("SubnetId").value_or(""));
  TakePlacement(parameters, &request);
  HAPAX_RETURN_IF_ERROR(TakeTags(parameters, "instance", request.mutable_tags()));
  for (const char* const name : {"Monitoring.Enabled", "EbsOptimized", "DisableApiTermination", "DisableApiStop"}) {
    HAPAX_RETURN_IF_ERROR(parameters.TakeFixed(name, "false"));
  }
  HAPAX_RETURN_IF_ERROR(parameters.TakeFixed("InstanceInitiatedShutdownBehavior", "stop"));
  // A named place has a region of its own, and wins over the one that the caller speaks to.
  if (request.placement().availability_zone().empty() && request.subnet_id().empty()) {
    request.set_region(setting.region);
  }
  const bool names_host = !request.placement().host_id().empty();
  return PlanCall<RunInstancesResponse>(
      "hapax.compute.v1.Compute/RunInstances", std::move(request),
      [](XmlWriter& xml, const RunInstancesResponse& response) {
        RenderReservation(xml, response.reservation_id(), response.owner_id());
        xml.Open("instancesSet");
        for (const Instance& instance : response.instances()) RenderInstance(xml, instance);
        xml.Close();
      },
      names_host);
}

absl::StatusOr<Plan> PlanTerminateInstances(Parameters& parameters, const Setting& setting) {
  TerminateInstancesRequest request;
  request.set_region(setting.region);
  HAPAX_RETURN_IF_ERROR(TakeIds(parameters, "InstanceId", Ids::kRequired, request.mutable_instance_ids()));
  HAPAX_RETURN_IF_ERROR(parameters.TakeFixed("Force", "false"));
  return PlanCall<TerminateInstancesResponse>("hapax.compute.v1.Compute/TerminateInstances", std::move(request),
                                              [](XmlWriter& xml, const TerminateInstancesResponse& response) {
                                                xml.Open("instancesSet");
                                                for (const auto& change : response.terminating_instances()) {
                                                  RenderStateChange(xml, change.instance_id(), change.previous_state(),
                                                                    change.current_state());
                                                }
                                                xml.Close();
                                              });
}

absl::StatusOr<Plan> PlanDescribeInstances(Parameters& parameters, const Setting& setting) {
  DescribeInstancesRequest request;
  request.set_region(setting.region);
  HAPAX_RETURN_IF_ERROR(TakeIds(parameters, "InstanceId", Ids::kOptional, request.mutable_instance_ids()));
  HAPAX_RETURN_IF_ERROR(TakeFilters(parameters, request.mutable_filters()));
  HAPAX_RETURN_IF_ERROR(TakePage(parameters, &request));
  HAPAX_RETURN_IF_ERROR(parameters.TakeFixed("IncludeManagedResources", "false"));
  return PlanCall<DescribeInstancesResponse>("hapax.compute.v1.Compute/DescribeInstances", std::move(request),
                                             RenderReservations);
}

}  // namespace hapax::ec2
