#include "hapax/storage/etcd/slot.h"

#include <cstddef>
#include <cstdint>

namespace hapax {
namespace {

constexpr char kVersion = 1;
constexpr size_t kNumberBytes = 8;
constexpr size_t kHeaderBytes = 1 + 2 * kNumberBytes;

void Append(uint64_t number, std::string& bytes) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
}

uint64_t NumberAt(std::string_view bytes, size_t at) {
  uint64_t number = 0;
  for (size_t i = 0; i < kNumberBytes; ++i) number = number << 8 | static_cast<uint8_t>(bytes[at + i]);
  return number;
}

}  // namespace

std::string EncodeSlot(const RemoteSlot& slot) {
  std::string bytes(1, kVersion);
  Append(slot.epoch, bytes);
  Append(slot.seq, bytes);
  return bytes + slot.owner;
}

absl::StatusOr<RemoteSlot> DecodeSlot(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || bytes[0] != kVersion) return absl::DataLossError("a slot in etcd is damaged");
  return RemoteSlot{.owner = std::string(bytes.substr(kHeaderBytes)),
                    .epoch = NumberAt(bytes, 1),
                    .seq = NumberAt(bytes, 1 + kNumberBytes)};
}

}  // namespace hapax
