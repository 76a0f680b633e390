#ifndef HAPAX_STORAGE_ETCD_SLOT_H_
#define HAPAX_STORAGE_ETCD_SLOT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "hapax/storage/remote/backend.h"

namespace hapax {

// A slot's value as bytes:
//
//   +------+------------+------------+-----------+
//   | 0x01 |   epoch    |    seq     |   owner   |
//   +------+------------+------------+-----------+
//    1 byte 8 bytes BE   8 bytes BE   the rest
[[nodiscard]] std::string EncodeSlot(const RemoteSlot& slot);

// Errors: DATA_LOSS, EncodeSlot did not make it.
[[nodiscard]] absl::StatusOr<RemoteSlot> DecodeSlot(std::string_view bytes);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ETCD_SLOT_H_
