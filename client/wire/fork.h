#ifndef HAPAX_CLIENT_WIRE_FORK_H_
#define HAPAX_CLIENT_WIRE_FORK_H_

#include <string_view>

#include "absl/status/status.h"

namespace hapax::client {

// fork() in a process with a client: the child has a copy of the parent's memory, but none of its threads. Locks may be
// held by threads that do not exist, and sockets are shared with the parent. So each object with threads or sockets
// remembers its process. A child neither uses nor tears down such an object.
//
// A child made without the C library's fork() (a bare clone()) is not detected.

// Remembers the process that created the object. A check costs one load.
//
// Thread-safety: safe.
class OwningProcess {
 public:
  OwningProcess();
  // Returns false in a process that was forked since.
  [[nodiscard]] bool IsThisOne() const;
  // FAILED_PRECONDITION in a process that was forked since. `object` names the opened object, such as `connection`.
  [[nodiscard]] absl::Status Check(std::string_view object) const;

 private:
  const int generation_;
};

// FAILED_PRECONDITION if gRPC was in use when this process or an ancestor was forked. In the child gRPC's threads are
// gone and it cannot restart them, so calls would hang beyond their deadlines. GRPC_ENABLE_FORK_SUPPORT makes no
// difference to asynchronous calls.
[[nodiscard]] absl::Status CheckGrpcSurvivedFork();

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_FORK_H_
