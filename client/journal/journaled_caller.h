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

// A Caller that records each call with a token in a journal before it makes the call. So no call is lost or doubled
// when the process dies.
//
//   JournaledCaller journaled(caller, *journal);
//   journaled.ResumePending(note_end);                              // calls that an earlier process left open
//   auto launched = journaled.Call<RunInstancesResponse>(method, request);
//
// The intent is durable before the first byte is sent. It is removed when the call is settled (CallInfo) and
// `take_end`, if given, has returned true.
//
// Start suits many calls on few threads. The object's own thread writes the intents, many with one sync, so no gRPC
// thread waits for the disk.
//
// Thread-safety: safe. Lifetime: caller and journal outlive it. Its destructor cancels the started calls. It returns
// when their callbacks have, and the journal contains their ends.
// Errors: those of Caller, and those of the journal. After an error of the journal nothing was sent, but the call is
// not settled: its intent may be in the journal, and be resumed.
class JournaledCaller {
 public:
  JournaledCaller(Caller& caller, TokenJournal& journal);
  ~JournaledCaller();
  JournaledCaller(const JournaledCaller&) = delete;
  JournaledCaller& operator=(const JournaledCaller&) = delete;

  // Receives a call's reply or error. Returning false keeps the call in the journal, to be resumed later.
  template <typename Reply>
  using TakeEnd = absl::FunctionRef<bool(const Result<Reply>&)>;

  // Like Caller::Call. `take_end` is called before the intent is removed, so after a crash it may be called again for
  // the same call. Without `take_end`, a process that dies after the reply came, but before using it, finds nothing in
  // the journal.
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

  // Like Caller::Start, but sends nothing until the intent is durable. `take_end` is called once, before the intent is
  // removed, and must not block its thread. It also receives an error of the journal; its result is then ignored.
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

  // Repeats the calls that no process is working on, with their tokens, one at a time. Passes the end of each to
  // `take_end`. These are the calls of processes that died, and those that were left open. A call is removed when it is
  // settled and `take_end` returns true. Returns how many calls are left open.
  //
  // A refusal does not settle a call, since an attempt of the dead process may still arrive. The call is refused again
  // until its token has expired or was abandoned (AbandonToken).
  //
  // A call is repeated only at its own destination. At another its token is a different one, and the call would make a
  // second effect. So for another destination nothing is sent, and the call stays in the journal. It ends with
  // FAILED_PRECONDITION, naming both destinations. The options tell which destinations are the same under another name.
  // With several endpoints, a destination is the same as another if they have an endpoint in common.
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
  // Returns whether the call was removed from the journal.
  bool CompleteOrLeaveOpen(int64_t id, bool taken);

  const OwningProcess process_;
  Caller& caller_;
  TokenJournal& journal_;
  std::unique_ptr<JournalWriter> writer_;
  std::unique_ptr<CallsInFlight> calls_;  // Destroyed first.
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_JOURNAL_JOURNALED_CALLER_H_
