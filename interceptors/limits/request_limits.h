#ifndef HAPAX_INTERCEPTORS_LIMITS_REQUEST_LIMITS_H_
#define HAPAX_INTERCEPTORS_LIMITS_REQUEST_LIMITS_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "hapax/idempotency/v1/rule.pb.h"

namespace hapax {

// Limits on the contents of a request beside its size: parsing, comparing and storing may cost more than the bytes
// suggest (C32).
struct RequestLimits {
  // Fields that the server does not know, in all messages together. A client newer than the server sends some. Each
  // takes at least 16 bytes of memory, and its bytes are examined.
  int64_t max_unknown_fields = 1'000;
  // Entries of all maps together. Each is allocated, hashed, and sorted by its key.
  int64_t max_map_entries = 10'000;
  // Fields, elements of lists (also packed ones) and map entries together. An element of two bytes may take a hundred
  // bytes once it is parsed.
  int64_t max_elements = 100'000;
  // Nesting of messages and groups, not counting the request itself; a map entry counts with its map. Each level takes
  // stack, and is copied once more.
  int64_t max_depth = 32;

  // These limits, each replaced by the rule's where that is lower.
  [[nodiscard]] RequestLimits NarrowedBy(const idempotency::v1::RequestLimits& rule) const;
};

// Checks a serialized `message` against the limits, in one pass over its bytes and before it is parsed. Within a
// google.protobuf.Any it counts the types that the message's descriptor pool knows.
//
// Errors: INVALID_PARAMETER, naming the limit; also for bytes that are not a serialized message.
[[nodiscard]] absl::Status CheckRequest(std::string_view bytes, const google::protobuf::Descriptor& message,
                                        const RequestLimits& limits);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_LIMITS_REQUEST_LIMITS_H_
