#include <set>
#include <string>

#include "hapax/base/status_macros.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/placement/capacity.h"
#include "hapax/server/hosting/listing.h"

namespace hapax::compute {
namespace {

// The names of the places in the region, or in all regions. Each has its region before it, for the order of the list.
template <typename Places>
std::set<std::string> NamesIn(const Places& places, const std::string& region) {
  std::set<std::string> names;
  for (const auto& [name, place] : places) {
    if (region.empty() || place.region == region) names.insert(place.region + "\n" + name);
  }
  return names;
}

std::string WithoutRegion(const std::string& name) { return name.substr(name.find('\n') + 1); }

}  // namespace

absl::Status ComputeService::DescribeSubnets(const CallContext& context, const ReadTransaction& /*txn*/,
                                             const v1::DescribeSubnetsRequest& request,
                                             v1::DescribeSubnetsResponse* response) const {
  HAPAX_RETURN_IF_ERROR(places_.CheckRegion({.field = "region", .value = request.region()}));
  HAPAX_ASSIGN_OR_RETURN(const Page page, Page::Of(request, context.page_token_key));
  HAPAX_ASSIGN_OR_RETURN(*response->mutable_next_page_token(),
                         ListNames(NamesIn(catalog_.subnets(), request.region()), page, [&](const std::string& name) {
                           const Catalog::Subnet& from = *catalog_.FindSubnet(WithoutRegion(name));
                           v1::Subnet& subnet = *response->add_subnets();
                           subnet.set_subnet_id(from.id);
                           subnet.set_region(from.region);
                           subnet.set_availability_zone(from.zone);
                           subnet.set_cidr_block(from.cidr_block);
                           return subnet.ByteSizeLong();
                         }));
  return absl::OkStatus();
}

absl::Status ComputeService::DescribeAvailabilityZones(const CallContext& context, const ReadTransaction& txn,
                                                       const v1::DescribeAvailabilityZonesRequest& request,
                                                       v1::DescribeAvailabilityZonesResponse* response) const {
  HAPAX_RETURN_IF_ERROR(places_.CheckRegion({.field = "region", .value = request.region()}));
  HAPAX_ASSIGN_OR_RETURN(const Page page, Page::Of(request, context.page_token_key));
  HAPAX_ASSIGN_OR_RETURN(*response->mutable_next_page_token(),
                         ListNames(NamesIn(catalog_.zones(), request.region()), page,
                                   [&](const std::string& name) -> absl::StatusOr<size_t> {
                                     const Catalog::Zone& from = *catalog_.FindZone(WithoutRegion(name));
                                     HAPAX_ASSIGN_OR_RETURN(const ZoneUse use, ZoneUse::Load(txn, from));
                                     v1::AvailabilityZone& zone = *response->add_availability_zones();
                                     zone.set_zone_name(from.name);
                                     zone.set_region_name(from.region);
                                     zone.set_total_vcpus(from.vcpus);
                                     zone.set_available_vcpus(use.FreeVcpus());
                                     return zone.ByteSizeLong();
                                   }));
  return absl::OkStatus();
}

}  // namespace hapax::compute
