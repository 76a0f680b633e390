#include "hapax/storage/format.h"

#include <zlib.h>

#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "hapax/base/check.h"
#include "hapax/storage/store_error.h"

namespace hapax {
namespace {

constexpr char kRowVersion = 1;
constexpr size_t kHeaderSize = 1 + sizeof(uint32_t);
static_assert(std::endian::native == std::endian::little, "the checksum is stored as it stands in memory");

absl::Status Damaged(absl::string_view what) { return StoreError(absl::DataLossError(what)); }

uint32_t Checksum(std::string_view key, std::string_view payload) {
  uLong crc = crc32_z(0, reinterpret_cast<const Bytef*>(key.data()), key.size());
  crc = crc32_z(crc, reinterpret_cast<const Bytef*>(payload.data()), payload.size());
  return static_cast<uint32_t>(crc);
}

}  // namespace

std::string_view TableName(Table table) {
  switch (table) {
    case Table::kMeta:
      return "default";  // RocksDB always has a column family of this name.
    case Table::kTokens:
      return "tokens";
    case Table::kResources:
      return "services";
    case Table::kWork:
      return "work";
    case Table::kOperations:
      return "operations";
  }
  HAPAX_CHECK(false, "a Table is one of its values");
}

std::string EncodeRow(std::string_view key, const google::protobuf::MessageLite& message) {
  std::string value(kHeaderSize, '\0');
  message.AppendToString(&value);
  value[0] = kRowVersion;
  const uint32_t checksum = Checksum(key, std::string_view(value).substr(kHeaderSize));
  std::memcpy(value.data() + 1, &checksum, sizeof(checksum));
  return value;
}

std::string_view PayloadOfRow(std::string_view value) { return value.substr(kHeaderSize); }

bool IsRowValue(std::string_view value) { return value.size() >= kHeaderSize && value[0] == kRowVersion; }

absl::Status DecodeRow(std::string_view key, std::string_view value, google::protobuf::MessageLite* message) {
  if (value.size() < kHeaderSize) return Damaged("row: shorter than its header");
  if (value[0] != kRowVersion) {
    return Damaged(absl::StrCat("row: layout version ", static_cast<unsigned char>(value[0]),
                                ", but this server reads only ", static_cast<int>(kRowVersion)));
  }
  const std::string_view payload = value.substr(kHeaderSize);
  uint32_t checksum = 0;
  std::memcpy(&checksum, value.data() + 1, sizeof(checksum));
  if (checksum != Checksum(key, payload)) return Damaged("row: checksum mismatch");
  if (!message->ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return Damaged("row: not the expected message");
  }
  return absl::OkStatus();
}

}  // namespace hapax
