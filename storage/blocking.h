#ifndef HAPAX_STORAGE_BLOCKING_H_
#define HAPAX_STORAGE_BLOCKING_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "hapax/storage/store.h"

namespace hapax {

// Transactions that are waited for: at start-up, and on threads of their own. Never on an event thread, and never
// within a transaction. Return what `done` is told.

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
