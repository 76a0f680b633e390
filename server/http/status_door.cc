#include "hapax/server/http/status_door.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "prometheus/text_serializer.h"

namespace hapax {
namespace {

constexpr char kMetricsType[] = "text/plain; version=0.0.4; charset=utf-8";

HttpReply PlainReply(int status, const std::string& text) {
  return {.status = status, .content_type = "text/plain", .headers = {}, .body = absl::StrCat(text, "\n")};
}

}  // namespace

bool StatusDoor::IsFor(const HttpRequest& request) const {
  return request.path == "/metrics" || request.path == "/healthz" || request.path == "/readyz";
}

void StatusDoor::Serve(const HttpRequest& request, DoorCalls& /*calls*/, Done done) const {
  if (request.method != "GET" && request.method != "HEAD") {
    HttpReply reply = PlainReply(405, "the method must be GET or HEAD");
    reply.headers.emplace_back("Allow", "GET, HEAD");
    return std::move(done)(std::move(reply));
  }
  if (request.path == "/metrics") {
    return std::move(done)({.status = 200,
                            .content_type = kMetricsType,
                            .headers = {},
                            .body = prometheus::TextSerializer().Serialize(metrics_->Collect())});
  }
  const absl::Status status = request.path == "/readyz" ? Readiness() : absl::OkStatus();
  std::move(done)(status.ok() ? PlainReply(200, "ok") : PlainReply(503, std::string(status.message())));
}

absl::Status StatusDoor::Readiness() const {
  if (is_stopping_) return absl::UnavailableError("the server is stopping");
  return unready_();
}

}  // namespace hapax
