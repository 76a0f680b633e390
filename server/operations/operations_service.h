#ifndef HAPAX_SERVER_OPERATIONS_OPERATIONS_SERVICE_H_
#define HAPAX_SERVER_OPERATIONS_OPERATIONS_SERVICE_H_

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/operations/operation_waiters.h"
#include "hapax/storage/store.h"

namespace hapax {

// The handlers of google.longrunning.Operations, for the tenant's own operations.
//
// Thread-safety: safe.
// Lifetime: store and waiters outlive it; waiters that check are closed before the store's end.
class OperationsService {
 public:
  // Every `check_interval` the operations that are waited for are read, all in one query: so those who wait also learn
  // of operations that another server ends. Infinite where no other server can.
  OperationsService(Store& store, OperationWaiters& waiters, absl::Duration check_interval);

  // The service, to be hosted. This outlives it.
  [[nodiscard]] std::unique_ptr<HostedService> Host() const;

 private:
  struct Waiting;
  using WaitingPtr = std::shared_ptr<Waiting>;

  void Wait(UnaryCall& call, const external::longrunning::WaitOperationRequest& request) const;
  void Park(const WaitingPtr& waiting) const;
  void Answer(const WaitingPtr& waiting) const;
  void Read(const WaitingPtr& waiting, absl::AnyInvocable<void(absl::Status) &&> then) const;

  Store& store_;
  OperationWaiters& waiters_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_OPERATIONS_SERVICE_H_
