#include "hapax/client/wire/failover_connection.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"

namespace hapax::client {
namespace {

constexpr char kVerdict[] = "hapax-retry";

bool HasVerdict(const AttemptEnd& end) {
  return std::any_of(end.metadata.begin(), end.metadata.end(),
                     [](const auto& entry) { return entry.first == kVerdict; });
}

}  // namespace

FailoverConnection::FailoverConnection(std::vector<std::shared_ptr<EndpointConnection>> endpoints,
                                       std::vector<size_t> order, Now now)
    : now_(std::move(now)), health_(std::move(order)), endpoints_(std::move(endpoints)) {
  destination_.caller = endpoints_.front()->destination().caller;
  destination_.endpoint = absl::StrJoin(
      endpoints_, ",", [](std::string* out, const auto& endpoint) { *out += endpoint->destination().endpoint; });
}

std::string FailoverConnection::endpoint_name(size_t endpoint) const {
  return endpoints_[endpoint]->destination().endpoint;
}

size_t FailoverConnection::ChooseEndpoint(absl::Span<const size_t> avoided) {
  return health_.Choose(avoided, now_(), [this](size_t endpoint) { return endpoints_[endpoint]->IsConnected(); });
}

Connection::Cancel FailoverConnection::Start(Attempt attempt, Done done) {
  const size_t endpoint = attempt.endpoint;
  return endpoints_[endpoint]->Start(std::move(attempt),
                                     [this, endpoint, done = std::move(done)](AttemptEnd end) mutable {
                                       NoteEnd(endpoint, end);
                                       std::move(done)(std::move(end));
                                     });
}

void FailoverConnection::NoteEnd(size_t endpoint, const AttemptEnd& end) {
  if (!end.sent) return;
  const absl::StatusCode code = end.status.code();
  if (code == absl::StatusCode::kUnavailable) {
    health_.OnFailure(endpoint, now_());
  } else if (end.status.ok() || HasVerdict(end)) {
    health_.OnAnswer(endpoint);
  } else if (code == absl::StatusCode::kDeadlineExceeded || code == absl::StatusCode::kCancelled) {
    health_.OnSilence(endpoint, now_());
  }
}

}  // namespace hapax::client
