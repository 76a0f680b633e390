#include "hapax/interceptors/resolution.h"

#include "hapax/base/status_macros.h"
#include "hapax/interceptors/client_token.h"

namespace hapax {

void Resolution::Intercept(UnaryCall& call, Next next) {
  if (absl::Status status = Resolve(call); !status.ok()) return call.Finish(std::move(status));
  next(call);
}

absl::Status Resolution::Resolve(UnaryCall& call) const {
  CallContext& context = call.context;
  context.tenant = call.principal.tenant;
  context.role = call.principal.role;
  context.call = &call;
  context.now = clock_.Now();
  context.page_token_key = options_.page_token_key;
  if (!call.method().rule.has_value()) return absl::OkStatus();
  HAPAX_ASSIGN_OR_RETURN(context.client_token, ClientTokenOf(call));
  HAPAX_ASSIGN_OR_RETURN(context.place, call.method().rule->ResolvePlace(*call.request, options_.default_region));
  return absl::OkStatus();
}

}  // namespace hapax
