#ifndef HAPAX_SERVER_OPERATIONS_WORK_DRIVER_H_
#define HAPAX_SERVER_OPERATIONS_WORK_DRIVER_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "hapax/storage/store.h"

namespace hapax {

// Performs one kind of asynchronous work. A subject is the driver's own name for the object of the work.
//
// Thread-safety: safe.
class WorkDriver {
 public:
  using Done = absl::AnyInvocable<void(absl::Status) &&>;

  virtual ~WorkDriver() = default;

  // Does the part of the work outside the store, and calls `done` with the result, now or later, from any thread. Must
  // not block. It is called again after a crash, after a takeover by another server, and after UNAVAILABLE: so it must
  // not do a subject's work twice.
  //
  // UNAVAILABLE means "not now": the queue performs the work again until there is another result. Any other error ends
  // the work as failed.
  virtual void Perform(const std::string& subject, Done done) = 0;

  // Writes the result: OK, or the error that ended the work; never UNAVAILABLE. It may run more than once, as any
  // transaction body.
  [[nodiscard]] virtual absl::Status Complete(const std::string& subject, const absl::Status& result,
                                              Transaction& txn) = 0;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_WORK_DRIVER_H_
