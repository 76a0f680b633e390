#ifndef HAPAX_STORAGE_FORMAT_H_
#define HAPAX_STORAGE_FORMAT_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/message_lite.h"
#include "hapax/storage/store.h"

// The on-disk format of a data directory: version 2.
//
//   table       key (key.h)                          value
//   meta        "format"                             the format version in decimal digits, not a row value
//               "log_id"                             the directory's secret (log_stamp.h), 16 bytes, not a row value
//               ("copy")                           hapax.store.v1.CopyRow; copy.h
//               ("seal_key", key id)                 hapax.store.v1.SealKeyRow
//               ("token_count", tenant)              hapax.store.v1.TokenCountRow
//               ("token_policy")                     hapax.store.v1.TokenPolicyRow
//               ("token_time")                       hapax.store.v1.TokenTimeRow
//               ("work_lease", holder)               hapax.store.v1.WorkLeaseRow
//   tokens      (tenant, region, zone, token)        hapax.store.v1.TokenRecord; zone "" is regional
//   work        (id)                                 hapax.store.v1.WorkRecord
//   operations  ("operation", tenant, id)            google.longrunning.Operation
//   services    (service name), the service's key    the service's own (server/compute/rows.h)
//
// Version 1 had the table resources in place of the last two. It held the rows of all services, under their own keys,
// and the operations. A start moves them (format_upgrade.h).
//
// A row value:
//
//   +------+------------+------------------------+
//   | 0x01 |   CRC-32   |  serialized protobuf   |
//   +------+------------+------------------------+
//    1 byte   4 bytes LE
//
// The first byte is the version of this layout. The checksum is that of zlib, over the row's key and the protobuf; in
// table services the key is taken without the service name. So a damaged row, or a row at the wrong key, is detected.
namespace hapax {

inline constexpr uint64_t kFormatVersion = 2;
inline constexpr std::string_view kFormatVersionKey = "format";
inline constexpr std::string_view kLogIdKey = "log_id";
// The first element of the keys of leases.
inline constexpr std::string_view kWorkLeaseKind = "work_lease";

inline constexpr std::array<Table, kTableCount> kAllTables = {Table::kMeta, Table::kTokens, Table::kResources,
                                                              Table::kWork, Table::kOperations};
// A table that only version 1 has.
inline constexpr std::string_view kOldResourcesName = "resources";

// The table's name on disk.
[[nodiscard]] std::string_view TableName(Table table);

// Whether the value has this layout. The values of services need not have it.
[[nodiscard]] bool IsRowValue(std::string_view value);

[[nodiscard]] std::string EncodeRow(std::string_view key, const google::protobuf::MessageLite& message);

// The serialized message in what EncodeRow made.
[[nodiscard]] std::string_view PayloadOfRow(std::string_view value);

// Errors: DATA_LOSS when the value is not what EncodeRow made for this key.
[[nodiscard]] absl::Status DecodeRow(std::string_view key, std::string_view value,
                                     google::protobuf::MessageLite* message);

}  // namespace hapax

#endif  // HAPAX_STORAGE_FORMAT_H_
