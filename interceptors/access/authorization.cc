#include "hapax/interceptors/access/authorization.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "hapax/interceptors/client_token.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {
namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::Status Denied(const UnaryCall& call) {
  if (call.method().rule.has_value()) {
    if (const absl::StatusOr<std::string> token = ClientTokenOf(call); !token.ok()) return token.status();
  }
  return Refuse(Reason::kPermissionDenied,
                absl::StrCat(call.method().name, " takes role ", View(NameOf(call.method().required_role)),
                             "; this principal has role ", View(NameOf(call.principal.role))));
}

}  // namespace

void Authorization::Intercept(UnaryCall& call, Next next) {
  if (call.principal.role < call.method().required_role) return call.Finish(Denied(call));
  next(call);
}

}  // namespace hapax
