#include "hapax/server/doors/openstack/replies.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "hapax/base/random_name.h"
#include "hapax/interceptors/reason.h"
#include "hapax/interceptors/refusal.h"

namespace hapax::openstack {
namespace {

// The name of the object in an error's body.
std::string_view ErrorName(int status) {
  switch (status) {
    case 400:
      return "badRequest";
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "itemNotFound";
    case 405:
      return "badMethod";
    case 409:
      return "conflictingRequest";
    case 413:
    case 429:
      return "overLimit";
    case 503:
      return "serviceUnavailable";
    default:
      return "computeFault";
  }
}

int StatusOfCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kUnimplemented:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
      return 503;
    default:
      return 500;
  }
}

int HttpStatusOf(const absl::Status& error) {
  switch (ReasonOf(error).value_or(Reason::kInternal)) {
    case Reason::kIdempotentParameterMismatch:
      return 409;
    case Reason::kImageNotFound:
    case Reason::kSubnetNotFound:
    case Reason::kKeypairNotFound:
      // Named in the body of a request; callers set 404 where the path names it.
      return 400;
    case Reason::kQuotaExceeded:
      return 403;
    case Reason::kInsufficientInstanceCapacity:
      return 503;
    default:
      return StatusOfCode(error.code());
  }
}

struct Renaming {
  std::string_view ours;
  std::string_view theirs;
};
constexpr auto kRenamings = std::to_array<Renaming>({{"image_id", "imageRef"},
                                                     {"instance_type", "flavorRef"},
                                                     {"placement.availability_zone", "availability_zone"},
                                                     {"subnet_id", "networks"},
                                                     {"tags", "metadata"},
                                                     {"x-tenant-id", "project"}});

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

// A message begins with the field that it is about, except that a mismatch names all fields that differ, and no values.
std::string Translated(const absl::Status& error) {
  std::string message(error.message());
  const bool is_mismatch = ReasonOf(error) == Reason::kIdempotentParameterMismatch;
  for (const auto& [ours, theirs] : kRenamings) {
    if (is_mismatch) {
      message = absl::StrReplaceAll(message, {{View(ours), View(theirs)}});
    } else if (message.starts_with(ours) && message.find_first_of(":[ ", ours.size()) == ours.size()) {
      message = std::string(theirs) + message.substr(ours.size());
      break;
    }
  }
  return message;
}

HttpReply ErrorReply(int status, std::string_view message, RetryVerdict verdict) {
  HttpReply reply = JsonReply(
      status, JsonObject().Object(ErrorName(status), JsonObject().Number("code", status).Text("message", message)));
  reply.headers.emplace_back("hapax-retry", WireName(verdict));
  return reply;
}

}  // namespace

HttpReply EmptyReply(int status) {
  HttpReply reply{.status = status, .content_type = "", .headers = {}, .body = ""};
  std::string id = absl::BytesToHexString(RandomName());
  for (const size_t at : {8, 13, 18, 23}) id.insert(at, "-");
  reply.headers.emplace_back("x-openstack-request-id", "req-" + id);
  reply.headers.emplace_back("x-compute-request-id", "req-" + id);
  reply.headers.emplace_back("OpenStack-API-Version", "compute " + std::string(kMicroversion));
  reply.headers.emplace_back("X-OpenStack-Nova-API-Version", kMicroversion);
  reply.headers.emplace_back("Vary", "OpenStack-API-Version, X-OpenStack-Nova-API-Version");
  return reply;
}

HttpReply JsonReply(int status, const JsonObject& body) {
  HttpReply reply = EmptyReply(status);
  reply.content_type = "application/json";
  reply.body = body.ToText();
  return reply;
}

HttpReply ErrorReply(int status, std::string_view message) {
  return ErrorReply(status, message, status < 500 ? RetryVerdict::kNever : RetryVerdict::kSameToken);
}

HttpReply ErrorReply(const absl::Status& error) {
  const int status = HttpStatusOf(error);
  HttpReply reply = ErrorReply(status, Translated(error), VerdictOf(error));
  if (status == 429 || status == 503) {
    const std::optional<Reason> reason = ReasonOf(error);
    const absl::Duration delay = reason.has_value() ? InfoOf(*reason).retry_delay : absl::ZeroDuration();
    reply.headers.emplace_back(
        "Retry-After", absl::StrCat(std::max<int64_t>(1, absl::ToInt64Seconds(absl::Ceil(delay, absl::Seconds(1))))));
  }
  return reply;
}

}  // namespace hapax::openstack
