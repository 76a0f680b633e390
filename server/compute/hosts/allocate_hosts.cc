#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/parameters.h"
#include "hapax/server/compute/placement/capacity.h"
#include "hapax/server/compute/placement/site.h"
#include "hapax/server/compute/rows.h"

namespace hapax::compute {
namespace {

constexpr int32_t kMaxQuantity = 1000;

}  // namespace

absl::Status ComputeService::AllocateHosts(const CallContext& context, Transaction& txn,
                                           const v1::AllocateHostsRequest& request,
                                           v1::AllocateHostsResponse* response) const {
  if (request.quantity() < 0 || request.quantity() > kMaxQuantity) {
    return RefuseParameter("quantity", "must be 1 to 1000, or 0 for 1");
  }
  const int32_t quantity = request.quantity() == 0 ? 1 : request.quantity();
  HAPAX_ASSIGN_OR_RETURN(const bool auto_placement, CheckAutoPlacement(request.auto_placement()));
  HAPAX_RETURN_IF_ERROR(CheckTags(request.tags()));
  const v1::CatalogInstanceType* type = catalog_.FindInstanceType(request.instance_type());
  if (type == nullptr) return RefuseParameter("instance_type", "must be " + catalog_.InstanceTypeNames());
  HAPAX_ASSIGN_OR_RETURN(const Catalog::Zone* zone, UsableZone(catalog_, context.place.zone, "availability_zone"));

  HAPAX_ASSIGN_OR_RETURN(const auto use, GetRowOrEmpty<store::v1::TenantRow>(txn, TenantUseKey(context.tenant)));
  if (use.hosts() + quantity > catalog_.quota().hosts()) {
    return RefuseField(Reason::kQuotaExceeded, "quantity",
                       absl::StrCat("must be at most ", std::max<int64_t>(catalog_.quota().hosts() - use.hosts(), 0),
                                    " just now: the tenant may have ", catalog_.quota().hosts(), " hosts at a time"));
  }
  HAPAX_ASSIGN_OR_RETURN(ZoneUse zone_use, ZoneUse::Load(txn, *zone));
  const int64_t host_vcpus = type->instances_per_host() * type->vcpus();
  const int64_t vcpus = quantity * host_vcpus;
  if (zone_use.FreeVcpus() < vcpus) {
    return RefuseField(Reason::kInsufficientInstanceCapacity, "quantity",
                       absl::StrCat("must be less just now: ", zone->name, " has ", zone_use.FreeVcpus(),
                                    " virtual CPUs free, and these hosts take ", vcpus));
  }

  v1::Host host;
  host.set_instance_type(type->name());
  host.set_region(zone->region);
  host.set_availability_zone(zone->name);
  host.set_auto_placement(auto_placement ? "on" : "off");
  *host.mutable_allocation_time() = ToTimestamp(context.now);
  host.set_total_capacity(type->instances_per_host());
  host.set_available_capacity(type->instances_per_host());
  host.set_total_vcpus(host_vcpus);
  host.set_client_token(context.client_token);
  *host.mutable_tags() = request.tags();
  for (int32_t i = 0; i < quantity; ++i) {
    const auto key_of = [&](const std::string& id) { return HostKey(context.tenant, id); };
    HAPAX_ASSIGN_OR_RETURN(*host.mutable_host_id(), NewIdOf(ids_, "h", txn, kTable, key_of));
    PutRow(txn, kTable, HostKey(context.tenant, host.host_id()), host);
    response->add_host_ids(host.host_id());
  }
  zone_use.TakeVcpus(vcpus);
  zone_use.Save(txn);
  return ChangeTenantUse(txn, context.tenant, /*instances=*/0, quantity);
}

}  // namespace hapax::compute
