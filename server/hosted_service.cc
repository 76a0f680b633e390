#include "hapax/server/hosted_service.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "hapax/storage/status_macros.h"

namespace hapax {

absl::Status HostedService::Compile() {
  for (Method& method : methods_) {
    if (method.descriptor == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("a handler is given for ", method.name, ", which is not declared"));
    }
    if (method.request->GetDescriptor() != method.descriptor->input_type() ||
        method.reply->GetDescriptor() != method.descriptor->output_type()) {
      return absl::InvalidArgumentError(absl::StrCat("the handler for ", method.name, " has other message types"));
    }
    HAPAX_ASSIGN_OR_RETURN(method.rule, Rule::Compile(*method.descriptor, resolvers_));
    if (method.rule.has_value() != (method.mutate != nullptr)) {
      return absl::InvalidArgumentError(absl::StrCat("the handler for ", method.name, " is a ",
                                                     method.mutate != nullptr ? "mutation" : "read",
                                                     ", which its declaration contradicts"));
    }
  }
  for (int i = 0; i < descriptor_.method_count(); ++i) {
    const auto handled_by = [&](const Method& method) { return method.descriptor == descriptor_.method(i); };
    if (std::count_if(methods_.begin(), methods_.end(), handled_by) != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("method ", descriptor_.method(i)->full_name(), " needs exactly one handler"));
    }
  }
  return absl::OkStatus();
}

}  // namespace hapax
