#include "hapax/server/doors/yandex/rest_reply.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "hapax/external/rpc/status.pb.h"
#include "hapax/interceptors/reason.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/interceptors/refusal_bounds.h"
#include "hapax/interceptors/rpc_status.h"
#include "hapax/proto/public_json.h"

namespace hapax::yandex {
namespace {

// As google.rpc.Code maps to them.
int HttpStatusOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

HttpReply Json(int status, std::string body) {
  return {.status = status, .content_type = "application/json", .headers = {}, .body = std::move(body)};
}

}  // namespace

HttpReply JsonReply(const google::protobuf::Message& message, std::optional<Outcome> outcome) {
  absl::StatusOr<std::string> body = ToPublicJson(message, JsonForm::kOneLine);
  if (!body.ok()) return ErrorReply(Refuse(Reason::kInternal, "a reply has no JSON"));
  HttpReply reply = Json(200, *std::move(body));
  if (!outcome.has_value()) return reply;
  reply.headers.emplace_back("hapax-outcome", WireName(*outcome));
  if (*outcome == Outcome::kReplayed) reply.headers.emplace_back("idempotent-replayed", "true");
  return reply;
}

HttpReply ErrorReply(const absl::Status& error) {
  external::rpc::Status status = ToRpcStatus(error);
  FitRefusal(status);
  absl::StatusOr<std::string> body = ToPublicJson(status, JsonForm::kOneLine);
  if (!body.ok()) {
    // Details of a type that is not linked in.
    status.clear_details();
    body = ToPublicJson(status, JsonForm::kOneLine);
  }
  HttpReply reply = Json(HttpStatusOf(error.code()), body.ok() ? *std::move(body) : R"({"code":13})");
  reply.headers.emplace_back("hapax-retry", WireName(VerdictOf(error)));
  const std::optional<Reason> reason = ReasonOf(error);
  const absl::Duration delay = reason.has_value() ? InfoOf(*reason).retry_delay : absl::ZeroDuration();
  if (delay > absl::ZeroDuration()) {
    const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(delay, absl::Seconds(1)));
    reply.headers.emplace_back("Retry-After", absl::StrCat(std::max<int64_t>(1, seconds)));
  }
  return reply;
}

}  // namespace hapax::yandex
