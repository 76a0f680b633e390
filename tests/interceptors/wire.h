#ifndef HAPAX_TESTS_INTERCEPTORS_WIRE_H_
#define HAPAX_TESTS_INTERCEPTORS_WIRE_H_

#include <cstdint>
#include <string>

// Serialized fields put together by hand, for requests that no serializer would send.
namespace hapax {

[[nodiscard]] inline std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

// Field `number` with an integer, bool or enum.
[[nodiscard]] inline std::string VarintField(int number, uint64_t value) {
  return Varint(static_cast<uint64_t>(number) << 3) + Varint(value);
}

// Field `number` with a string, bytes, a message, or a packed list.
[[nodiscard]] inline std::string LengthDelimited(int number, const std::string& content) {
  return Varint(static_cast<uint64_t>(number) << 3 | 2) + Varint(content.size()) + content;
}

// An entry of the map<string, string> that is field `number`.
[[nodiscard]] inline std::string MapEntry(int number, const std::string& key, const std::string& value) {
  return LengthDelimited(number, LengthDelimited(1, key) + LengthDelimited(2, value));
}

}  // namespace hapax

#endif  // HAPAX_TESTS_INTERCEPTORS_WIRE_H_
