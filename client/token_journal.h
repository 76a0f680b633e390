#ifndef HAPAX_CLIENT_TOKEN_JOURNAL_H_
#define HAPAX_CLIENT_TOKEN_JOURNAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/client/caller.h"

namespace hapax::client {

// A file that remembers which calls were about to be made, so that a client that died can find out what became of them,
// and finish them: with the same tokens, so nothing is done twice.
//
//   auto journal = TokenJournal::Open("jobs.journal");
//   JournaledCaller journaled(caller, **journal);
//   journaled.ResumePending(hand_over);                       // what an earlier process left open
//   auto launched = journaled.Call<RunInstancesResponse>(method, request);
//
// The intent (method, request, token) is durable before the first byte is sent, and is taken out when the call is
// settled. Replies are never written. The file is an SQLite database, so a torn write leaves it as it was before; space
// of intents that are taken out is used again. Beside it stands FILE-owners, whose locks tell which intents belong to a
// process that still lives; keep both on a local file system.
//
// Thread-safety: safe. Several processes may use one file at a time.
// Errors: UNAVAILABLE, the file cannot be read or written just now; PERMISSION_DENIED, it may not be; DATA_LOSS, it is
// damaged, or not a journal; FAILED_PRECONDITION, it is of a newer version.
class TokenJournal {
 public:
  struct Intent {
    int64_t id = 0;
    absl::Time begun;
    RawCall call;
  };

  // Opens the journal, and creates it (mode 0600) when it does not exist.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<TokenJournal>> Open(const std::string& path);
  virtual ~TokenJournal() = default;

  // Writes down that the call is about to be made; durable when it returns. Returns the intent's id.
  [[nodiscard]] virtual absl::StatusOr<int64_t> Begin(const RawCall& call) = 0;
  // Takes the intent out. One that is not there any more is fine.
  [[nodiscard]] virtual absl::Status Complete(int64_t id) = 0;
  // The intents whose process is gone, oldest first. They belong to this journal from now on.
  [[nodiscard]] virtual absl::StatusOr<std::vector<Intent>> TakeOver() = 0;
};

// A Caller that writes every call with a token down before it makes it.
//
// Thread-safety: safe. Lifetime: caller and journal outlive it.
class JournaledCaller {
 public:
  JournaledCaller(Caller& caller, TokenJournal& journal) : caller_(caller), journal_(journal) {}

  // As Caller::Call. Errors, besides: the journal's, before anything is sent. A call whose outcome is open when it ends
  // (CallInfo::settled) stays in the journal.
  template <typename Reply>
  [[nodiscard]] Result<Reply> Call(const google::protobuf::MethodDescriptor& method,
                                   const google::protobuf::Message& request, const CallOptions& options = {}) {
    const absl::StatusOr<RawCall> raw = caller_.Prepare(method, request, options);
    if (!raw.ok()) return {.reply = raw.status(), .info = {}};
    return ParseReply<Reply>(CallRaw(*raw, options.retry.value_or(caller_.retry_policy())));
  }
  [[nodiscard]] Result<std::string> CallRaw(const RawCall& call, const RetryPolicy& policy);

  // What was left open by processes that are gone, one at a time: the call is made again with its token, and its end is
  // handed over, a reply or an error. When `hand_over` returns true, and the call is settled, it is taken out; else it
  // is there for the next time. Returns how many are left open.
  using HandOver = absl::FunctionRef<bool(const TokenJournal::Intent&, const Result<std::string>&)>;
  [[nodiscard]] absl::StatusOr<int> ResumePending(HandOver hand_over);

 private:
  Caller& caller_;
  TokenJournal& journal_;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_TOKEN_JOURNAL_H_
