#ifndef HAPAX_TESTS_CLIENT_CALL_ATTEMPT_ENDS_H_
#define HAPAX_TESTS_CLIENT_CALL_ATTEMPT_ENDS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "hapax/client/wire/connection.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/proto/public_name.h"

namespace hapax::client {

// Ends of attempts, as they come from a server or a network.

inline void AddDetail(const google::protobuf::Message& detail, absl::Status& status) {
  status.SetPayload(TypeUrlOf(*detail.GetDescriptor()), absl::Cord(detail.SerializeAsString()));
}

inline absl::Status WithRetryInfo(absl::Status status, absl::Duration delay) {
  external::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(absl::IDivDuration(delay, absl::Seconds(1), &delay));
  info.mutable_retry_delay()->set_nanos(static_cast<int>(absl::ToInt64Nanoseconds(delay)));
  AddDetail(info, status);
  return status;
}

inline absl::Status WithReason(absl::Status status, std::string_view reason, std::string_view domain = "hapax") {
  external::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(std::string(domain));
  AddDetail(info, status);
  return status;
}

inline AttemptEnd Replied(std::string reply, std::string outcome = "executed") {
  return {.status = absl::OkStatus(), .reply = std::move(reply), .metadata = {{"hapax-outcome", std::move(outcome)}}};
}

// A refusal of Hapax's: reason and verdict; and how long to wait, unless it is zero.
inline AttemptEnd Refused(absl::StatusCode code, std::string_view reason, std::string verdict,
                          absl::Duration delay = absl::ZeroDuration()) {
  absl::Status status = WithReason(absl::Status(code, std::string(reason)), reason);
  if (delay != absl::ZeroDuration()) status = WithRetryInfo(std::move(status), delay);
  return {.status = std::move(status), .reply = "", .metadata = {{"hapax-retry", std::move(verdict)}}};
}

inline AttemptEnd Overloaded(absl::Duration delay = absl::ZeroDuration()) {
  return Refused(absl::StatusCode::kResourceExhausted, "OVERLOADED", "same-token", delay);
}

inline AttemptEnd NotFound() { return Refused(absl::StatusCode::kNotFound, "IMAGE_NOT_FOUND", "never"); }

// A handler's own error, as the server sends it on.
inline AttemptEnd HandlersError(absl::Status status, std::string verdict) {
  return {.status = std::move(status), .reply = "", .metadata = {{"hapax-retry", std::move(verdict)}}};
}

// No answer of the server's.
inline AttemptEnd Lost(absl::StatusCode code = absl::StatusCode::kUnavailable) {
  return {.status = absl::Status(code, "the network"), .reply = "", .metadata = {}};
}

}  // namespace hapax::client

#endif  // HAPAX_TESTS_CLIENT_CALL_ATTEMPT_ENDS_H_
