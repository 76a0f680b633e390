#ifndef HAPAX_CLIENT_JOURNAL_JOURNALED_CALLER_H_
#define HAPAX_CLIENT_JOURNAL_JOURNALED_CALLER_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "hapax/client/call/caller.h"
#include "hapax/client/journal/token_journal.h"
#include "hapax/client/wire/fork.h"

namespace hapax::client {

class CallsInFlight;
class JournalWriter;

// A Caller that writes every call with a token down before it makes it, so that no call is lost or doubled when the
// process dies.
//
//   JournaledCaller journaled(caller, *journal);
//   journaled.ResumePending(note_end);                              // calls that an earlier process left open
//   auto launched = journaled.Call<RunInstancesResponse>(method, request);
//
// The intent is durable before the first byte is sent. It is removed when the call is settled (CallInfo) and, if there
// is a `take_end`, that has returned true.
//
// Start is for many calls on few threads: intents are written by a thread of the object, many with one sync, and no
// thread of gRPC's waits for the disk.
//
// Thread-safety: safe. Lifetime: caller and journal outlive it. When it goes, it cancels the calls that were started,
// and returns when their callbacks have and the journal has what became of them.
// Errors: as Caller; besides, the journal's, and nothing was sent. Then the call is not settled: the intent may be in
// the journal all the same, and be resumed.
class JournaledCaller {
 public:
  JournaledCaller(Caller& caller, TokenJournal& journal);
  ~JournaledCaller();
  JournaledCaller(const JournaledCaller&) = delete;
  JournaledCaller& operator=(const JournaledCaller&) = delete;

  // Receives a call's reply or error. Returning false keeps the call in the journal, to be resumed later.
  template <typename Reply>
  using TakeEnd = absl::FunctionRef<bool(const Result<Reply>&)>;

  // Like Caller::Call. Without `take_end`, a process that dies after the reply came, but before it used the reply,
  // finds nothing in the journal. `take_end` is called before the intent is removed, so after a crash it may be called
  // again for the same call.
  template <typename Reply>
  [[nodiscard]] Result<Reply> Call(const google::protobuf::MethodDescriptor& method,
                                   const google::protobuf::Message& request, const CallOptions& options = {}) {
    return Call<Reply>(method, request, options, [](const Result<Reply>&) { return true; });
  }
  template <typename Reply>
  [[nodiscard]] Result<Reply> Call(const google::protobuf::MethodDescriptor& method,
                                   const google::protobuf::Message& request, const CallOptions& options,
                                   TakeEnd<Reply> take_end) {
    const absl::StatusOr<RawCall> raw = caller_.Prepare(method, request, options, Reply::descriptor());
    if (!raw.ok()) return {.reply = raw.status(), .info = {.settled = true}};
    std::optional<Result<Reply>> parsed;
    Result<std::string> end =
        CallRaw(*raw, options.retry.value_or(caller_.retry_policy()), [&](const Result<std::string>& its_end) {
          parsed = ParseReply<Reply>(its_end);
          return take_end(*parsed) && parsed->info.settled;
        });
    if (parsed.has_value()) return *std::move(parsed);
    return {.reply = end.reply.status(), .info = std::move(end.info)};
  }
  [[nodiscard]] Result<std::string> CallRaw(const RawCall& call, const RetryPolicy& policy,
                                            TakeEnd<std::string> take_end);

  // As Caller::Start, once the intent is durable. `take_end` is called once, as with Call before the intent is taken
  // out, and on a thread that it must not block; also with an error of the journal's, when what it returns is of no
  // account.
  template <typename Reply>
  CallHandle Start(const google::protobuf::MethodDescriptor& method, const google::protobuf::Message& request,
                   const CallOptions& options, absl::AnyInvocable<bool(Result<Reply>) &&> take_end) {
    return StartPrepared(caller_.Prepare(method, request, options, Reply::descriptor()),
                         options.retry.value_or(caller_.retry_policy()),
                         [take_end = std::move(take_end)](Result<std::string> end) mutable {
                           Result<Reply> parsed = ParseReply<Reply>(std::move(end));
                           const bool settled = parsed.info.settled;
                           return std::move(take_end)(std::move(parsed)) && settled;
                         });
  }
  CallHandle StartRaw(RawCall call, const RetryPolicy& policy,
                      absl::AnyInvocable<bool(Result<std::string>) &&> take_end) {
    return StartPrepared(std::move(call), policy, std::move(take_end));
  }
  CallHandle StartPrepared(absl::StatusOr<RawCall> call, const RetryPolicy& policy,
                           absl::AnyInvocable<bool(Result<std::string>) &&> take_end);

  // Makes the calls that nobody is at work on again, with their tokens, one at a time, and hands over how they end:
  // those that were under way when their process ended, and those that were left open. A call is taken out when it is
  // settled and `take_end` returns true; else it is there for the next time. A refusal does not settle it: an attempt
  // of the process that is gone may still be on its way. It is refused again until its token has expired, or was
  // abandoned (AbandonToken). Returns how many calls are left open.
  //
  // A refusal does not settle a call, since an attempt of the dead process may still arrive. The call is refused again
  // until its token has expired or was abandoned (AbandonToken).
  //
  // A call is only repeated at its own destination: elsewhere its token is another one, and it would have a second
  // effect. For another destination nothing is sent; the end is FAILED_PRECONDITION, naming both, and the call stays.
  // The options tell which destinations are the same under another name.
  using TakeResumedEnd = absl::FunctionRef<bool(const TokenJournal::Intent&, const Result<std::string>&)>;
  struct ResumeOptions {
    std::vector<std::string> same_endpoints;  // Earlier HOST:PORTs of this server.
    bool same_caller = false;  // The caller is the same tenant as the call's, for example after a change of the key.
  };
  [[nodiscard]] absl::StatusOr<int> ResumePending(TakeResumedEnd take_end, const ResumeOptions& options);
  [[nodiscard]] absl::StatusOr<int> ResumePending(TakeResumedEnd take_end) {
    return ResumePending(take_end, ResumeOptions());
  }

 private:
  // Returns whether the call is out of the journal.
  bool CompleteOrLeaveOpen(int64_t id, bool taken);

  const OwningProcess process_;
  Caller& caller_;
  TokenJournal& journal_;
  std::unique_ptr<JournalWriter> writer_;
  std::unique_ptr<CallsInFlight> calls_;  // Goes first.
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_JOURNAL_JOURNALED_CALLER_H_
