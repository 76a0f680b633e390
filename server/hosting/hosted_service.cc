#include "hapax/server/hosting/hosted_service.h"

#include <algorithm>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/hosting/running_handlers.h"

namespace hapax {
namespace {

// Wraps the function so that its thread is marked as running the method (RunningHandler).
template <typename Result, typename... Arguments>
void NameWhileItRuns(const std::string& method, absl::AnyInvocable<Result(Arguments...) const>& function) {
  if (function == nullptr) return;
  function = [&method, function = std::move(function)](Arguments... arguments) -> Result {
    const RunningHandler running(method);
    return function(std::forward<Arguments>(arguments)...);
  };
}

}  // namespace

absl::Status HostedService::Compile(const HandlerWatch* watch) {
  watch_ = watch;
  if (compiled_count_ > 0 && compiled_count_ == methods_.size()) return absl::OkStatus();
  HAPAX_RETURN_IF_ERROR(CheckFunctions());
  for (Method& method : methods_) HAPAX_RETURN_IF_ERROR(Compile(method));
  for (int i = 0; i < descriptor_.method_count(); ++i) {
    const auto handled_by = [&](const Method& method) { return method.descriptor == descriptor_.method(i); };
    if (std::count_if(methods_.begin(), methods_.end(), handled_by) != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("method ", FullName(descriptor_.method(i)->name()), " needs exactly one handler"));
    }
  }
  for (; compiled_count_ < methods_.size(); ++compiled_count_) {
    Method& method = methods_[compiled_count_];
    NameWhileItRuns(method.name, method.read);
    NameWhileItRuns(method.name, method.mutate);
    NameWhileItRuns(method.name, method.stream);
    NameWhileItRuns(method.name, method.serve);
    NameWhileItRuns(method.name, method.prepare);
    NameWhileItRuns(method.name, method.refresh);
    NameWhileItRuns(method.name, method.canonicalize);
  }
  return absl::OkStatus();
}

absl::Status HostedService::CheckFunctions() const {
  if (!null_handlers_.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the handler for ", null_handlers_.front(), " is null; it must be a function"));
  }
  for (const auto& [name, resolver] : resolvers_) {
    if (resolver != nullptr) continue;
    return absl::InvalidArgumentError(absl::StrCat("resolver \"", name, "\" of service ", descriptor_.full_name(),
                                                   " is null; it must be a function"));
  }
  return absl::OkStatus();
}

absl::Status HostedService::Compile(Method& method) {
  using google::protobuf::MethodOptions;
  if (method.descriptor == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("a handler is given for ", method.name, ", which is not declared"));
  }
  if (method.request->GetDescriptor() != method.descriptor->input_type() ||
      method.reply->GetDescriptor() != method.descriptor->output_type()) {
    return absl::InvalidArgumentError(absl::StrCat("the handler for ", method.name, " has other message types"));
  }
  if (method.stream != nullptr) return CompileStream(method);
  if (method.read != nullptr && method.descriptor->server_streaming()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the handler for ", method.name, " is a read; a stream of replies needs a StreamingRead"));
  }
  HAPAX_ASSIGN_OR_RETURN(method.rule, Rule::Compile(*method.descriptor, resolvers_));
  method.required_role = RequiredRole(*method.descriptor);
  const bool mutates = method.descriptor->options().idempotency_level() != MethodOptions::NO_SIDE_EFFECTS;
  const bool fits = method.serve != nullptr ? !method.rule.has_value() : mutates == (method.mutate != nullptr);
  if (!fits) {
    return absl::InvalidArgumentError(absl::StrCat("the handler for ", method.name, " is a ",
                                                   method.mutate != nullptr ? "mutation" : "read",
                                                   ", which its declaration contradicts"));
  }
  if (method.prepare != nullptr && !method.rule.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("the handler for ", method.name, " prepares, which needs a rule"));
  }
  if (!method.rule.has_value() || !method.rule->replays_current_operation()) return absl::OkStatus();
  if (refresh_operation_ == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("the rule of ", method.name, " replays the current operation, but the service has no refresher; ",
                     "give it one by SetOperationRefresher, such as Operations::Refresh"));
  }
  method.refresh = [this](const CallContext& context, const ReadTransaction& txn, std::string reply) {
    return Reading("operation refresher", txn,
                   [&](const ReadTransaction& own) { return refresh_operation_(context, own, std::move(reply)); });
  };
  return absl::OkStatus();
}

absl::Status HostedService::CompileStream(Method& method) {
  const auto& options = method.descriptor->options();
  if (!method.descriptor->server_streaming() || method.descriptor->client_streaming() ||
      options.idempotency_level() != google::protobuf::MethodOptions::NO_SIDE_EFFECTS ||
      options.HasExtension(idempotency::v1::rule)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the handler for ", method.name,
        " is a streaming read: it must be declared with a stream of replies, one request, and NO_SIDE_EFFECTS"));
  }
  method.required_role = RequiredRole(*method.descriptor);
  return absl::OkStatus();
}

absl::Status CheckStore(const std::vector<const HostedService*>& services, const Store& store) {
  if (store.has_sql()) return absl::OkStatus();
  for (const HostedService* service : services) {
    for (const Method& method : service->methods()) {
      if (!method.uses_sql) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "method ", method.name, " is an SqlMutation, and this store has no SQL: it needs store=postgres"));
    }
  }
  return absl::OkStatus();
}

}  // namespace hapax
