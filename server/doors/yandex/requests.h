#ifndef HAPAX_SERVER_DOORS_YANDEX_REQUESTS_H_
#define HAPAX_SERVER_DOORS_YANDEX_REQUESTS_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "hapax/base/status_macros.h"

namespace hapax::yandex {

// The longest request, in bytes: serialized, or as JSON.
inline constexpr size_t kMaxRequestBytes = size_t{64} << 10;

// Errors of all below: INVALID_PARAMETER, naming the field and what is allowed.

[[nodiscard]] absl::Status ParseRequest(std::string_view bytes, google::protobuf::Message& request);

template <typename Request>
[[nodiscard]] absl::StatusOr<Request> ReadRequest(std::string_view bytes) {
  Request request;
  HAPAX_RETURN_IF_ERROR(ParseRequest(bytes, request));
  return request;
}

// Refuses each field that is still set, since the caller has cleared those that it honours. A message counts as set if
// one of its fields is. A field that the protos here do not have is refused by its number, unless it is 0 or empty.
// The names begin with the prefix, such as "boot_disk_spec.".
[[nodiscard]] absl::Status RefuseRest(const google::protobuf::Message& request, const std::string& prefix = "");

// A tenant has one folder, `default`. Empty means that, too.
inline constexpr std::string_view kFolder = "default";
[[nodiscard]] absl::Status CheckFolder(std::string_view folder_id);

// Returns the id. Errors: also for one of more than 50 bytes, as in Yandex Cloud.
[[nodiscard]] absl::StatusOr<std::string> RequiredId(std::string_view field, const std::string& id);

}  // namespace hapax::yandex

#endif  // HAPAX_SERVER_DOORS_YANDEX_REQUESTS_H_
