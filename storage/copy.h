#ifndef HAPAX_STORAGE_COPY_H_
#define HAPAX_STORAGE_COPY_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "hapax/storage/store.h"

// Moves the rows of one store to another, of any engine, while no server runs on either. A token is replayed afterwards
// as before, and open work goes on.
//
//   table meta   key ("copy")   value hapax.store.v1.CopyRow, in both stores
//
//   source:   serves --begin--> source --verified--> moved: serves never again
//   target:   empty  --begin--> target --verified--> serves
//
// So at no moment can servers start on both, where a token could be executed twice. An interrupted copy goes on
// where it stood, and one that was finished is told so again. Not copied: what a store records about itself (the
// format, the log's id), and leases of servers.
namespace hapax {

struct CopyOptions {
  // The stores as the operator names them, for errors and for the rows.
  std::string from;
  std::string to;
  // Waits for leases to run out.
  std::function<void(absl::Duration)> sleep = absl::SleepFor;
};

struct CopyProgress {
  enum class Step { kCopy, kVerify };
  Step step = Step::kCopy;
  int64_t rows = 0;  // Of this step, over all tables; those of an earlier, interrupted run included.
};

// Copies all rows, compares them one by one, and lets servers start on the target alone. Returns how many rows there
// are. `report` runs after each page. Blocks; if the source has leases of servers, as long as the longest of them.
// Errors: FAILED_PRECONDITION, a server runs on the source; it was moved elsewhere; the target has other rows.
// RESOURCE_EXHAUSTED, a row is larger than the target takes. DATA_LOSS, the rows differ after the copy. Otherwise those
// of the stores. After an error, the same call goes on.
[[nodiscard]] absl::StatusOr<int64_t> CopyStore(Store& from, Store& to, const CopyOptions& options,
                                                absl::FunctionRef<void(const CopyProgress&)> report);

// Lets servers start on the source of an unfinished copy again. No server will ever start on its target, and the copy
// cannot go on.
// Errors: FAILED_PRECONDITION, the store is not the source of an unfinished copy. Those of the store.
[[nodiscard]] absl::Status CancelCopy(Store& from);

// Whether a server may start on the store. Errors: FAILED_PRECONDITION, it has a CopyRow. Those of the store.
[[nodiscard]] absl::Status CheckIsNotCopied(Store& store);

}  // namespace hapax

#endif  // HAPAX_STORAGE_COPY_H_
