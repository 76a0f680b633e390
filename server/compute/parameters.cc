#include "hapax/server/compute/parameters.h"

#include <algorithm>

#include "hapax/interceptors/refusal.h"

namespace hapax::compute {
namespace {

constexpr size_t kMaxTags = 50;
constexpr size_t kMaxTagKeyLength = 128;
constexpr size_t kMaxTagValueLength = 256;
constexpr size_t kMaxKeyNameLength = 255;
constexpr int32_t kMaxCount = 100'000;

// Counts the bytes that begin a character. Requires valid UTF-8, which protobuf guarantees.
size_t CodePoints(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

absl::Status CheckTags(const google::protobuf::Map<std::string, std::string>& tags) {
  const auto too_long = [](const auto& tag) {
    return tag.first.empty() || CodePoints(tag.first) > kMaxTagKeyLength || CodePoints(tag.second) > kMaxTagValueLength;
  };
  if (tags.size() > kMaxTags) return RefuseParameter("tags", "must be at most 50");
  if (std::any_of(tags.begin(), tags.end(), too_long)) {
    return RefuseParameter("tags", "must have keys of 1 to 128 characters and values of 0 to 256");
  }
  return absl::OkStatus();
}

absl::Status CheckKeyName(std::string_view key_name) {
  const bool printable = std::all_of(key_name.begin(), key_name.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
  if (!key_name.empty() && key_name.size() <= kMaxKeyNameLength && printable) return absl::OkStatus();
  return RefuseParameter("key_name", "must be 1 to 255 printable ASCII characters (0x20-0x7E)");
}

absl::Status CheckIds(std::string_view field, const google::protobuf::RepeatedPtrField<std::string>& ids) {
  if (static_cast<size_t>(ids.size()) > kMaxIdsPerRequest) return RefuseParameter(field, "must be at most 1000");
  if (std::any_of(ids.begin(), ids.end(), [](const std::string& id) { return id.empty(); })) {
    return RefuseParameter(field, "must not have an empty element");
  }
  return absl::OkStatus();
}

absl::StatusOr<CountRange> CheckCounts(int32_t min_count, int32_t max_count) {
  if (min_count < 0 || min_count > kMaxCount)
    return RefuseParameter("min_count", "must be 1 to 100000, or 0 for max_count");
  if (max_count < 0 || max_count > kMaxCount)
    return RefuseParameter("max_count", "must be 1 to 100000, or 0 for min_count");
  CountRange counts{.min = min_count, .max = max_count};
  if (counts.max == 0) counts.max = std::max(counts.min, 1);
  if (counts.min == 0) counts.min = counts.max;
  if (counts.min > counts.max) return RefuseParameter("min_count", "must not be greater than max_count");
  return counts;
}

absl::StatusOr<bool> CheckAutoPlacement(std::string_view auto_placement) {
  if (auto_placement == "on") return true;
  if (auto_placement.empty() || auto_placement == "off") return false;
  return RefuseParameter("auto_placement", "must be on or off");
}

}  // namespace hapax::compute
