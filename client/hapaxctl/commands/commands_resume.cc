#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/descriptor.h"
#include "hapax/client/call/error.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/flags/endpoint.h"
#include "hapax/client/hapaxctl/flags/flags.h"
#include "hapax/client/hapaxctl/output/output.h"
#include "hapax/client/hapaxctl/output/report.h"
#include "hapax/hapaxctl/v1/output.pb.h"
#include "hapax/proto/public_name.h"

namespace hapax::ctl {
namespace {

using client::TokenJournal;
using hapaxctl::v1::ResumedCall;

void PutReply(const client::RawCall& call, const std::string& reply, ResumedCall& resumed) {
  const auto* const method = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
      OwnName(absl::StrReplaceAll(call.method, {{"/", "."}})));
  if (method == nullptr) return;  // A newer version of this program made it.
  resumed.mutable_reply()->set_type_url(TypeUrlOf(*method->output_type()));
  resumed.mutable_reply()->set_value(reply);
}

ResumedCall ResumedCallOf(const TokenJournal::Intent& intent, const client::Result<std::string>& result) {
  ResumedCall resumed;
  resumed.set_method(intent.call.method);
  resumed.set_client_token(intent.call.token);
  const int64_t micros = absl::ToUnixMicros(intent.begun);
  resumed.mutable_begin_time()->set_seconds(micros / 1'000'000);
  resumed.mutable_begin_time()->set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1000));
  if (result.reply.ok()) {
    resumed.set_outcome(client::OutcomeName(result.info.outcome));
    PutReply(intent.call, *result.reply, resumed);
    return resumed;
  }
  if (result.info.unprotected_reply.has_value()) {
    resumed.set_outcome(client::OutcomeName(result.info.outcome));
    PutReply(intent.call, *result.info.unprotected_reply, resumed);
  } else {
    resumed.set_outcome(result.info.settled ? "refused" : "open");
  }
  resumed.mutable_error()->set_code(absl::StatusCodeToString(result.reply.status().code()));
  resumed.mutable_error()->set_reason(client::ReasonOf(result.reply.status()));
  resumed.mutable_error()->set_message(std::string(result.reply.status().message()));
  return resumed;
}

// Prints calls one by one, so that each stays in the journal until its reply is written.
class ResumedCalls {
 public:
  explicit ResumedCalls(Format format) : format_(format) {}

  [[nodiscard]] absl::Status Add(const ResumedCall& call) {
    const absl::StatusOr<std::string> text = Rendered(call, format_);
    if (!text.ok()) return text.status();
    const std::string before = format_ == Format::kJson ? (count_ == 0 ? "[\n" : ",\n") : (count_ == 0 ? "" : "\n");
    ++count_;
    return WriteToStdout(before + *text);
  }
  [[nodiscard]] bool any() const { return count_ > 0; }
  [[nodiscard]] absl::Status End() {
    if (format_ != Format::kJson) return absl::OkStatus();
    return WriteToStdout(count_ == 0 ? "[]\n" : "]\n");
  }

 private:
  const Format format_;
  int count_ = 0;
};

// A refusal settles nothing, since an attempt of the dead process may still arrive.
void SayHowToGiveUp(const client::RawCall& call) {
  Say(absl::StrCat("  to give it up for good: hapaxctl token abandon ", call.token,
                   " (with --availability-zone if it named a zone or a subnet), then resume"));
}

void SayHowToResumeHere(const TokenJournal::Intent& intent) {
  Say(absl::StrCat(
      "  to make it here all the same: --accept-endpoint ", intent.destination.endpoint,
      " when that is another name of this server, --accept-caller when the credential is another one of the "
      "same tenant"));
}

void SayEnd(const std::string& subject, const TokenJournal::Intent& intent, const client::Result<std::string>& result) {
  if (result.reply.ok()) return Say(OutcomeLine(subject, result.info));
  for (const std::string& line : ErrorLines(subject, result.reply.status())) Say(line);
  if (result.info.settled) return;
  if (result.info.attempts == 0 && absl::IsFailedPrecondition(result.reply.status())) {
    SayHowToResumeHere(intent);
  } else if (result.info.verdict == client::Verdict::kNever) {
    SayHowToGiveUp(intent.call);
  }
}

ExitCode Resume(Session& session, const client::JournaledCaller::ResumeOptions& options) {
  ResumedCalls calls(session.globals().format);
  ExitCode code = ExitCode::kDone;
  bool any_sent = false;
  const absl::StatusOr<int> left_open = session.Resume(
      [&](const TokenJournal::Intent& intent, const client::Result<std::string>& result) {
        any_sent = any_sent || result.info.attempts > 0;
        SayEnd(absl::StrCat(session.verb(), " ", intent.call.method), intent, result);
        if (result.info.unprotected_reply.has_value()) code = Worst(code, ExitCode::kTokenUsedUp);
        const absl::Status written = calls.Add(ResumedCallOf(intent, result));
        if (!written.ok()) code = session.Fail(written, ExitCode::kOpen);
        return written.ok();
      },
      options);
  if (!left_open.ok()) {
    code = session.Fail(left_open.status(), calls.any() ? ExitCode::kOpen : ExitCode::kUsage);
    if (!calls.any()) return code;
  }
  if (const absl::Status written = calls.End(); !written.ok()) code = session.Fail(written, ExitCode::kOpen);
  if (!left_open.ok() || *left_open == 0) return code;
  Say(absl::StrCat(session.verb(), ": ", *left_open, " left open"));
  // If nothing was sent, running the same line again does not help.
  return any_sent || code == ExitCode::kOpen ? ExitCode::kOpen : ExitCode::kUsage;
}

}  // namespace

Action BindResume(CLI::App& verb) {
  const auto options = std::make_shared<client::JournaledCaller::ResumeOptions>();
  AddValues(
      verb, "--accept-endpoint", "HOST:PORT[,...]",
      [options](const std::vector<std::string>& endpoints) {
        options->same_endpoints = endpoints;
        for (const std::string& endpoint : endpoints) {
          if (absl::Status status = CheckEndpoints(endpoint); !status.ok()) return status;
        }
        return absl::OkStatus();
      },
      "Other names of the server, at which calls were begun; without it those calls are left open");
  verb.add_flag("--accept-caller", options->same_caller,
                "Make the calls that the same tenant began with another credential, too");
  return [options](Session& session) { return Resume(session, *options); };
}

}  // namespace hapax::ctl
