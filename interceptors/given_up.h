#ifndef HAPAX_INTERCEPTORS_GIVEN_UP_H_
#define HAPAX_INTERCEPTORS_GIVEN_UP_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hapax/interceptors/call.h"

namespace hapax {

// CANCELLED or DEADLINE_EXCEEDED when the client no longer waits. Checked right before execution starts (C19).
[[nodiscard]] absl::Status RefuseIfGivenUp(const UnaryCall& call, absl::Time now);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_GIVEN_UP_H_
