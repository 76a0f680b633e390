#ifndef HAPAX_SERVER_OPTIONS_CONNECTION_LIMITS_H_
#define HAPAX_SERVER_OPTIONS_CONNECTION_LIMITS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace hapax {

// Limits that gRPC enforces before any interceptor sees a call: gRPC refuses the excess, or disconnects. Each is
// documented at its flag, in limit_flags.cc.
struct ConnectionLimits {
  int max_connections = 4096;
  int max_stranger_connections = 256;
  int max_message_bytes = 4 << 20;
  int max_metadata_bytes = 8 << 10;
  int max_calls_per_connection = 4096;
  int max_pending_calls = 4096;
  absl::Duration request_timeout = absl::Seconds(30);
  // Memory that gRPC may use for connections, including incomplete messages. Bytes.
  int64_t max_connection_bytes = int64_t{320} << 20;
  absl::Duration handshake_timeout = absl::Seconds(20);
  absl::Duration keepalive_time = absl::Minutes(1);
  absl::Duration keepalive_timeout = absl::Seconds(20);
  // An infinite limit does not apply.
  absl::Duration max_connection_idle = absl::Minutes(30);
  absl::Duration max_connection_age = absl::InfiniteDuration();
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_CONNECTION_LIMITS_H_
