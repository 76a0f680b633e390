#ifndef HAPAX_SERVER_COMPUTE_PARAMETERS_H_
#define HAPAX_SERVER_COMPUTE_PARAMETERS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/map.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace hapax::compute {

inline constexpr size_t kMaxIdsPerRequest = 1000;

// Checks of request fields. Errors: INVALID_PARAMETER, naming the field and what is allowed.

// At most 50 tags; keys of 1 to 128 characters, values of 0 to 256 (Unicode code points).
[[nodiscard]] absl::Status CheckTags(const google::protobuf::Map<std::string, std::string>& tags);

// 1 to 255 characters 0x20-0x7E.
[[nodiscard]] absl::Status CheckKeyName(std::string_view key_name);

// At most kMaxIdsPerRequest, none of them empty.
[[nodiscard]] absl::Status CheckIds(std::string_view field, const google::protobuf::RepeatedPtrField<std::string>& ids);

// How many instances to launch.
struct CountRange {
  int32_t min = 1;
  int32_t max = 1;
};

// EC2's rule: both unset means 1, one unset equals the other; 1 to 100000, min <= max.
[[nodiscard]] absl::StatusOr<CountRange> CheckCounts(int32_t min_count, int32_t max_count);

// True for `on`, false for `off` and the empty string.
[[nodiscard]] absl::StatusOr<bool> CheckAutoPlacement(std::string_view auto_placement);

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_PARAMETERS_H_
