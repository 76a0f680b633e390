#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/client/call/client_token.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/commands/operation_wait.h"
#include "hapax/client/hapaxctl/flags/flags.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/external/longrunning/operations.pb.h"

namespace hapax::ctl {
namespace {

using external::longrunning::ListOperationsResponse;
using external::longrunning::Operation;

struct PowerFlags {
  Texts instance_ids;
  std::string token;
  bool wait = false;
};

// The API starts and stops one instance per call. With several instances, each call has a token derived from the common
// token and the instance. So the same command line repeats nothing, even if it was interrupted.
template <typename Request>
ExitCode SetPower(Session& session, const PowerFlags& flags) {
  const absl::StatusOr<std::string> token = session.DecideToken(flags.token);
  if (!token.ok()) return session.Fail(token.status());
  ExitCode code = ExitCode::kDone;
  ListOperationsResponse result;
  for (const std::string& id : flags.instance_ids) {
    Request request;
    request.set_instance_id(id);
    request.set_client_token(flags.instance_ids.size() == 1 ? *token : client::ChildToken(*token, id));
    const Answer answer = session.Call(request);
    code = Worst(code, session.ReportEnd(absl::StrCat(session.verb(), " ", id), answer));
    if (answer.status.ok()) *result.add_operations() = static_cast<const Operation&>(*answer.reply);
  }
  for (Operation& operation : *result.mutable_operations()) {
    if (flags.wait) code = Worst(code, WaitUntilDone(session, operation));
  }
  // Prints the completed calls even if another one failed.
  return result.operations().empty() ? code : Worst(code, session.Print(result));
}

template <typename Request>
Action BindPower(CLI::App& verb) {
  const auto flags = std::make_shared<PowerFlags>();
  AddTexts(verb, "--instance-ids", flags->instance_ids, "Instances; each gets an operation")->required();
  verb.add_flag("--wait", flags->wait, "Return when the operations are done");
  AddClientToken(verb, flags->token);
  return [flags](Session& session) { return SetPower<Request>(session, *flags); };
}

}  // namespace

Action BindStartInstances(CLI::App& verb) { return BindPower<compute::v1::StartInstanceRequest>(verb); }
Action BindStopInstances(CLI::App& verb) { return BindPower<compute::v1::StopInstanceRequest>(verb); }

}  // namespace hapax::ctl
