#ifndef HAPAX_BASE_WIRE_READER_H_
#define HAPAX_BASE_WIRE_READER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hapax {

// Reads the parts of protobuf's wire format one after another. The bytes may be malformed; a method then returns false.
// Lifetime: the bytes outlive it.
class WireReader {
 public:
  static constexpr int kMaxTagBytes = 5;
  static constexpr int kMaxVarintBytes = 10;

  explicit WireReader(std::string_view bytes) : left_(bytes) {}

  [[nodiscard]] bool AtEnd() const { return left_.empty(); }

  [[nodiscard]] bool Varint(int max_bytes, uint64_t* value) {
    *value = 0;
    for (int i = 0; i < max_bytes && static_cast<size_t>(i) < left_.size(); ++i) {
      const auto byte = static_cast<uint8_t>(left_[i]);
      *value |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
      if (byte < 0x80) {
        left_.remove_prefix(i + 1);
        return true;
      }
    }
    return false;
  }

  [[nodiscard]] bool Bytes(uint64_t size, std::string_view* bytes) {
    if (size > left_.size()) return false;
    *bytes = left_.substr(0, size);
    left_.remove_prefix(size);
    return true;
  }

 private:
  std::string_view left_;
};

}  // namespace hapax

#endif  // HAPAX_BASE_WIRE_READER_H_
