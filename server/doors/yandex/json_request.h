#ifndef HAPAX_SERVER_DOORS_YANDEX_JSON_REQUEST_H_
#define HAPAX_SERVER_DOORS_YANDEX_JSON_REQUEST_H_

#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace hapax::yandex {

// Both read fields by their names in JSON or in the proto, such as `bootDiskSpec` or `boot_disk_spec`, and refuse those
// that the message does not have.
// Errors: INVALID_PARAMETER, naming `body` or `query`, and what is wrong where.

// Reads an object of protobuf JSON of at most kMaxRequestBytes (requests.h). No text is an empty object.
[[nodiscard]] absl::Status ReadBody(std::string_view text, google::protobuf::Message& request);

// Reads the parameters of a query, each given once.
[[nodiscard]] absl::Status ReadQuery(std::string_view query, google::protobuf::Message& request);

}  // namespace hapax::yandex

#endif  // HAPAX_SERVER_DOORS_YANDEX_JSON_REQUEST_H_
