#include "hapax/client/hapaxctl/commands/session.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "google/protobuf/descriptor.pb.h"
#include "hapax/client/call/timing.h"
#include "hapax/client/hapaxctl/output/output.h"
#include "hapax/client/hapaxctl/output/report.h"

namespace hapax::ctl {
namespace {

using google::protobuf::Message;

// A copy of the request with this region, unless it has one or needs none.
std::unique_ptr<Message> InRegion(const Message& request, const std::string& region) {
  std::unique_ptr<Message> copy(request.New());
  copy->CopyFrom(request);
  const auto* const field = copy->GetDescriptor()->FindFieldByName("region");
  const auto* const access = copy->GetReflection();
  if (field != nullptr && access->GetString(*copy, field).empty()) access->SetString(copy.get(), field, region);
  return copy;
}

Answer AnswerOf(const google::protobuf::MethodDescriptor& method, const client::Result<std::string>& end) {
  Answer answer{.status = end.reply.status(), .info = end.info};
  answer.changes = method.options().idempotency_level() != google::protobuf::MethodOptions::NO_SIDE_EFFECTS;
  if (!end.reply.ok() && !end.info.unprotected_reply.has_value()) return answer;
  std::unique_ptr<Message> reply(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(method.output_type())->New());
  if (!reply->ParseFromString(end.reply.ok() ? *end.reply : *end.info.unprotected_reply)) {
    answer.status = absl::InternalError("the reply cannot be parsed");
    answer.info.settled = false;
  }
  answer.reply = std::move(reply);
  return answer;
}

}  // namespace

const google::protobuf::MethodDescriptor& MethodTaking(const google::protobuf::Descriptor& request) {
  for (int s = 0; s < request.file()->service_count(); ++s) {
    const auto* const service = request.file()->service(s);
    for (int m = 0; m < service->method_count(); ++m) {
      if (service->method(m)->input_type() == &request) return *service->method(m);
    }
  }
  std::abort();  // Callers pass only requests.
}

Session::Session(Globals globals, std::string verb, std::vector<std::string> command_line)
    : globals_(std::move(globals)),
      verb_(std::move(verb)),
      command_line_(std::move(command_line)),
      deadline_(absl::Now() + globals_.retry.timeout) {}

absl::Duration Session::TimeLeft() const { return deadline_ - absl::Now(); }

absl::StatusOr<std::string> Session::DecideToken(const std::string& own) {
  const std::string& other = globals_.x_client_token;
  if (!own.empty() && !other.empty() && own != other) {
    return absl::InvalidArgumentError("--client-token and --x-client-token are different tokens");
  }
  token_ = own.empty() ? other : own;
  if (!token_.empty()) return token_;
  if (absl::Status status = Connect(); !status.ok()) return status;
  token_ = client::SystemTiming().NewToken();
  Say(absl::StrCat(verb_, ": client token ", token_, " (new; to run this again, add --client-token ", token_, ")"));
  return token_;
}

absl::Status Session::Connect() {
  if (caller_.has_value()) return absl::OkStatus();
  const absl::StatusOr<client::ConnectionOptions> options = ConnectionOptionsOf(globals_);
  if (!options.ok()) return options.status();
  absl::StatusOr<std::shared_ptr<client::Connection>> connection = client::Connect(*options);
  if (!connection.ok()) return connection.status();
  caller_.emplace(*std::move(connection), client::Caller::Options{.retry = globals_.retry});
  return absl::OkStatus();
}

absl::Status Session::OpenJournal() {
  if (journal_ != nullptr) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<client::TokenJournal>> journal = client::TokenJournal::Open(globals_.journal);
  if (!journal.ok()) return journal.status();
  journal_ = *std::move(journal);
  return absl::OkStatus();
}

absl::StatusOr<Session::ReadyCall> Session::Prepare(const google::protobuf::MethodDescriptor& method,
                                                    const Message& request, absl::Duration at_most) {
  client::RetryPolicy policy = globals_.retry;
  policy.timeout = std::min(TimeLeft(), at_most);
  if (policy.timeout <= absl::ZeroDuration()) {
    return absl::DeadlineExceededError("not sent: the time of --timeout is over");
  }
  if (absl::Status status = Connect(); !status.ok()) return status;
  absl::StatusOr<client::RawCall> raw = caller_->Prepare(method, *InRegion(request, globals_.region));
  if (!raw.ok()) return raw.status();
  const bool journaled = !globals_.journal.empty() && !raw->token.empty();
  if (absl::Status status = journaled ? OpenJournal() : absl::OkStatus(); !status.ok()) return status;
  return ReadyCall{.raw = *std::move(raw), .policy = policy};
}

void Session::CallAndHandOver(const Message& request, absl::Duration at_most, Take take) {
  const auto& method = MethodTaking(*request.GetDescriptor());
  const absl::StatusOr<ReadyCall> ready = Prepare(method, request, at_most);
  if (!ready.ok()) {
    take(AnswerOf(method, {.reply = ready.status(), .info = {.settled = true}}));
    return;
  }
  if (journal_ == nullptr) {
    take(AnswerOf(method, caller_->CallRaw(ready->raw, ready->policy)));
    return;
  }
  bool taken = false;
  const client::Result<std::string> end =
      client::JournaledCaller(*caller_, *journal_).CallRaw(ready->raw, ready->policy, [&](const auto& its_end) {
        taken = true;
        return take(AnswerOf(method, its_end));
      });
  // An error of the journal itself.
  if (!taken) take(AnswerOf(method, end));
}

Answer Session::Call(const Message& request, absl::Duration at_most) {
  Answer answer;
  CallAndHandOver(request, at_most, [&answer](const Answer& its_answer) {
    answer = its_answer;
    return true;
  });
  return answer;
}

ExitCode Session::ReportEnd(const std::string& subject, const Answer& answer) {
  if (!answer.status.ok()) {
    for (const std::string& line : ErrorLines(subject, answer.status)) Say(line);
  } else if (answer.changes) {
    Say(OutcomeLine(subject, answer.info));
  }
  return answer.code();
}

ExitCode Session::Fail(const absl::Status& status, ExitCode code) {
  Say(absl::StrCat(verb_, ": ", status.message()));
  return code;
}

ExitCode Session::Print(const Message& result) {
  const absl::StatusOr<std::string> text = globals_.query.has_value()
                                               ? RenderedByQuery(result, *globals_.query, globals_.format)
                                               : Rendered(result, globals_.format);
  absl::Status status = text.status();
  if (text.ok()) status = WriteToStdout(*text);
  return status.ok() ? ExitCode::kDone : Fail(status, ExitCode::kOpen);
}

void Session::AdviseRerun(ExitCode code) const {
  const bool helps = code == ExitCode::kOpen || (code == ExitCode::kNotNow && !token_.empty());
  if (helps) Say(absl::StrCat("to run it again: ", RerunLine(command_line_, token_)));
}

absl::StatusOr<int> Session::Resume(client::JournaledCaller::TakeResumedEnd take_end,
                                    const client::JournaledCaller::ResumeOptions& options) {
  if (globals_.journal.empty()) return absl::InvalidArgumentError("--journal (or HAPAX_JOURNAL) says which file");
  if (absl::Status status = Connect(); !status.ok()) return status;
  if (absl::Status status = OpenJournal(); !status.ok()) return status;
  return client::JournaledCaller(*caller_, *journal_).ResumePending(take_end, options);
}

}  // namespace hapax::ctl
