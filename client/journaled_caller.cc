#include "hapax/client/journaled_caller.h"

#include <vector>

namespace hapax::client {

Result<std::string> JournaledCaller::CallRaw(const RawCall& call, const RetryPolicy& policy,
                                             TakeEnd<std::string> take_end) {
  // What may not be attempted again is of no use in a journal.
  const bool resumable = !call.token.empty() && call.retryable;
  if (!resumable) {
    Result<std::string> result = caller_.CallRaw(call, policy);
    take_end(result);
    return result;
  }
  const absl::StatusOr<int64_t> id = journal_.Begin(call);
  if (!id.ok()) return {.reply = id.status(), .info = {.token = call.token, .settled = false}};
  Result<std::string> result = caller_.CallRaw(call, policy);
  Conclude(*id, take_end(result) && result.info.settled);
  return result;
}

absl::StatusOr<int> JournaledCaller::ResumePending(TakeResumedEnd take_end) {
  const absl::StatusOr<std::vector<TokenJournal::Intent>> intents = journal_.TakeOver();
  if (!intents.ok()) return intents.status();
  int left_open = 0;
  for (const TokenJournal::Intent& intent : *intents) {
    const Result<std::string> result = caller_.CallRaw(intent.call);
    if (!Conclude(intent.id, take_end(intent, result) && result.info.settled)) ++left_open;
  }
  return left_open;
}

bool JournaledCaller::Conclude(int64_t id, bool taken) {
  // What cannot be taken out is resumed some day, and replayed: that does no harm.
  if (taken && journal_.Complete(id).ok()) return true;
  journal_.LeaveOpen(id);
  return false;
}

}  // namespace hapax::client
