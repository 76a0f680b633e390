#include "hapax/interceptors/given_up.h"

#include "hapax/interceptors/refusal.h"

namespace hapax {

absl::Status RefuseIfGivenUp(const UnaryCall& call, absl::Time now) {
  if (call.IsCancelled()) return Refuse(Reason::kCancelled, "the client cancelled before execution started");
  if (now > call.deadline()) return Refuse(Reason::kDeadlineExceeded, "the deadline passed before execution started");
  return absl::OkStatus();
}

}  // namespace hapax
