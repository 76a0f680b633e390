#include "hapax/storage/log_check.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace hapax {
namespace {

// RocksDB's log: blocks of 32 KiB, each with records one after the other from its beginning on. What does not fit into
// a block goes on in the next as another record; fewer than 7 bytes at the end of a block are not used.
//
//   | masked CRC-32C of type and payload, 4 bytes LE | payload length, 2 bytes LE | type, 1 byte | payload |
constexpr size_t kBlockBytes = size_t{32} << 10;
constexpr size_t kHeaderBytes = 7;
constexpr size_t kTypeOffset = 6;
constexpr uint8_t kFullType = 1;   // A whole write.
constexpr uint8_t kFirstType = 2;  // The beginning of one.

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  constexpr uint32_t kCastagnoli = 0x82f63b78;
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kCastagnoli : 0);
    table[byte] = crc;
  }
  return table;
}();

uint32_t MaskedCrc(std::string_view bytes) {
  constexpr uint32_t kMaskDelta = 0xa282ead8;
  uint32_t crc = ~uint32_t{0};
  for (char byte : bytes) crc = kCrcTable[(crc ^ static_cast<uint8_t>(byte)) & 0xff] ^ (crc >> 8);
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + kMaskDelta;
}

uint8_t ByteAt(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }
size_t LengthOf(std::string_view record) { return ByteAt(record, 4) | size_t{ByteAt(record, 5)} << 8; }

// Whether these bytes begin with a record whose payload has so many bytes, and is sound.
bool IsSound(std::string_view bytes, size_t length) {
  if (kHeaderBytes + length > bytes.size()) return false;
  uint32_t crc = 0;
  std::memcpy(&crc, bytes.data(), sizeof(crc));
  return crc == MaskedCrc(bytes.substr(kTypeOffset, 1 + length));
}

bool BeginsAWrite(std::string_view bytes) {
  const uint8_t type = ByteAt(bytes, kTypeOffset);
  return (type == kFullType || type == kFirstType) && IsSound(bytes, LengthOf(bytes));
}

// Whether anywhere in these bytes a write begins.
bool HoldsAWrite(std::string_view bytes) {
  for (; bytes.size() > kHeaderBytes; bytes.remove_prefix(1)) {
    if (BeginsAWrite(bytes)) return true;
  }
  return false;
}

// Where in the block RocksDB would stop for a record that seems cut off; nullopt when it reads the block to its end.
std::optional<size_t> FindCutOff(std::string_view block) {
  size_t at = 0;
  while (block.size() - at >= kHeaderBytes) {
    const std::string_view rest = block.substr(at);
    const size_t size = kHeaderBytes + LengthOf(rest);
    const bool is_zero = LengthOf(rest) == 0 && ByteAt(rest, kTypeOffset) == 0;
    if (is_zero || size > rest.size()) return at;
    at += size;
  }
  return std::nullopt;
}

absl::Status CheckLog(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string block(kBlockBytes, '\0');
  std::optional<size_t> cut_off;
  for (size_t offset = 0; file; offset += kBlockBytes) {
    file.read(block.data(), kBlockBytes);
    std::string_view bytes(block.data(), static_cast<size_t>(file.gcount()));
    if (!cut_off.has_value()) {
      const std::optional<size_t> at = FindCutOff(bytes);
      if (!at.has_value()) continue;
      cut_off = offset + *at;
      bytes.remove_prefix(*at);
      if (IsSound(bytes, bytes.size() - kHeaderBytes)) {
        return absl::DataLossError(absl::StrCat(path.string(), ": the record at ", *cut_off, " has a wrong length"));
      }
      bytes.remove_prefix(1);
    }
    if (!HoldsAWrite(bytes)) continue;
    return absl::DataLossError(
        absl::StrCat(path.string(), ": the record at ", *cut_off, " is damaged, and the log goes on behind it"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckLogs(const std::string& path) {
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(path, error)) {
    if (file.path().extension() != ".log") continue;
    if (absl::Status status = CheckLog(file.path()); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace hapax
