#ifndef HAPAX_STORAGE_TIMESTAMPS_H_
#define HAPAX_STORAGE_TIMESTAMPS_H_

#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace hapax {

// The time in protobuf's form, cut to microseconds.
[[nodiscard]] inline google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  constexpr int64_t kMicrosPerSecond = 1'000'000;
  const int64_t micros = absl::ToUnixMicros(time);
  const int64_t seconds = absl::ToUnixSeconds(time);
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(static_cast<int32_t>((micros - seconds * kMicrosPerSecond) * 1000));
  return timestamp;
}

}  // namespace hapax

#endif  // HAPAX_STORAGE_TIMESTAMPS_H_
