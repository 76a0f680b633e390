#ifndef HAPAX_SERVER_CLOCK_AGREEMENT_H_
#define HAPAX_SERVER_CLOCK_AGREEMENT_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hapax/server/operations/work_queue.h"

namespace hapax {

// Compares the wall clock with those of the other servers that run on the store (clock_skew.h). For the start of a
// server, before it writes any time. Waits only if clocks seem to differ: until each of their servers has renewed its
// lease, or turns out not to run. That takes no longer than a lease. `interval`: between two looks at the leases.
//
// Errors: FAILED_PRECONDITION, an OptionError of max_clock_skew: the clock surely differs from those of more than half
// of the other servers by more than `max_skew`. With two servers one difference suffices; of three, the odd one is
// refused. Those of the store.
[[nodiscard]] absl::Status AgreeOnTime(WorkQueue& work, absl::Duration max_skew,
                                       absl::Duration interval = absl::Milliseconds(250));

}  // namespace hapax

#endif  // HAPAX_SERVER_CLOCK_AGREEMENT_H_
