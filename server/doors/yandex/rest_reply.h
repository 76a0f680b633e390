#ifndef HAPAX_SERVER_DOORS_YANDEX_REST_REPLY_H_
#define HAPAX_SERVER_DOORS_YANDEX_REST_REPLY_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "hapax/interceptors/call.h"
#include "hapax/server/http/message.h"

namespace hapax::yandex {

// The message as JSON, with header `hapax-outcome`, and `idempotent-replayed` for a replay. Equal messages and outcomes
// give equal replies.
[[nodiscard]] HttpReply JsonReply(const google::protobuf::Message& message, std::optional<Outcome> outcome);

// google.rpc.Status as JSON, with the status of HTTP that belongs to the code, header `hapax-retry`, and `Retry-After`
// where waiting helps.
[[nodiscard]] HttpReply ErrorReply(const absl::Status& error);

}  // namespace hapax::yandex

#endif  // HAPAX_SERVER_DOORS_YANDEX_REST_REPLY_H_
