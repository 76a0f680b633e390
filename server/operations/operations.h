#ifndef HAPAX_SERVER_OPERATIONS_OPERATIONS_H_
#define HAPAX_SERVER_OPERATIONS_OPERATIONS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/interceptors/method.h"
#include "hapax/server/hosting/ids.h"
#include "hapax/server/operations/operation_waiters.h"
#include "hapax/storage/store.h"

namespace hapax {

// Long-running operations as rows. An operation begins in the commit of the call that starts its work, and ends in the
// commit that records the completion. It is kept for good.
//
//   table operations   key ("operation", tenant, id)   value google.longrunning.Operation
//
// Ids begin with the time, so keys are in the order of the calls.
//
// Thread-safety: safe.
// Lifetime: ids and waiters outlive it.
// Errors: those of the store.
class Operations {
 public:
  using Operation = external::longrunning::Operation;

  Operations(IdSource& ids, OperationWaiters& waiters) : ids_(ids), waiters_(waiters) {}

  // Returns a new operation of the caller, not done. Errors: those of NewIdOf.
  [[nodiscard]] absl::StatusOr<Operation> Begin(Transaction& txn, const CallContext& context,
                                                const google::protobuf::Message& metadata) const;
  // Begin, into a google.longrunning.Operation of the application's own code. INTERNAL if the reply is of another type.
  [[nodiscard]] absl::Status Begin(Transaction& txn, const CallContext& context,
                                   const google::protobuf::Message& metadata, google::protobuf::Message* reply) const;

  // These end an operation, unless it has ended before. Its waiters are notified once that is durable.
  [[nodiscard]] absl::Status Succeed(Transaction& txn, const std::string& tenant, const std::string& name,
                                     const google::protobuf::Message& response) const;
  [[nodiscard]] absl::Status Fail(Transaction& txn, const std::string& tenant, const std::string& name,
                                  const absl::Status& error) const;

  // Returns the current operation. Errors: OPERATION_NOT_FOUND.
  [[nodiscard]] static absl::StatusOr<Operation> Get(const ReadTransaction& txn, const std::string& tenant,
                                                     const std::string& name);

  // Returns the current state of a serialized operation (HostedService::SetOperationRefresher).
  [[nodiscard]] static absl::StatusOr<std::string> Refresh(const CallContext& context, const ReadTransaction& txn,
                                                           const std::string& recorded);

  // The entry in a list for an operation whose row is damaged: its name, and DATA_LOSS. It does not count as done.
  [[nodiscard]] static Operation DamagedOperation(const std::string& id);

  // The prefix of the keys of a tenant's operations.
  [[nodiscard]] static std::string KeyPrefix(std::string_view tenant);

  // The topic that waiters of the operation wait for.
  [[nodiscard]] static std::string Topic(std::string_view tenant, std::string_view name);
  // Whether waiting is over: the operation has ended, or cannot be found or read.
  [[nodiscard]] static bool HasEnded(const ReadTransaction& txn, std::string_view topic);

 private:
  [[nodiscard]] absl::Status End(Transaction& txn, const std::string& tenant, const Operation& ended) const;

  IdSource& ids_;
  OperationWaiters& waiters_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPERATIONS_OPERATIONS_H_
