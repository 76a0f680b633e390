#include "hapax/client/journal/journaled_caller.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hapax::client {
namespace {

// Whether a call begun at the one destination means the same at the other. Unknown parts count as the same.
bool IsSame(const Destination& begun, const Destination& here, const JournaledCaller::ResumeOptions& options) {
  if (begun.endpoint.empty() || here.endpoint.empty()) return true;
  const bool same_endpoint =
      begun.endpoint == here.endpoint ||
      std::any_of(options.same_endpoints.begin(), options.same_endpoints.end(),
                  [&](const std::string& name) { return absl::EqualsIgnoreCase(name, begun.endpoint); });
  return same_endpoint && (begun.caller == here.caller || options.same_caller);
}

Result<std::string> RefuseElsewhere(const TokenJournal::Intent& intent, const Destination& here) {
  return {.reply = absl::FailedPreconditionError(
              absl::StrCat("not sent: the call was begun at ", Describe(intent.destination), ", and this is ",
                           Describe(here), ", where its token is another one and it would be made a second time")),
          .info = {.token = intent.call.token, .settled = false}};
}

}  // namespace

Result<std::string> JournaledCaller::CallRaw(const RawCall& call, const RetryPolicy& policy,
                                             TakeEnd<std::string> take_end) {
  // A call that may not be repeated is of no use in a journal.
  const bool resumable = !call.token.empty() && call.retryable;
  if (!resumable) {
    Result<std::string> result = caller_.CallRaw(call, policy);
    take_end(result);
    return result;
  }
  const absl::StatusOr<int64_t> id = journal_.Begin(call, caller_.destination());
  if (!id.ok()) return {.reply = id.status(), .info = {.token = call.token, .settled = false}};
  Result<std::string> result = caller_.CallRaw(call, policy);
  CompleteOrLeaveOpen(*id, take_end(result) && result.info.settled);
  return result;
}

absl::StatusOr<int> JournaledCaller::ResumePending(TakeResumedEnd take_end, const ResumeOptions& options) {
  const absl::StatusOr<std::vector<TokenJournal::Intent>> intents = journal_.TakeOver();
  if (!intents.ok()) return intents.status();
  const Destination here = caller_.destination();
  int left_open = 0;
  for (const TokenJournal::Intent& intent : *intents) {
    const Result<std::string> result =
        IsSame(intent.destination, here, options) ? caller_.CallRaw(intent.call) : RefuseElsewhere(intent, here);
    if (!CompleteOrLeaveOpen(intent.id, take_end(intent, result) && result.info.settled)) ++left_open;
  }
  return left_open;
}

bool JournaledCaller::CompleteOrLeaveOpen(int64_t id, bool taken) {
  // A call that cannot be removed is resumed later and replayed, which is harmless.
  if (taken && journal_.Complete(id).ok()) return true;
  journal_.LeaveOpen(id);
  return false;
}

}  // namespace hapax::client
