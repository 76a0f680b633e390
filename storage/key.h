#ifndef HAPAX_STORAGE_KEY_H_
#define HAPAX_STORAGE_KEY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace hapax {

// Builds a key from elements. Keys compare byte by byte as their elements compare in order.
//
//   std::string key = KeyBuilder().String(tenant).String(region).Uint64(number).Build();
//
// A string is written as its bytes, with 00 escaped as 00 FF, then 00 01. So no string's encoding is a prefix of
// another's. A number is 8 bytes, big-endian.
class KeyBuilder {
 public:
  KeyBuilder& String(std::string_view element);
  KeyBuilder& Uint64(uint64_t element);
  [[nodiscard]] std::string Build() { return std::move(key_); }

 private:
  std::string key_;
};

// Parses a key element by element, in the order in which they were added.
// Errors: DATA_LOSS when the next element is not of the requested kind.
class KeyParser {
 public:
  // `key` must outlive the parser.
  explicit KeyParser(std::string_view key) : rest_(key) {}
  [[nodiscard]] absl::StatusOr<std::string> String();
  [[nodiscard]] absl::StatusOr<uint64_t> Uint64();
  [[nodiscard]] bool AtEnd() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// Keys from `begin` (included) to `end` (excluded; empty means no end).
struct KeyRange {
  std::string begin;
  std::string end;

  // Whether the range contains no key.
  [[nodiscard]] bool empty() const { return !end.empty() && begin >= end; }

  // The keys that begin with `prefix`.
  static KeyRange Prefix(std::string prefix);
  // The keys of `range` that follow `key`.
  static KeyRange After(KeyRange range, std::string key);
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_KEY_H_
