#include "hapax/server/compute/placement/site.h"

#include <algorithm>
#include <utility>

#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/compute/rows.h"
#include "hapax/storage/key.h"

namespace hapax::compute {
namespace {

constexpr char kZoneField[] = "placement.availability_zone";
constexpr char kHostField[] = "placement.host_id";

// Whether the launch is for a dedicated host.
absl::StatusOr<bool> WantsHost(const v1::Placement& placement) {
  if (placement.tenancy() == "host") return true;
  if (placement.tenancy() == "default" && !placement.host_id().empty()) {
    return RefuseParameter("placement.tenancy", "must be host, or empty, when placement.host_id is given");
  }
  if (placement.tenancy().empty() || placement.tenancy() == "default") return !placement.host_id().empty();
  return RefuseParameter("placement.tenancy", "must be default or host");
}

// The host that the request names.
absl::StatusOr<v1::Host> NamedHost(const CallContext& context, const ReadTransaction& txn, const std::string& host_id,
                                   const std::string& type) {
  HAPAX_ASSIGN_OR_RETURN(std::optional<v1::Host> host, GetRow<v1::Host>(txn, kTable, HostKey(context.tenant, host_id)));
  if (!host.has_value() || host->region() != context.place.region) {
    return RefuseValue(Reason::kHostNotFound, kHostField, host_id,
                       "must be a host of the tenant in " + context.place.region);
  }
  if (!context.place.zone.empty() && host->availability_zone() != context.place.zone) {
    return RefuseParameter(kHostField, "must be a host in the zone or subnet that is named");
  }
  if (host->instance_type() != type) return RefuseParameter(kHostField, "must be a host for the instance type");
  return *std::move(host);
}

// The tenant's host with the most room, among those with auto placement in zones that the catalog has.
absl::StatusOr<v1::Host> RoomiestHost(const CallContext& context, const ReadTransaction& txn, const Catalog& catalog,
                                      const std::string& type) {
  std::optional<v1::Host> best;
  HAPAX_RETURN_IF_ERROR(
      txn.Scan(kTable, KeyRange::Prefix(HostPrefix(context.tenant)), [&](std::string_view key, std::string_view value) {
        v1::Host host;
        // A host with a damaged row takes no instance; the others do.
        const bool fits = DecodeRow(key, value, &host).ok() && host.auto_placement() == "on" &&
                          catalog.FindZone(host.availability_zone()) != nullptr && host.instance_type() == type &&
                          host.region() == context.place.region &&
                          (context.place.zone.empty() || host.availability_zone() == context.place.zone);
        if (fits && (!best || host.available_capacity() > best->available_capacity())) {
          best = std::move(host);
        }
        return true;
      }));
  if (best.has_value()) return *std::move(best);
  return Refuse(Reason::kInsufficientInstanceCapacity,
                "no dedicated host of the tenant with auto_placement on takes this instance type there");
}

const Catalog::Subnet* RoomiestSubnet(const ZoneUse& use) {
  return *std::max_element(use.zone().subnets.begin(), use.zone().subnets.end(),
                           [&](const Catalog::Subnet* a, const Catalog::Subnet* b) {
                             return use.FreeAddresses(*a) < use.FreeAddresses(*b);
                           });
}

// The room that a zone offers on shared hardware, or on `host`.
Site SiteIn(ZoneUse use, const Catalog::Subnet* subnet, std::optional<v1::Host> host,
            const v1::CatalogInstanceType& type) {
  if (subnet == nullptr) subnet = RoomiestSubnet(use);
  const int64_t hardware = host.has_value() ? host->available_capacity() : use.FreeVcpus() / type.vcpus();
  const int64_t room = std::min(hardware, use.FreeAddresses(*subnet));
  return {.zone = std::move(use), .subnet = subnet, .host = std::move(host), .room = room};
}

}  // namespace

absl::StatusOr<const Catalog::Zone*> UsableZone(const Catalog& catalog, const std::string& name,
                                                const std::string& field) {
  const Catalog::Zone* zone = catalog.FindZone(name);
  if (zone != nullptr) return zone;
  return RefuseValue(Reason::kUnknownAvailabilityZone, field, name,
                     "is no longer offered; see DescribeAvailabilityZones");
}

absl::StatusOr<Site> ChooseSite(const CallContext& context, const ReadTransaction& txn, const Catalog& catalog,
                                const v1::RunInstancesRequest& request, const v1::CatalogInstanceType& type) {
  const Catalog::Subnet* subnet = nullptr;
  if (!request.subnet_id().empty()) {
    subnet = catalog.FindSubnet(request.subnet_id());
    if (subnet == nullptr) {
      return RefuseValue(Reason::kSubnetNotFound, "subnet_id", request.subnet_id(),
                         "is no longer offered; see DescribeSubnets");
    }
  }
  HAPAX_ASSIGN_OR_RETURN(const bool wants_host, WantsHost(request.placement()));
  std::optional<v1::Host> host;
  if (wants_host) {
    const std::string& host_id = request.placement().host_id();
    HAPAX_ASSIGN_OR_RETURN(host, host_id.empty() ? RoomiestHost(context, txn, catalog, type.name())
                                                 : NamedHost(context, txn, host_id, type.name()));
  }
  const std::string zone_name = host.has_value() ? host->availability_zone() : context.place.zone;
  if (!zone_name.empty()) {
    HAPAX_ASSIGN_OR_RETURN(const Catalog::Zone* zone, UsableZone(catalog, zone_name, kZoneField));
    HAPAX_ASSIGN_OR_RETURN(ZoneUse use, ZoneUse::Load(txn, *zone));
    return SiteIn(std::move(use), subnet, std::move(host), type);
  }

  std::optional<Site> best;
  for (const auto& [name, zone] : catalog.zones()) {
    if (zone.region != context.place.region) continue;
    HAPAX_ASSIGN_OR_RETURN(ZoneUse use, ZoneUse::Load(txn, zone));
    Site site = SiteIn(std::move(use), nullptr, std::nullopt, type);
    if (!best.has_value() || site.room > best->room) best = std::move(site);
  }
  if (best.has_value()) return *std::move(best);
  return RefuseValue(Reason::kUnknownRegion, "region", context.place.region,
                     "is no longer offered; see DescribeAvailabilityZones");
}

}  // namespace hapax::compute
