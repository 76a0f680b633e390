#ifndef HAPAX_CLIENT_HAPAXCTL_COMMANDS_SESSION_H_
#define HAPAX_CLIENT_HAPAXCTL_COMMANDS_SESSION_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "hapax/client/call/caller.h"
#include "hapax/client/hapaxctl/flags/globals.h"
#include "hapax/client/hapaxctl/output/exit_code.h"
#include "hapax/client/journal/journaled_caller.h"
#include "hapax/client/journal/token_journal.h"

namespace hapax::ctl {

// How one call ended.
struct Answer {
  absl::Status status;
  // With OK, and of a call that was executed unprotected (CallInfo).
  std::shared_ptr<const google::protobuf::Message> reply;
  client::CallInfo info;
  bool changes = false;  // Whether the method changes something.

  [[nodiscard]] ExitCode code() const { return ExitCodeOf(status, info, changes); }
};

// One run of the program: a verb, its connection, its time. The connection and the journal are opened when they are
// first needed.
//
// Thread-safety: none.
class Session {
 public:
  Session(Globals globals, std::string verb, std::vector<std::string> command_line);

  [[nodiscard]] const Globals& globals() const { return globals_; }
  // Such as `run-instances`; begins every line about the call.
  [[nodiscard]] const std::string& verb() const { return verb_; }
  // What is left of --timeout.
  [[nodiscard]] absl::Duration TimeLeft() const;

  // The token of the verb's effect: of the verb's own flag, or of --x-client-token, or a new one, which is said before
  // anything is sent. INVALID_ARGUMENT when the two disagree.
  [[nodiscard]] absl::StatusOr<std::string> DecideToken(const std::string& own);

  // Calls the method that takes this request, in --region unless the request has one, for at most as long as is left;
  // through the journal when there is one and the call has a token. Blocks.
  [[nodiscard]] Answer Call(const google::protobuf::Message& request,
                            absl::Duration at_most = absl::InfiniteDuration());
  // Calls likewise, and hands the answer over, once. When `take` returns false, the call stays in the journal.
  using Take = absl::FunctionRef<bool(const Answer&)>;
  void CallAndHandOver(const google::protobuf::Message& request, absl::Duration at_most, Take take);

  // Says how the call ended, for a method that changes something or an error; returns its code.
  ExitCode Conclude(const std::string& subject, const Answer& answer);
  // Says what went wrong here.
  ExitCode Fail(const absl::Status& status, ExitCode code = ExitCode::kUsage);
  // Writes a result to stdout. A reply that cannot be written is as good as lost: kOpen.
  ExitCode Print(const google::protobuf::Message& result);
  // Says what to run, when the code is one for which it helps.
  void AdviseRerun(ExitCode code) const;

  // What an earlier process left open (TokenJournal). Errors: INVALID_ARGUMENT without --journal; the journal's.
  [[nodiscard]] absl::StatusOr<int> Resume(client::JournaledCaller::TakeResumedEnd take_end,
                                           const client::JournaledCaller::ResumeOptions& options);

 private:
  // A call that has not been made yet. Errors: it cannot be, and why.
  struct ReadyCall {
    client::RawCall raw;
    client::RetryPolicy policy;
  };
  [[nodiscard]] absl::StatusOr<ReadyCall> Prepare(const google::protobuf::MethodDescriptor& method,
                                                  const google::protobuf::Message& request, absl::Duration at_most);
  [[nodiscard]] absl::Status Connect();
  [[nodiscard]] absl::Status OpenJournal();

  const Globals globals_;
  const std::string verb_;
  const std::vector<std::string> command_line_;
  const absl::Time deadline_;
  std::string token_;
  std::optional<client::Caller> caller_;
  std::unique_ptr<client::TokenJournal> journal_;
};

// The method of a service that takes this request, each of which takes one of its own.
[[nodiscard]] const google::protobuf::MethodDescriptor& MethodTaking(const google::protobuf::Descriptor& request);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_COMMANDS_SESSION_H_
