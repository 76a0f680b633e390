#include "hapax/client/journal/journaled_caller.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "hapax/client/call/calls_in_flight.h"
#include "hapax/client/journal/journal_writer.h"
#include "hapax/client/journal/journaled_call.h"

namespace hapax::client {
namespace {

// Whether a call begun at one destination means the same at the other. Unknown parts count as equal.
bool IsSame(const Destination& begun, const Destination& here, const JournaledCaller::ResumeOptions& options) {
  if (begun.endpoint.empty() || here.endpoint.empty()) return true;
  const bool same_endpoint =
      ShareAnEndpoint(begun.endpoint, here.endpoint) ||
      std::any_of(options.same_endpoints.begin(), options.same_endpoints.end(),
                  [&](const std::string& name) { return ShareAnEndpoint(name, begun.endpoint); });
  return same_endpoint && (begun.caller == here.caller || options.same_caller);
}

Result<std::string> RefuseElsewhere(const TokenJournal::Intent& intent, const Destination& here) {
  return {.reply = absl::FailedPreconditionError(
              absl::StrCat("not sent: the call was begun at ", Describe(intent.destination), ", and this is ",
                           Describe(here), ", where its token is another one and it would be made a second time")),
          .info = {.token = intent.call.token, .settled = false}};
}

// Whether the call belongs in a journal: it may be repeated, and will be sent.
bool IsResumable(const Caller& caller, const RawCall& call) {
  return !call.token.empty() && call.retryable && caller.CheckSendable(call).ok();
}

}  // namespace

JournaledCaller::JournaledCaller(Caller& caller, TokenJournal& journal)
    : caller_(caller),
      journal_(journal),
      writer_(std::make_unique<JournalWriter>(journal, caller.destination())),
      calls_(std::make_unique<CallsInFlight>()) {}

JournaledCaller::~JournaledCaller() {
  calls_.reset();
  // In a forked child the writer has no thread that could be joined.
  if (!process_.IsThisOne()) static_cast<void>(writer_.release());
}

CallHandle JournaledCaller::StartPrepared(absl::StatusOr<RawCall> call, const RetryPolicy& policy,
                                          absl::AnyInvocable<bool(Result<std::string>) &&> take_end) {
  if (!process_.IsThisOne()) {
    return caller_.StartPrepared(
        std::move(call), policy,
        [take_end = std::move(take_end)](Result<std::string> end) mutable { std::move(take_end)(std::move(end)); });
  }
  const bool resumable = call.ok() && IsResumable(caller_, *call);
  const auto started =
      std::make_shared<JournaledCall>(caller_, *writer_, *calls_, std::move(call), policy, std::move(take_end));
  started->Start(resumable);
  return CallHandle(started);
}

Result<std::string> JournaledCaller::CallRaw(const RawCall& call, const RetryPolicy& policy,
                                             TakeEnd<std::string> take_end) {
  if (!IsResumable(caller_, call)) {
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
