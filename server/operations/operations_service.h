#ifndef HAPAX_SERVER_OPERATIONS_OPERATIONS_SERVICE_H_
#define HAPAX_SERVER_OPERATIONS_OPERATIONS_SERVICE_H_

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/operations/operation_waiters.h"
#include "hapax/storage/store.h"

namespace hapax {

// Returns the latest time to answer a WaitOperation that arrives at `now`. That is the end of its timeout, but before
// the deadline of the call, so that the answer arrives in time. Infinite without either. INVALID_PARAMETER: a negative
// timeout.
[[nodiscard]] absl::StatusOr<absl::Time> AnswerBy(const external::longrunning::WaitOperationRequest& request,
                                                  absl::Time deadline, absl::Time now);

// The handlers of google.longrunning.Operations, for the tenant's own operations.
//
// Thread-safety: safe.
// Lifetime: store and waiters outlive it. Close waiters with a check before the store is closed.
class OperationsService {
 public:
  // Every `check_interval` one query reads all operations with waiters, so these also see operations that another
  // server ends. Infinite if no other server can.
  OperationsService(Store& store, OperationWaiters& waiters, absl::Duration check_interval);

  // Returns the service to host. This object outlives it.
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
