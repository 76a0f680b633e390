#ifndef HAPAX_CLIENT_HAPAXCTL_FLAGS_PARAMETERS_H_
#define HAPAX_CLIENT_HAPAXCTL_FLAGS_PARAMETERS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/map.h"
#include "hapax/compute/v1/compute.pb.h"

namespace hapax::ctl {

// Parse the values of flags. Each error is INVALID_ARGUMENT and says what is allowed; the caller adds the flag's name.
// Structures are in the AWS CLI's shorthand, as below, or in JSON (shorthand.h).

using Tags = google::protobuf::Map<std::string, std::string>;

struct CountRange {
  int32_t min = 0;
  int32_t max = 0;
};
// `N`, or `MIN:MAX` as in the AWS CLI.
[[nodiscard]] absl::StatusOr<CountRange> ParseCount(std::string_view text);

// `AvailabilityZone=us-east-1a,Tenancy=host,HostId=h-1`.
[[nodiscard]] absl::StatusOr<compute::v1::Placement> ParsePlacement(const std::string& text);

// `ResourceType=instance,Tags=[{Key=k,Value=v},...]`, any number of times, always with this resource type.
[[nodiscard]] absl::StatusOr<Tags> ParseTags(const std::vector<std::string>& specifications,
                                             std::string_view resource_type);

// `Name=instance-type,Values=m5.large,m5.xlarge`, any number of times.
[[nodiscard]] absl::StatusOr<std::vector<compute::v1::Filter>> ParseFilters(const std::vector<std::string>& words);

// Parses a duration above zero, such as `30s` or `1m30s`.
[[nodiscard]] absl::StatusOr<absl::Duration> ParsePositiveDuration(std::string_view text);

// 1 to 64 characters 0x21-0x7E.
[[nodiscard]] absl::Status CheckClientToken(std::string_view text);

// A tenant's name: 1 to 64 of a-z A-Z 0-9 . _ -.
[[nodiscard]] absl::Status CheckTenant(std::string_view text);

// Checks a metadata value: 1 or more characters 0x21-0x7E. The error does not repeat the text.
[[nodiscard]] absl::Status CheckMetadataValue(std::string_view text);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_FLAGS_PARAMETERS_H_
