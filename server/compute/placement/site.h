#ifndef HAPAX_SERVER_COMPUTE_PLACEMENT_SITE_H_
#define HAPAX_SERVER_COMPUTE_PLACEMENT_SITE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/interceptors/method.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/compute/placement/capacity.h"
#include "hapax/storage/store.h"

namespace hapax::compute {

// The target of a launch: a zone, a subnet in it, and on request a dedicated host.
struct Site {
  ZoneUse zone;
  const Catalog::Subnet* subnet = nullptr;
  std::optional<v1::Host> host;
  // How many instances of the launch's type fit.
  int64_t room = 0;
};

// Chooses the site of a launch: the one that the request names, or else the zone, subnet or host with the most room in
// its region. Requires: `context.place` is resolved.
// Errors: INVALID_PARAMETER; UNKNOWN_AVAILABILITY_ZONE and SUBNET_NOT_FOUND, also for one that has left the catalog;
// HOST_NOT_FOUND; INSUFFICIENT_INSTANCE_CAPACITY when no host takes it; those of the store.
[[nodiscard]] absl::StatusOr<Site> ChooseSite(const CallContext& context, const ReadTransaction& txn,
                                              const Catalog& catalog, const v1::RunInstancesRequest& request,
                                              const v1::CatalogInstanceType& type);

// Returns the zone of this name. Errors: UNKNOWN_AVAILABILITY_ZONE when it has left the catalog.
[[nodiscard]] absl::StatusOr<const Catalog::Zone*> UsableZone(const Catalog& catalog, const std::string& name,
                                                              const std::string& field);

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_PLACEMENT_SITE_H_
