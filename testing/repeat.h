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

// Running a body twice, to show that it is repeatable: an engine may run a body more than once, and only the last run
// counts (store.h). Both runs begin with the same rows. What the first one did is dropped.
//
// The runs must agree in
//   - the status they return
//   - the rows they put and delete, byte by byte; of maps in a protobuf row the order of the entries makes no
//   difference
//   - the work they schedule, by kind and subject in any order
//   - how many hooks they leave for the commit
//
// So a body is found that reads a clock or random bits, counts in a static or captured variable, or keeps what an
// earlier run left. The first run reads a ManualClock some 26 hours ahead, so that a body that takes the time from
// there and not from CallContext::now is found, too. Ids are no difference: in the second run a CountedIds gives those
// of the first again.
//
// Not found: what leaves no trace in all that, such as a count for metrics; and a clock of the system's that is read to
// the second, unless the second turns between the runs.

struct RepeatedRun {
  absl::Status status;                    // Of the second run.
  std::optional<std::string> difference;  // What the runs do not agree in; nullopt: they agree.
};

// Runs `body` twice with drafts of `txn`; the number of the run is 1 or 2. `txn` gets what the second run did, if that
// returned OK. `ids` may be null. Differences show keys of table services without `table_prefix`, where they begin so.
using RepeatableBody = absl::FunctionRef<absl::Status(Transaction& txn, int run)>;
[[nodiscard]] RepeatedRun RunTwice(Transaction& txn, CountedIds* ids, RepeatableBody body,
                                   std::string_view table_prefix = "");

// Runs the body twice in one transaction of the store, in the table of `service`, its full name, and waits for the
// commit. Errors: the body's, the store's; INTERNAL, nothing is committed because the runs do not agree, and in what.
[[nodiscard]] absl::Status ExecuteTwice(Store& store, std::string_view service,
                                        absl::FunctionRef<absl::Status(Transaction&)> body, CountedIds* ids = nullptr);

}  // namespace hapax

#endif  // HAPAX_TESTING_REPEAT_H_
