#ifndef HAPAX_SERVER_OPERATIONS_WORK_DRIVER_H_
#define HAPAX_SERVER_OPERATIONS_WORK_DRIVER_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "hapax/storage/store.h"

namespace hapax {

// Performs one kind of asynchronous work. A subject is the driver's own name for the object of the work.
//
// If a driver throws, or a completion returns an error, the work has failed. It is tried again, and parked after
// WorkQueue::Options::max_failures. Whether its effect was made is then unknown.
//
// Thread-safety: safe.
class WorkDriver {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  virtual ~WorkDriver() = default;

  // Does the part of the work outside the store, and calls `done` with the result, now or later, on any thread. Must
  // not block. It is called again for work that a crash interrupted, that another server took over, that was
  // UNAVAILABLE, or that failed. So it must not do the work twice for a subject.
  //
  // UNAVAILABLE means not now: the queue performs the work again until the result is another one. Any other error ends
  // the work as failed. Only the first call of `done` counts. Work whose `done` is never called runs until the server
  // ends. Once the server is stopped, `done` has no effect, even after the server is destroyed; the next start performs
  // the work again.
  virtual void Perform(const std::string& subject, Done done) = 0;

  // Records the result in the transaction: OK, or the error that ended the work, which is never UNAVAILABLE. It may run
  // again, like any body of a transaction. If it returns an error, nothing of it is kept.
  [[nodiscard]] virtual absl::Status Complete(const std::string& subject, const absl::Status& result,
                                              Transaction& txn) = 0;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_WORK_DRIVER_H_
