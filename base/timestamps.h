#ifndef HAPAX_BASE_TIMESTAMPS_H_
#define HAPAX_BASE_TIMESTAMPS_H_

#include <cstdint>

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace hapax {

// Converts to protobuf's form, truncated to microseconds.
[[nodiscard]] inline google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  constexpr int64_t kMicrosPerSecond = 1'000'000;
  const int64_t micros = absl::ToUnixMicros(time);
  const int64_t seconds = absl::ToUnixSeconds(time);
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(static_cast<int32_t>((micros - seconds * kMicrosPerSecond) * 1000));
  return timestamp;
}

[[nodiscard]] inline absl::Time FromTimestamp(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

// Converts to protobuf's form. Requires: the duration is finite.
[[nodiscard]] inline google::protobuf::Duration ToProtoDuration(absl::Duration duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
  return proto;
}

[[nodiscard]] inline absl::Duration FromProtoDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace hapax

#endif  // HAPAX_BASE_TIMESTAMPS_H_
