#ifndef HAPAX_SERVER_COMPUTE_ROWS_H_
#define HAPAX_SERVER_COMPUTE_ROWS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "hapax/compute/v1/resources.pb.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/compute.pb.h"

// The compute service's part of the on-disk format (storage/format.h): rows of table resources.
//
//   kind   key                          value
//   "i"    (tenant, instance id)        hapax.store.v1.InstanceRow
//   "h"    (tenant, host id)            hapax.compute.v1.Host
//   "k"    (tenant, region, key name)   hapax.compute.v1.KeyPair
//   "t"    (tenant)                     hapax.store.v1.TenantRow
//   "z"    (zone)                       hapax.store.v1.ZoneRow
//   "a"    (subnet id, address)         hapax.store.v1.ReturnedAddressRow; the IPv4 address as a number
//   "p"    (zone name or subnet id)     hapax.store.v1.PlaceRow
namespace hapax::compute {

// The service that owns the rows (storage/service_table.h).
inline constexpr std::string_view kServiceName = "hapax.compute.v1.Compute";
inline constexpr Table kTable = Table::kResources;

[[nodiscard]] std::string InstancePrefix(std::string_view tenant);
[[nodiscard]] std::string InstanceKey(std::string_view tenant, std::string_view instance_id);
[[nodiscard]] std::string HostPrefix(std::string_view tenant);
[[nodiscard]] std::string HostKey(std::string_view tenant, std::string_view host_id);
[[nodiscard]] std::string KeyPairPrefix(std::string_view tenant);
[[nodiscard]] std::string KeyPairKey(std::string_view tenant, std::string_view region, std::string_view key_name);
[[nodiscard]] std::string TenantUseKey(std::string_view tenant);
[[nodiscard]] std::string ZoneUseKey(std::string_view zone);
[[nodiscard]] std::string ReturnedAddressPrefix(std::string_view subnet_id);
[[nodiscard]] std::string ReturnedAddressKey(std::string_view subnet_id, uint32_t address);
[[nodiscard]] std::string PlacePrefix();
[[nodiscard]] std::string PlaceKey(std::string_view name);

// The row, or an empty message if there is none.
template <typename Row>
[[nodiscard]] absl::StatusOr<Row> GetRowOrEmpty(const ReadTransaction& txn, std::string_view key) {
  HAPAX_ASSIGN_OR_RETURN(std::optional<Row> row, GetRow<Row>(txn, kTable, key));
  return row.has_value() ? *std::move(row) : Row();
}

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_ROWS_H_
