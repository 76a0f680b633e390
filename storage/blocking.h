#ifndef HAPAX_STORAGE_BLOCKING_H_
#define HAPAX_STORAGE_BLOCKING_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "hapax/storage/store.h"

namespace hapax {

// Runs a transaction and waits for it; returns the status that `done` gets. For start-up and for threads that may
// block: never on an event thread, and never within a transaction.

[[nodiscard]] inline absl::Status ExecuteAndWait(Store& store, Store::Body body) {
  absl::Status status;
  absl::Notification done;
  store.Execute(std::move(body), [&](absl::Status told) {
    status = std::move(told);
    done.Notify();
  });
  done.WaitForNotification();
  return status;
}

[[nodiscard]] inline absl::Status QueryAndWait(Store& store, Store::ReadBody body) {
  absl::Status status;
  absl::Notification done;
  store.Query(std::move(body), [&](absl::Status told) {
    status = std::move(told);
    done.Notify();
  });
  done.WaitForNotification();
  return status;
}

}  // namespace hapax

#endif  // HAPAX_STORAGE_BLOCKING_H_
