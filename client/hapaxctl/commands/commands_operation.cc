#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hapax/client/hapaxctl/commands/calls.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/commands/operation_wait.h"
#include "hapax/client/hapaxctl/flags/flags.h"
#include "hapax/external/longrunning/operations.pb.h"

namespace hapax::ctl {
namespace {

using external::longrunning::GetOperationRequest;
using external::longrunning::ListOperationsRequest;
using external::longrunning::Operation;

// The name `operations/X`, or only X.
void AddName(CLI::App& app, std::string& target) {
  const auto take = [&target](const std::string& text) {
    target = absl::StartsWith(text, "operations/") ? text : absl::StrCat("operations/", text);
    return text.empty() ? absl::InvalidArgumentError("must not be empty") : absl::OkStatus();
  };
  AddValue(app, "NAME", "", take, "Such as operations/op-...")->required();
}

}  // namespace

Action BindOperationGet(CLI::App& verb) {
  return Asking<GetOperationRequest>(
      verb, [](CLI::App& app, GetOperationRequest& request) { AddName(app, *request.mutable_name()); });
}

Action BindOperationList(CLI::App& verb) {
  return Listing<ListOperationsRequest>(verb, [](CLI::App& app, ListOperationsRequest& request) {
    const auto set_filter = [&request](const std::string& text) { request.set_filter(absl::StrCat("done = ", text)); };
    AddChoice(app, "--done", {"true", "false"}, set_filter, "Only those that are done, or are not");
  });
}

Action BindOperationWait(CLI::App& verb) {
  const auto operation = std::make_shared<Operation>();
  AddName(verb, *operation->mutable_name());
  return [operation](Session& session) {
    const ExitCode code = WaitUntilDone(session, *operation);
    // An operation that was never read has nothing to print.
    return operation->has_metadata() ? Worst(code, session.Print(*operation)) : code;
  };
}

}  // namespace hapax::ctl
