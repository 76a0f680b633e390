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

// The end of a call.
struct Answer {
  absl::Status status;
  // Set with OK, and for a call that was executed unprotected (CallInfo).
  std::shared_ptr<const google::protobuf::Message> reply;
  client::CallInfo info;
  bool changes = false;  // Whether the method changes something.

  [[nodiscard]] ExitCode code() const { return ExitCodeOf(status, info, changes); }
};

// One run of the program: a verb, its connection, its time. The connection and the journal are opened on first use.
//
// Thread-safety: none.
class Session {
 public:
  Session(Globals globals, std::string verb, std::vector<std::string> command_line);

  [[nodiscard]] const Globals& globals() const { return globals_; }
  // For example `run-instances`; the prefix of each line about the call.
  [[nodiscard]] const std::string& verb() const { return verb_; }
  // The rest of --timeout.
  [[nodiscard]] absl::Duration TimeLeft() const;

  // Returns the token of the verb's effect: from the verb's own flag, or --x-client-token, or a new one. A new token is
  // reported before anything is sent. Errors: INVALID_ARGUMENT, the two flags disagree.
  [[nodiscard]] absl::StatusOr<std::string> DecideToken(const std::string& own);

  // Calls the method that takes this request, for at most the rest of --timeout. Uses --region unless the request has a
  // region, and the journal if there is one and the call has a token. Blocks.
  [[nodiscard]] Answer Call(const google::protobuf::Message& request,
                            absl::Duration at_most = absl::InfiniteDuration());
  // The same, but passes the answer to `take`, once. If `take` returns false, the call stays in the journal.
  using Take = absl::FunctionRef<bool(const Answer&)>;
  void CallAndHandOver(const google::protobuf::Message& request, absl::Duration at_most, Take take);

  // Reports how the call ended, if its method changes something or it failed; returns the exit code.
  ExitCode ReportEnd(const std::string& subject, const Answer& answer);
  // Reports a local error.
  ExitCode Fail(const absl::Status& status, ExitCode code = ExitCode::kUsage);
  // Writes a result to stdout. If that fails, the reply counts as lost: kOpen.
  ExitCode Print(const google::protobuf::Message& result);
  // Prints the command line to run again, for a code where that helps.
  void AdviseRerun(ExitCode code) const;

  // Resumes the calls that an earlier process left open (TokenJournal). Errors: INVALID_ARGUMENT, there is no
  // --journal; those of the journal.
  [[nodiscard]] absl::StatusOr<int> Resume(client::JournaledCaller::TakeResumedEnd take_end,
                                           const client::JournaledCaller::ResumeOptions& options);

 private:
  // A call ready to be made. Errors: why it cannot be made.
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

// The method that takes this request; no two methods of a service take the same.
[[nodiscard]] const google::protobuf::MethodDescriptor& MethodTaking(const google::protobuf::Descriptor& request);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_COMMANDS_SESSION_H_
