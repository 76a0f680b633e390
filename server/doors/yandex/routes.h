#ifndef HAPAX_SERVER_DOORS_YANDEX_ROUTES_H_
#define HAPAX_SERVER_DOORS_YANDEX_ROUTES_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "hapax/server/http/message.h"

namespace hapax::yandex {

// A request of HTTP as the call of gRPC that it stands for, by the annotations google.api.http of Yandex Cloud's
// protos.
struct RestCall {
  std::string_view method;  // `package.Service/Method`.
  std::string request;      // Serialized.
  bool mutates = false;
  const google::protobuf::Message* reply = nullptr;  // An empty message of the reply's type.
};

// Whether the path is one of Yandex Cloud's services.
[[nodiscard]] bool IsRestPath(std::string_view path);

// Errors: NOT_FOUND or UNIMPLEMENTED, no such path or no such method on it; INVALID_PARAMETER, the path, the query or
// the body is wrong.
[[nodiscard]] absl::StatusOr<RestCall> ReadRestCall(const HttpRequest& request);

}  // namespace hapax::yandex

#endif  // HAPAX_SERVER_DOORS_YANDEX_ROUTES_H_
