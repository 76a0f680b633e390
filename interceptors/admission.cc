#include "hapax/interceptors/admission.h"

#include <utility>

namespace hapax {

void Admission::Intercept(UnaryCall& call, Next next) {
  if (absl::Status status = gate_.TryEnter(); !status.ok()) return call.Finish(std::move(status));
  call.OnFinish([this](UnaryCall&, const absl::StatusOr<std::string>&) { gate_.Leave(); });
  next(call);
}

}  // namespace hapax
