#include "hapax/client/hapaxctl/commands/operation_wait.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "hapax/client/hapaxctl/output/report.h"
#include "hapax/compute/v1/compute.pb.h"

namespace hapax::ctl {
namespace {

using external::longrunning::Operation;

// How long each request asks the server to wait, less with progress on a terminal; and how long its answer may take.
constexpr absl::Duration kRound = absl::Seconds(5);
constexpr absl::Duration kRoundWithProgress = absl::Seconds(1);
constexpr absl::Duration kPatience = absl::Seconds(5);
// The pause after a request without an answer.
constexpr absl::Duration kPause = absl::Milliseconds(500);

// A line on the terminal that is rewritten in place; nothing if stderr is not a terminal.
class Progress {
 public:
  explicit Progress(Session& session) : session_(session), begun_(absl::Now()) {}
  ~Progress() {
    if (shown_) std::fputs("\r\x1b[K", stderr);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  [[nodiscard]] bool is_on() const { return on_; }

  void Show(const Operation& operation, const Answer& answer) {
    if (!on_) return;
    compute::v1::InstanceOperationMetadata metadata;
    operation.metadata().UnpackTo(&metadata);
    const std::string state = answer.status.ok() ? StateOf(metadata.instance_id()) : "the server does not answer";
    const absl::Duration elapsed = absl::Trunc(absl::Now() - begun_, absl::Seconds(1));
    std::fprintf(stderr, "\r%s  %s  %s\x1b[K", absl::FormatDuration(elapsed).c_str(), metadata.instance_id().c_str(),
                 state.c_str());
    std::fflush(stderr);
    shown_ = true;
  }

 private:
  std::string StateOf(const std::string& instance_id) {
    compute::v1::DescribeInstancesRequest request;
    request.add_instance_ids(instance_id);
    const Answer answer = session_.Call(request, kPatience);
    if (!answer.status.ok()) return "?";
    const auto& reply = static_cast<const compute::v1::DescribeInstancesResponse&>(*answer.reply);
    if (reply.instances().empty()) return "?";
    const std::string name = compute::v1::InstanceState_Name(reply.instances(0).state());
    return absl::StrReplaceAll(absl::AsciiStrToLower(absl::StripPrefix(name, "INSTANCE_STATE_")), {{"_", "-"}});
  }

  Session& session_;
  const absl::Time begun_;
  const bool on_ = isatty(STDERR_FILENO) != 0;
  bool shown_ = false;
};

external::longrunning::WaitOperationRequest RoundOf(const std::string& name, absl::Duration round) {
  external::longrunning::WaitOperationRequest request;
  request.set_name(name);
  request.mutable_timeout()->set_seconds(absl::ToInt64Seconds(round));
  request.mutable_timeout()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(round % absl::Seconds(1))));
  return request;
}

}  // namespace

ExitCode WaitUntilDone(Session& session, Operation& operation) {
  const std::string subject = absl::StrCat(session.verb(), " ", operation.name());
  {
    Progress progress(session);
    while (!operation.done()) {
      const absl::Duration left = session.TimeLeft();
      if (left <= absl::ZeroDuration()) break;
      const absl::Duration round = std::min(progress.is_on() ? kRoundWithProgress : kRound, left);
      const Answer answer = session.Call(RoundOf(operation.name(), round), round + kPatience);
      if (answer.status.ok()) {
        operation = static_cast<const Operation&>(*answer.reply);
      } else if (answer.code() != ExitCode::kNotNow) {
        return session.ReportEnd(subject, answer);
      } else {
        absl::SleepFor(std::min(kPause, left));
      }
      progress.Show(operation, answer);
    }
  }
  if (!operation.done()) {
    Say(absl::StrCat(subject, ": not done within ", absl::FormatDuration(session.globals().retry.timeout)));
    return ExitCode::kNotNow;
  }
  if (!operation.has_error()) return ExitCode::kDone;
  Say(absl::StrCat(subject, ": failed: ", operation.error().message()));
  return ExitCode::kRefused;
}

}  // namespace hapax::ctl
