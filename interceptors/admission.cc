#include "hapax/interceptors/admission.h"

#include "absl/time/time.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {
namespace {

constexpr absl::Duration kRetryDelay = absl::Milliseconds(200);

}  // namespace

void Admission::Intercept(UnaryCall& call, Next next) {
  call.OnFinish([this](UnaryCall&, const absl::StatusOr<std::string>&) { --in_flight_; });
  if (++in_flight_ > max_in_flight_) {
    call.Finish(RefuseOverloaded("too many calls are in flight", kRetryDelay));
    return;
  }
  next(call);
}

}  // namespace hapax
