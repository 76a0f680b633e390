#include "hapax/storage/key.h"

#include <utility>

#include "hapax/storage/store_error.h"

namespace hapax {
namespace {

constexpr char kEscape = '\0';
constexpr char kEscapedZero = '\xFF';
constexpr char kTerminator = '\1';

}  // namespace

KeyBuilder& KeyBuilder::String(std::string_view element) {
  while (true) {
    const size_t zero = element.find(kEscape);
    key_.append(element.substr(0, zero));
    if (zero == std::string_view::npos) break;
    key_.push_back(kEscape);
    key_.push_back(kEscapedZero);
    element.remove_prefix(zero + 1);
  }
  key_.push_back(kEscape);
  key_.push_back(kTerminator);
  return *this;
}

KeyBuilder& KeyBuilder::Uint64(uint64_t element) {
  for (int shift = 56; shift >= 0; shift -= 8) key_.push_back(static_cast<char>(element >> shift));
  return *this;
}

absl::StatusOr<std::string> KeyParser::String() {
  std::string element;
  for (size_t i = 0; i + 1 < rest_.size(); ++i) {
    if (rest_[i] != kEscape) {
      element.push_back(rest_[i]);
      continue;
    }
    const char next = rest_[++i];
    if (next == kEscapedZero) {
      element.push_back(kEscape);
    } else if (next == kTerminator) {
      rest_.remove_prefix(i + 1);
      return element;
    } else {
      break;
    }
  }
  return StoreError(absl::DataLossError("key: a string element is damaged"));
}

absl::StatusOr<uint64_t> KeyParser::Uint64() {
  if (rest_.size() < sizeof(uint64_t)) return StoreError(absl::DataLossError("key: a number element is damaged"));
  uint64_t element = 0;
  for (char byte : rest_.substr(0, sizeof(uint64_t))) element = element << 8 | static_cast<unsigned char>(byte);
  rest_.remove_prefix(sizeof(uint64_t));
  return element;
}

KeyRange KeyRange::Prefix(std::string prefix) {
  std::string end = prefix;
  while (!end.empty() && end.back() == '\xFF') end.pop_back();
  if (!end.empty()) ++end.back();
  return {.begin = std::move(prefix), .end = std::move(end)};
}

KeyRange KeyRange::After(KeyRange range, std::string key) {
  key.push_back('\0');
  if (key > range.begin) range.begin = std::move(key);
  return range;
}

}  // namespace hapax
