#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/parameters.h"
#include "hapax/server/compute/placement/capacity.h"
#include "hapax/server/compute/rows.h"

namespace hapax::compute {
namespace {

constexpr char kField[] = "host_ids";

// Checks the form of the request. Naming a host twice is refused as a mistake, so nothing is given back twice.
absl::Status CheckHostIds(const google::protobuf::RepeatedPtrField<std::string>& host_ids) {
  if (host_ids.empty()) return RefuseParameter(kField, "at least one is required");
  HAPAX_RETURN_IF_ERROR(CheckIds(kField, host_ids));
  std::set<std::string_view> seen;
  for (const std::string& host_id : host_ids) {
    if (!seen.insert(host_id).second) {
      return RefuseValue(Reason::kInvalidParameter, kField, host_id, "must not be named twice");
    }
  }
  return absl::OkStatus();
}

// Returns a host of the tenant in the region on which no instance runs.
absl::StatusOr<v1::Host> EmptyHost(const CallContext& context, const ReadTransaction& txn, const std::string& host_id) {
  HAPAX_ASSIGN_OR_RETURN(std::optional<v1::Host> host, GetRow<v1::Host>(txn, kTable, HostKey(context.tenant, host_id)));
  if (!host.has_value() || host->region() != context.place.region) {
    return RefuseValue(Reason::kHostNotFound, kField, host_id,
                       "must be hosts of the tenant in " + context.place.region);
  }
  if (const int running = host->total_capacity() - host->available_capacity(); running > 0) {
    return RefuseValue(Reason::kIncorrectInstanceState, kField, host_id,
                       absl::StrCat("must run no instances, and runs ", running,
                                    ": terminate them, and release it when they are terminated"));
  }
  return *std::move(host);
}

// The virtual CPUs that the host took in its zone. An older row does not record them; then the catalog's type tells. If
// the type is gone, too, nothing is given back: losing room is better than promising it twice.
int64_t VcpusOf(const Catalog& catalog, const v1::Host& host) {
  if (host.total_vcpus() != 0) return host.total_vcpus();
  const v1::CatalogInstanceType* type = catalog.FindInstanceType(host.instance_type());
  return type == nullptr ? 0 : host.total_capacity() * type->vcpus();
}

}  // namespace

absl::Status ComputeService::ReleaseHosts(const CallContext& context, Transaction& txn,
                                          const v1::ReleaseHostsRequest& request,
                                          v1::ReleaseHostsResponse* response) const {
  HAPAX_RETURN_IF_ERROR(CheckHostIds(request.host_ids()));
  std::map<std::string, int64_t> vcpus_by_zone;
  for (const std::string& host_id : request.host_ids()) {
    HAPAX_ASSIGN_OR_RETURN(const v1::Host host, EmptyHost(context, txn, host_id));
    vcpus_by_zone[host.availability_zone()] += VcpusOf(catalog_, host);
    txn.Delete(kTable, HostKey(context.tenant, host_id));
    response->add_host_ids(host_id);
  }
  for (const auto& [zone, vcpus] : vcpus_by_zone) HAPAX_RETURN_IF_ERROR(ReturnVcpus(txn, zone, vcpus));
  return ChangeTenantUse(txn, context.tenant, /*instances=*/0, -request.host_ids_size());
}

}  // namespace hapax::compute
