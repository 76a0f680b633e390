#include "hapax/client/journal/journaled_call.h"

#include <utility>

namespace hapax::client {

JournaledCall::JournaledCall(Caller& caller, JournalWriter& writer, CallsInFlight& calls, absl::StatusOr<RawCall> call,
                             const RetryPolicy& policy, TakeEnd take_end)
    : caller_(caller),
      writer_(writer),
      calls_(calls),
      number_(calls.NewNumber()),
      policy_(policy),
      call_(std::move(call)),
      take_end_(std::move(take_end)) {}

void JournaledCall::Start(bool resumable) {
  calls_.Add(number_, shared_from_this());
  if (!resumable) return Send(std::nullopt);
  writer_.Begin(*call_, [self = shared_from_this()](absl::StatusOr<int64_t> id) { self->OnBegun(std::move(id)); });
}

void JournaledCall::Cancel() {
  CallHandle sent;
  {
    absl::MutexLock lock(&mu_);
    cancelled_ = true;
    sent = sent_;
  }
  sent.Cancel();
}

void JournaledCall::OnBegun(absl::StatusOr<int64_t> id) {
  if (!id.ok()) {
    return End(std::nullopt, {.reply = id.status(), .info = {.token = call_->token, .settled = false}});
  }
  bool cancelled = false;
  {
    absl::MutexLock lock(&mu_);
    cancelled = cancelled_;
  }
  if (!cancelled) return Send(*id);
  End(*id, {.reply = absl::CancelledError("cancelled by the caller before it was sent"),
            .info = {.token = call_->token, .settled = !call_->attempted_before}});
}

void JournaledCall::Send(std::optional<int64_t> id) {
  const CallHandle sent = caller_.StartPrepared(
      std::move(call_), policy_,
      [self = shared_from_this(), id](Result<std::string> end) { self->End(id, std::move(end)); });
  bool cancelled = false;
  {
    absl::MutexLock lock(&mu_);
    sent_ = sent;
    cancelled = cancelled_;
  }
  if (cancelled) sent.Cancel();
}

void JournaledCall::End(std::optional<int64_t> id, Result<std::string> end) {
  calls_.Conclude(number_, [&] {
    const bool settled = end.info.settled;
    TakeEnd take_end = std::move(take_end_);
    const bool taken = std::move(take_end)(std::move(end));
    if (id.has_value()) writer_.Conclude(*id, taken && settled);
  });
}

}  // namespace hapax::client
