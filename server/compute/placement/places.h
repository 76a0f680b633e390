#ifndef HAPAX_SERVER_COMPUTE_PLACEMENT_PLACES_H_
#define HAPAX_SERVER_COMPUTE_PLACEMENT_PLACES_H_

#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "hapax/interceptors/scope.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/storage/store.h"
#include "hapax/store/v1/compute.pb.h"

namespace hapax::compute {

// The places of zones and subnets: those of the catalog, and those of all earlier catalogs. Token scopes depend on them
// (C5), so a place is never forgotten: a retry finds its token even if the catalog has lost the subnet that it names
// (C16). Handlers decide whether a place can still be used.
//
// Thread-safety: immutable.
class Places {
 public:
  // Reads the recorded places, and records those of the catalog.
  // Errors: those of the store; FAILED_PRECONDITION when the catalog moves a zone or a subnet, or changes a subnet's
  // range.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<const Places>> Load(Store& store, const Catalog& catalog);

  // The ScopeResolver "placement": a hint from field `subnet_id` names a subnet, any other a zone.
  // Errors: UNKNOWN_REGION, UNKNOWN_AVAILABILITY_ZONE, SUBNET_NOT_FOUND, ZONE_SUBNET_CONFLICT;
  // INVALID_PARAMETER when the region contradicts the zone.
  [[nodiscard]] absl::StatusOr<Place> Resolve(const PlaceHints& hints) const;

  // Errors: UNKNOWN_REGION when there never was such a region. An empty hint is OK.
  [[nodiscard]] absl::Status CheckRegion(const PlaceHint& hint) const;

  // Ordered by name.
  [[nodiscard]] const std::set<std::string, std::less<>>& regions() const { return regions_; }

 private:
  Places() = default;

  [[nodiscard]] absl::Status Add(const std::string& name, const store::v1::PlaceRow& row);
  [[nodiscard]] absl::StatusOr<Place> Find(const PlaceHint& hint) const;

  std::map<std::string, store::v1::PlaceRow, std::less<>> places_;  // By zone name and by subnet id.
  std::set<std::string, std::less<>> regions_;
  std::set<std::string> zones_;
};

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_PLACEMENT_PLACES_H_
