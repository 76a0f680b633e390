#ifndef HAPAX_TESTING_REPEAT_H_
#define HAPAX_TESTING_REPEAT_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "hapax/storage/store.h"
#include "hapax/testing/counted_ids.h"

namespace hapax {

// Runs a body twice, to check that it is repeatable. An engine may run a body more than once, and only the last run
// counts (store.h). Both runs begin with the same rows. The effects of the first run are dropped.
//
// The runs must agree in
//   - the status they return
//   - the rows they put and delete, byte by byte, except for the order of map entries in a protobuf row
//   - the work they schedule, by kind and subject, in any order
//   - the number of hooks they register for the commit
//
// This detects a body that reads a clock or random bits, counts in a static or captured variable, or keeps state of an
// earlier run. In the first run a ManualClock is some 26 hours ahead. So it also detects a body that reads this clock
// instead of CallContext::now. Ids cause no difference: in the second run a CountedIds repeats the ids of the first.
//
// Two faults are not detected. One leaves no trace in the above, such as a counter for metrics. The other reads a
// system clock to the second, unless the second changes between the runs.

struct RepeatedRun {
  absl::Status status;                    // The status of the second run.
  std::optional<std::string> difference;  // The first difference of the runs; nullopt if they agree.
};

// Runs `body` twice with drafts of `txn`. `run` is 1 or 2. If the second run returns OK, its writes and hooks go to
// `txn`. `ids` may be null. In differences, keys of table services are shown without a leading `table_prefix`.
using RepeatableBody = absl::FunctionRef<absl::Status(Transaction& txn, int run)>;
[[nodiscard]] RepeatedRun RunTwice(Transaction& txn, CountedIds* ids, RepeatableBody body,
                                   std::string_view table_prefix = "");

// Runs the body twice in one transaction of the store, in the table of `service` (its full name). Waits for the commit.
// Errors: those of the body and the store. INTERNAL, naming the difference: the runs do not agree, and nothing is
// committed.
[[nodiscard]] absl::Status ExecuteTwice(Store& store, std::string_view service,
                                        absl::FunctionRef<absl::Status(Transaction&)> body, CountedIds* ids = nullptr);

}  // namespace hapax

#endif  // HAPAX_TESTING_REPEAT_H_
