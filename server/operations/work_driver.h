#ifndef HAPAX_SERVER_OPERATIONS_WORK_DRIVER_H_
#define HAPAX_SERVER_OPERATIONS_WORK_DRIVER_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "hapax/storage/store.h"

namespace hapax {

// Performs one kind of asynchronous work. A subject is the driver's own name for the object of the work.
//
// A driver that throws has failed, and so has a completion that returns an error: the work is tried again, and parked
// after WorkQueue::Options::max_failures. What became of the effect is not known then.
//
// Thread-safety: safe.
class WorkDriver {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  virtual ~WorkDriver() = default;

  // Does the part of the work that lies outside the store, and calls `done` with the result, now or later, from any
  // thread. Must not block. It is called again for work that a crash interrupted, that another server took over, that
  // was UNAVAILABLE or that failed: so it must not do the work twice for a subject.
  //
  // UNAVAILABLE means not now: the queue performs the work again until the result is another one. Any other error ends
  // the work as failed. Only the first call of `done` counts. Work whose `done` is never called runs until the server
  // ends.
  virtual void Perform(const std::string& subject, Done done) = 0;

  // Writes down the result: OK, or the error that ended the work; never UNAVAILABLE. It may be run again, as every body
  // of a transaction. An error leaves nothing of it.
  [[nodiscard]] virtual absl::Status Complete(const std::string& subject, const absl::Status& result,
                                              Transaction& txn) = 0;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_WORK_DRIVER_H_
