#include "hapax/interceptors/limits/weighing.h"

#include <cstddef>
#include <string>

namespace hapax {

void Weighing::Intercept(UnaryCall& call, Next next) {
  const size_t bytes = call.request_bytes().size();
  if (budget_.Settle(call.principal.tenant, bytes)) {
    call.OnFinish([this, bytes](UnaryCall& ended, const absl::StatusOr<std::string>&) {
      budget_.Return(ended.principal.tenant, bytes);
    });
  }
  next(call);
}

}  // namespace hapax
