#include <string>
#include <utility>

#include "hapax/base/status_macros.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/doors/ec2/actions.h"
#include "hapax/server/doors/ec2/common.h"
#include "hapax/server/doors/ec2/ec2_error.h"
#include "hapax/server/doors/ec2/exchange.h"

namespace hapax::ec2 {
namespace {

using compute::v1::AllocateHostsRequest;
using compute::v1::AllocateHostsResponse;
using compute::v1::DescribeHostsRequest;
using compute::v1::DescribeHostsResponse;
using compute::v1::Host;
using compute::v1::ReleaseHostsRequest;
using compute::v1::ReleaseHostsResponse;

constexpr int kMaxQuantity = 1'000;

void RenderHost(XmlWriter& xml, const Host& host) {
  xml.Open("item");
  xml.Element("hostId", host.host_id());
  xml.Element("state", "available");
  xml.Element("autoPlacement", host.auto_placement());
  xml.Element("hostRecovery", "off");
  xml.Element("availabilityZone", host.availability_zone());
  xml.Element("allocationTime", host.allocation_time());
  xml.ElementUnlessEmpty("clientToken", host.client_token());
  xml.Open("hostProperties");
  xml.Element("instanceType", host.instance_type());
  xml.Element("totalVCpus", host.total_vcpus());
  xml.Close();
  xml.Open("availableCapacity");
  xml.Open("availableInstanceCapacity");
  xml.Open("item");
  xml.Element("instanceType", host.instance_type());
  xml.Element("availableCapacity", host.available_capacity());
  xml.Element("totalCapacity", host.total_capacity());
  xml.Close();
  xml.Close();
  xml.Close();
  RenderTags(xml, host.tags());
  xml.Close();
}

// One release is all or none. So its error, if EC2 tells it for each host, holds for all.
void ReplyToRelease(Exchange& exchange, const ReleaseHostsRequest& request, const absl::Status& error) {
  const Ec2Error told = ToEc2Error(error, "ReleaseHosts");
  exchange.told = error;
  exchange.Reply([&](XmlWriter& xml) {
    xml.Element("successful", "");
    xml.Open("unsuccessful");
    for (const std::string& host_id : request.host_ids()) {
      xml.Open("item");
      xml.Element("resourceId", host_id);
      xml.Open("error");
      xml.Element("code", told.code);
      xml.Element("message", told.message);
      xml.Close();
      xml.Close();
    }
    xml.Close();
  });
}

bool IsToldForEachHost(const absl::Status& status) {
  const auto reason = ReasonOf(status);
  return reason == Reason::kHostNotFound || reason == Reason::kIncorrectInstanceState;
}

}  // namespace

absl::StatusOr<Plan> PlanAllocateHosts(Parameters& parameters, const Setting& /*setting*/) {
  AllocateHostsRequest request;
  // The zone has a region of its own, and wins over the one that the caller speaks to.
  HAPAX_ASSIGN_OR_RETURN(std::string zone, parameters.TakeRequired("AvailabilityZone"));
  request.set_availability_zone(std::move(zone));
  HAPAX_ASSIGN_OR_RETURN(std::string type, parameters.TakeRequired("InstanceType"));
  request.set_instance_type(std::move(type));
  HAPAX_ASSIGN_OR_RETURN(const auto quantity, parameters.TakeNumber("Quantity", 1, kMaxQuantity));
  request.set_quantity(quantity.value_or(0));
  // EC2's default is "on", and ours is "off".
  request.set_auto_placement(parameters.Take("AutoPlacement").value_or("on"));
  HAPAX_RETURN_IF_ERROR(TakeTags(parameters, "dedicated-host", request.mutable_tags()));
  HAPAX_RETURN_IF_ERROR(parameters.TakeFixed("HostRecovery", "off"));
  return PlanCall<AllocateHostsResponse>("hapax.compute.v1.Compute/AllocateHosts", std::move(request),
                                         [](XmlWriter& xml, const AllocateHostsResponse& response) {
                                           xml.Open("hostIdSet");
                                           for (const std::string& id : response.host_ids()) xml.Element("item", id);
                                           xml.Close();
                                         });
}

absl::StatusOr<Plan> PlanReleaseHosts(Parameters& parameters, const Setting& setting) {
  ReleaseHostsRequest request;
  request.set_region(setting.region);
  HAPAX_RETURN_IF_ERROR(TakeIds(parameters, "HostId", Ids::kRequired, request.mutable_host_ids()));
  return [request = std::move(request)](std::shared_ptr<Exchange> exchange) mutable {
    Exchange& target = *exchange;
    target.Call<ReleaseHostsResponse>(
        "hapax.compute.v1.Compute/ReleaseHosts", request,
        [exchange = std::move(exchange), request](absl::StatusOr<ReleaseHostsResponse> response) {
          if (IsToldForEachHost(response.status())) return ReplyToRelease(*exchange, request, response.status());
          if (!response.ok()) return exchange->Fail(response.status());
          exchange->Reply([&](XmlWriter& xml) {
            xml.Open("successful");
            for (const std::string& id : response->host_ids()) xml.Element("item", id);
            xml.Close();
            xml.Element("unsuccessful", "");
          });
        });
  };
}

absl::StatusOr<Plan> PlanDescribeHosts(Parameters& parameters, const Setting& setting) {
  DescribeHostsRequest request;
  request.set_region(setting.region);
  HAPAX_RETURN_IF_ERROR(TakeIds(parameters, "HostId", Ids::kOptional, request.mutable_host_ids()));
  HAPAX_RETURN_IF_ERROR(TakeFilters(parameters, request.mutable_filters()));
  HAPAX_RETURN_IF_ERROR(TakePage(parameters, &request));
  return PlanCall<DescribeHostsResponse>("hapax.compute.v1.Compute/DescribeHosts", std::move(request),
                                         [](XmlWriter& xml, const DescribeHostsResponse& response) {
                                           xml.Open("hostSet");
                                           for (const Host& host : response.hosts()) RenderHost(xml, host);
                                           xml.Close();
                                           xml.ElementUnlessEmpty("nextToken", response.next_page_token());
                                         });
}

}  // namespace hapax::ec2
