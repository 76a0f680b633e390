#ifndef HAPAX_TESTS_INTERCEPTORS_STORE_HOLD_H_
#define HAPAX_TESTS_INTERCEPTORS_STORE_HOLD_H_

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "hapax/storage/store.h"

namespace hapax {

// Keeps the store busy with a transaction of its own, so that others wait; queries do not.
//
//   StoreHold hold(*store_);
//   chain_.Run(call);  // Looks its token up, and waits to be executed.
//   hold.Release();
//
// Thread-safety: for one thread.
class StoreHold {
 public:
  // Returns when the transaction runs.
  explicit StoreHold(Store& store) {
    store.Execute(
        [this](Transaction&) {
          running_.Notify();
          released_.WaitForNotification();
          return absl::OkStatus();
        },
        [this](const absl::Status& status) {
          EXPECT_TRUE(status.ok()) << status;
          ended_.Notify();
        });
    running_.WaitForNotification();
  }
  ~StoreHold() {
    if (!released_.HasBeenNotified()) Release();
    ended_.WaitForNotification();
  }
  StoreHold(const StoreHold&) = delete;
  StoreHold& operator=(const StoreHold&) = delete;

  // Lets those that wait go on. At most once.
  void Release() { released_.Notify(); }

 private:
  absl::Notification running_;
  absl::Notification released_;
  absl::Notification ended_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_INTERCEPTORS_STORE_HOLD_H_
