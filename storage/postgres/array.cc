#include "hapax/storage/postgres/array.h"

#include <cstddef>

#include "hapax/base/check.h"

namespace hapax {
namespace {

constexpr size_t kBigintBytes = 8;

void Append(uint64_t number, size_t bytes, std::string& out) {
  for (size_t left = bytes; left > 0; --left) out.push_back(static_cast<char>(number >> (8 * (left - 1))));
}

}  // namespace

std::string PgBool(bool value) { return std::string(1, value ? '\1' : '\0'); }

std::string PgSmallint(int value) {
  std::string bytes;
  Append(static_cast<uint64_t>(value), 2, bytes);
  return bytes;
}

std::string PgBigint(int64_t value) {
  std::string bytes;
  Append(static_cast<uint64_t>(value), kBigintBytes, bytes);
  return bytes;
}

int64_t PgBigintOf(std::string_view bytes) {
  HAPAX_CHECK(bytes.size() == kBigintBytes, "the statement returns a bigint here");
  uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return static_cast<int64_t>(number);
}

void PgArray::Add(std::string_view element) {
  ++count_;
  Append(element.size(), 4, elements_);
  elements_.append(element);
}

std::string PgArray::Encode() const {
  std::string bytes;
  Append(count_ == 0 ? 0 : 1, 4, bytes);
  Append(0, 4, bytes);
  Append(static_cast<uint32_t>(type_), 4, bytes);
  if (count_ == 0) return bytes;
  Append(count_, 4, bytes);
  Append(1, 4, bytes);
  return bytes + elements_;
}

}  // namespace hapax
