#ifndef HAPAX_INTERCEPTORS_LIMITS_REQUEST_LIMITS_H_
#define HAPAX_INTERCEPTORS_LIMITS_REQUEST_LIMITS_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "hapax/idempotency/v1/rule.pb.h"

namespace hapax {

// What a request may consist of, beside its size: what costs more to parse, compare and store than its bytes (C32).
struct RequestLimits {
  // Fields that the server does not know, in all messages together. A client that is newer than the server sends some;
  // each takes 16 bytes of memory at least, and a look at its bytes.
  int64_t max_unknown_fields = 1'000;
  // Entries of all maps together. Each is allocated, hashed, and sorted by its key.
  int64_t max_map_entries = 10'000;
  // Fields, elements of lists (packed ones, too) and map entries together. An element of two bytes may take a hundred
  // once it is parsed.
  int64_t max_elements = 100'000;
  // Messages and groups within one another, the request itself not among them; a map entry counts with its map. Each
  // level takes stack, and is copied once more.
  int64_t max_depth = 32;

  // These, where a method's rule has no lower ones.
  [[nodiscard]] RequestLimits NarrowedBy(const idempotency::v1::RequestLimits& rule) const;
};

// Counts what a serialized `message` consists of, in one pass over its bytes and before it is parsed. Within a
// google.protobuf.Any it looks at types that the message's descriptor pool knows.
// Errors: INVALID_PARAMETER, naming the limit; for bytes that are no serialized message, too.
[[nodiscard]] absl::Status CheckRequest(std::string_view bytes, const google::protobuf::Descriptor& message,
                                        const RequestLimits& limits);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_LIMITS_REQUEST_LIMITS_H_
