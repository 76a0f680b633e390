#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/server/compute/wildcards.h"
#include "hapax/server/doors/ec2/actions.h"
#include "hapax/server/doors/ec2/common.h"
#include "hapax/server/doors/ec2/ec2_error.h"
#include "hapax/server/doors/ec2/exchange.h"

namespace hapax::ec2 {
namespace {

using compute::v1::AvailabilityZone;
using compute::v1::DescribeAvailabilityZonesRequest;
using compute::v1::DescribeAvailabilityZonesResponse;
using compute::v1::DescribeSubnetsRequest;
using compute::v1::DescribeSubnetsResponse;
using compute::v1::Subnet;

constexpr char kDescribeZones[] = "hapax.compute.v1.Compute/DescribeAvailabilityZones";
constexpr size_t kMaxPatternCharacters = 1'024;  // As of our own filters.

// A property of a resource by a filter's name; nullopt for a name that there is not.
template <typename Resource>
using PropertyOf = std::optional<std::string> (*)(const Resource& resource, const std::string& name);

std::optional<std::string> PropertyOfSubnet(const Subnet& subnet, const std::string& name) {
  if (name == "subnet-id") return subnet.subnet_id();
  if (name == "availability-zone") return subnet.availability_zone();
  if (name == "cidr-block") return subnet.cidr_block();
  if (name == "state") return "available";
  return std::nullopt;
}

std::optional<std::string> PropertyOfZone(const AvailabilityZone& zone, const std::string& name) {
  if (name == "zone-name") return zone.zone_name();
  if (name == "region-name") return zone.region_name();
  if (name == "state") return "available";
  return std::nullopt;
}

// The filters of a list that our own call has none for.
template <typename Resource>
class CatalogFilters {
 public:
  static absl::StatusOr<CatalogFilters> Take(Parameters& parameters, PropertyOf<Resource> property_of) {
    FilterFields fields;
    HAPAX_RETURN_IF_ERROR(TakeFilters(parameters, &fields));
    CatalogFilters filters(property_of);
    size_t room = kMaxPatternCharacters;
    for (const compute::v1::Filter& field : fields) {
      if (!property_of(Resource(), field.name()).has_value()) {
        return RefuseWith("InvalidParameterValue", absl::StrCat("The filter '", field.name(), "' is invalid"));
      }
      std::vector<compute::Pattern> patterns;
      for (const std::string& value : field.values()) {
        std::optional<compute::Pattern> pattern = compute::Pattern::Of(value);
        if (!pattern.has_value() || pattern->size() > room) {
          return RefuseWith("InvalidParameterValue",
                            absl::StrCat("The value of filter '", field.name(), "' is invalid"));
        }
        room -= pattern->size();
        patterns.push_back(*std::move(pattern));
      }
      filters.tests_.emplace_back(field.name(), compute::Wildcards(patterns));
    }
    return filters;
  }

  [[nodiscard]] bool Match(const Resource& resource) const {
    return std::all_of(tests_.begin(), tests_.end(), [&](const auto& test) {
      return test.second.Match(property_of_(resource, test.first).value_or(""));
    });
  }

 private:
  explicit CatalogFilters(PropertyOf<Resource> property_of) : property_of_(property_of) {}

  PropertyOf<Resource> property_of_;
  std::vector<std::pair<std::string, compute::Wildcards>> tests_;
};

bool IsNamed(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

void RenderSubnet(XmlWriter& xml, const Subnet& subnet) {
  xml.Open("item");
  xml.Element("subnetId", subnet.subnet_id());
  xml.Element("state", "available");
  xml.Element("cidrBlock", subnet.cidr_block());
  xml.Element("availabilityZone", subnet.availability_zone());
  xml.Close();
}

void RenderZone(XmlWriter& xml, const AvailabilityZone& zone) {
  xml.Open("item");
  xml.Element("zoneName", zone.zone_name());
  xml.Element("zoneState", "available");
  xml.Element("regionName", zone.region_name());
  xml.Element("messageSet", "");
  xml.Close();
}

// Collects all pages into one reply: EC2 has none for zones.
void ListZones(std::string region, std::function<bool(const AvailabilityZone&)> is_wanted,
               const std::shared_ptr<Exchange>& exchange) {
  auto request = std::make_shared<DescribeAvailabilityZonesRequest>();
  request->set_region(std::move(region));
  request->set_page_size(kPageSize);
  auto zones = std::make_shared<std::vector<AvailabilityZone>>();
  RunSteps([=](size_t /*index*/, absl::AnyInvocable<void()> next) {
    exchange->Call<DescribeAvailabilityZonesResponse>(
        kDescribeZones, *request,
        [=, next = std::move(next)](absl::StatusOr<DescribeAvailabilityZonesResponse> r) mutable {
          if (!r.ok()) return exchange->Fail(r.status());
          std::copy_if(r->availability_zones().begin(), r->availability_zones().end(), std::back_inserter(*zones),
                       is_wanted);
          request->set_page_token(r->next_page_token());
          if (!r->next_page_token().empty()) return next();
          exchange->Reply([&](XmlWriter& xml) {
            xml.Open("availabilityZoneInfo");
            for (const AvailabilityZone& zone : *zones) RenderZone(xml, zone);
            xml.Close();
          });
        });
  });
}

}  // namespace

absl::StatusOr<Plan> PlanDescribeSubnets(Parameters& parameters, const Setting& setting) {
  DescribeSubnetsRequest request;
  HAPAX_ASSIGN_OR_RETURN(const auto ids, parameters.TakeList("SubnetId", kMaxIds));
  for (const std::string& id : ids) {
    const compute::Catalog::Subnet* const subnet = setting.catalog.FindSubnet(id);
    if (subnet == nullptr || subnet->region != setting.region) {
      return RefuseWith("InvalidSubnetID.NotFound", absl::StrCat("The subnet ID '", id, "' does not exist"));
    }
  }
  HAPAX_ASSIGN_OR_RETURN(auto filters, CatalogFilters<Subnet>::Take(parameters, PropertyOfSubnet));
  HAPAX_RETURN_IF_ERROR(TakePage(parameters, &request));
  request.set_region(setting.region);
  return PlanCall<DescribeSubnetsResponse>(
      "hapax.compute.v1.Compute/DescribeSubnets", std::move(request),
      // A page may hold fewer than were asked for.
      [ids, filters = std::move(filters)](XmlWriter& xml, const DescribeSubnetsResponse& response) {
        xml.Open("subnetSet");
        for (const Subnet& subnet : response.subnets()) {
          if (IsNamed(ids, subnet.subnet_id()) && filters.Match(subnet)) RenderSubnet(xml, subnet);
        }
        xml.Close();
        xml.ElementUnlessEmpty("nextToken", response.next_page_token());
      });
}

absl::StatusOr<Plan> PlanDescribeAvailabilityZones(Parameters& parameters, const Setting& setting) {
  HAPAX_ASSIGN_OR_RETURN(const auto names, parameters.TakeList("ZoneName", kMaxIds));
  for (const std::string& name : names) {
    const compute::Catalog::Zone* const zone = setting.catalog.FindZone(name);
    if (zone == nullptr || zone->region != setting.region) {
      return RefuseWith("InvalidParameterValue", absl::StrCat("Invalid availability zone: [", name, "]"));
    }
  }
  HAPAX_ASSIGN_OR_RETURN(auto filters, CatalogFilters<AvailabilityZone>::Take(parameters, PropertyOfZone));
  // There are none but those that all may use.
  HAPAX_RETURN_IF_ERROR(parameters.TakeFlag("AllAvailabilityZones", false).status());
  return [=, region = setting.region](std::shared_ptr<Exchange> exchange) {
    ListZones(
        region, [=](const AvailabilityZone& zone) { return IsNamed(names, zone.zone_name()) && filters.Match(zone); },
        exchange);
  };
}

absl::StatusOr<Plan> PlanDescribeAddresses(Parameters& /*parameters*/, const Setting& setting) {
  DescribeAvailabilityZonesRequest request;
  request.set_region(setting.region);
  request.set_page_size(1);
  // Any read, for what the chain says of the caller.
  return PlanCall<DescribeAvailabilityZonesResponse>(
      kDescribeZones, std::move(request),
      [](XmlWriter& xml, const DescribeAvailabilityZonesResponse& /*response*/) { xml.Element("addressesSet", ""); });
}

}  // namespace hapax::ec2
