#ifndef HAPAX_CLIENT_JOURNAL_JOURNALED_CALLER_H_
#define HAPAX_CLIENT_JOURNAL_JOURNALED_CALLER_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "hapax/client/call/caller.h"
#include "hapax/client/journal/token_journal.h"

namespace hapax::client {

// A Caller that records every call with a token before making it, so that no call is lost or doubled when the process
// dies.
//
//   JournaledCaller journaled(caller, *journal);
//   journaled.ResumePending(note_end);                              // calls that an earlier process left open
//   auto launched = journaled.Call<RunInstancesResponse>(method, request);
//
// The intent is durable before the first byte is sent. It is removed when the call is settled (CallInfo) and, if there
// is a `take_end`, that has returned true.
//
// Thread-safety: safe. Lifetime: caller and journal outlive it.
// Errors: those of Caller, and those of the journal. After an error of the journal nothing was sent, but the call is
// not settled: the intent may be in the journal, and be resumed.
class JournaledCaller {
 public:
  JournaledCaller(Caller& caller, TokenJournal& journal) : caller_(caller), journal_(journal) {}

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

  // Repeats the calls that nobody is working on, with their tokens, one at a time: those that were running when their
  // process ended, and those that were left open. `take_end` receives their ends. A call is removed when it is settled
  // and `take_end` returns true; otherwise it stays for the next time. Returns how many calls stay open.
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

  Caller& caller_;
  TokenJournal& journal_;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_JOURNAL_JOURNALED_CALLER_H_
