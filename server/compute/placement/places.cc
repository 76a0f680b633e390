#include "hapax/server/compute/placement/places.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/interceptors/refusal_bounds.h"
#include "hapax/server/compute/rows.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/key.h"
#include "hapax/storage/service_table.h"

namespace hapax::compute {
namespace {

constexpr std::string_view kSubnetField = "subnet_id";

store::v1::PlaceRow RowOf(const std::string& region, const std::string& zone, const std::string& cidr_block) {
  store::v1::PlaceRow row;
  row.set_region(region);
  row.set_availability_zone(zone);
  row.set_cidr_block(cidr_block);
  return row;
}

// The catalog's zones and subnets, by name.
std::map<std::string, store::v1::PlaceRow> PlacesOf(const Catalog& catalog) {
  std::map<std::string, store::v1::PlaceRow> places;
  for (const auto& [name, zone] : catalog.zones()) places[name] = RowOf(zone.region, name, "");
  for (const auto& [id, subnet] : catalog.subnets()) places[id] = RowOf(subnet.region, subnet.zone, subnet.cidr_block);
  return places;
}

std::string Describe(const store::v1::PlaceRow& row) {
  return row.region() + "/" + row.availability_zone() + (row.cidr_block().empty() ? "" : " " + row.cidr_block());
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Places>> Places::Load(Store& store, const Catalog& catalog) {
  std::unique_ptr<Places> places;
  const std::string table_prefix = ServiceTablePrefix(kServiceName);
  const absl::Status status = ExecuteAndWait(store, [&](Transaction& shared) -> absl::Status {
    ServiceTransaction txn(shared, table_prefix);
    places.reset(new Places());
    absl::Status row_status;
    HAPAX_RETURN_IF_ERROR(
        txn.Scan(kTable, KeyRange::Prefix(PlacePrefix()), [&](std::string_view key, std::string_view value) {
          store::v1::PlaceRow row;
          KeyParser parser(key.substr(PlacePrefix().size()));
          const absl::StatusOr<std::string> name = parser.String();
          row_status = name.ok() ? DecodeRow(key, value, &row) : name.status();
          if (!row_status.ok()) {
            // Tokens depend on the damaged row. Before dropping it, the operator must check that the catalog has the
            // place unchanged.
            row_status = absl::DataLossError(absl::StrCat("the row of place \"", name.value_or(""),
                                                          "\": ", row_status.message(), " (hapaxctl admin inspect)"));
            return false;
          }
          row_status = places->Add(*name, row);
          return row_status.ok();
        }));
    HAPAX_RETURN_IF_ERROR(row_status);
    for (const auto& [name, row] : PlacesOf(catalog)) {
      const bool is_new = !places->places_.contains(name);
      HAPAX_RETURN_IF_ERROR(places->Add(name, row));
      // A row that is there may have more fields, of a later release.
      if (is_new) PutRow(txn, kTable, PlaceKey(name), row);
    }
    return absl::OkStatus();
  });
  HAPAX_RETURN_IF_ERROR(status);
  return std::unique_ptr<const Places>(std::move(places));
}

absl::Status Places::Add(const std::string& name, const store::v1::PlaceRow& row) {
  const auto [known, is_new] = places_.try_emplace(name, row);
  regions_.insert(row.region());
  zones_.insert(row.availability_zone());
  if (is_new || Describe(known->second) == Describe(row)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the catalog moves ", name, " from ", Describe(known->second),
                                                    " to ", Describe(row),
                                                    "; client tokens and addresses rest on it: give it a new name"));
}

absl::StatusOr<Place> Places::Find(const PlaceHint& hint) const {
  const bool is_subnet = hint.field == kSubnetField;
  const auto place = places_.find(hint.value);
  if (place != places_.end() && is_subnet == !place->second.cidr_block().empty()) {
    return Place{.region = place->second.region(), .zone = place->second.availability_zone()};
  }
  if (is_subnet)
    return RefuseValue(Reason::kSubnetNotFound, hint.field, hint.value, "must be a subnet that DescribeSubnets lists");
  return RefuseValue(Reason::kUnknownAvailabilityZone, hint.field, hint.value, "must be one of " + JoinNames(zones_));
}

absl::Status Places::CheckRegion(const PlaceHint& hint) const {
  if (hint.value.empty() || regions_.contains(hint.value)) return absl::OkStatus();
  return RefuseValue(Reason::kUnknownRegion, hint.field, hint.value, "must be one of " + JoinNames(regions_));
}

absl::StatusOr<Place> Places::Resolve(const PlaceHints& hints) const {
  HAPAX_RETURN_IF_ERROR(CheckRegion(hints.region));
  Place place{.region = std::string(hints.region.value)};
  for (const PlaceHint& hint : hints.zones) {
    if (hint.value.empty()) continue;
    HAPAX_ASSIGN_OR_RETURN(const Place named, Find(hint));
    if (!place.zone.empty() && place.zone != named.zone) {
      return RefuseValue(Reason::kZoneSubnetConflict, hint.field, hint.value,
                         "lies in " + named.zone + ", but must lie in the zone that is named, " + place.zone);
    }
    if (!place.region.empty() && place.region != named.region) {
      return RefuseValue(
          Reason::kInvalidParameter, hints.region.field, hints.region.value,
          "must be " + named.region + ", the region of what " + std::string(hint.field) + " names, or empty");
    }
    place = named;
  }
  return place;
}

}  // namespace hapax::compute
