#ifndef HAPAX_CLIENT_WIRE_FORK_H_
#define HAPAX_CLIENT_WIRE_FORK_H_

#include <string_view>

#include "absl/status/status.h"

namespace hapax::client {

// What fork() does to a client. A child has a copy of the parent's memory and none of its threads: locks may be held by
// nobody, and sockets are shared with the parent. So whatever has threads or sockets remembers the process it belongs
// to, and a child neither uses nor tears it down.
//
// A child made without the C library's fork() (a bare clone()) is not noticed.

// The process that made the object. A check costs one load.
//
// Thread-safety: safe.
class OwningProcess {
 public:
  OwningProcess();
  // False in a process that was forked off since.
  [[nodiscard]] bool IsThisOne() const;
  // FAILED_PRECONDITION in a process that was forked off since; `object` is what was opened, such as `connection`.
  [[nodiscard]] absl::Status Check(std::string_view object) const;

 private:
  const int generation_;
};

// FAILED_PRECONDITION where gRPC was in use when this process, or one it descends from, was forked off. Its threads are
// gone then and it cannot start them again: calls would hang beyond their deadlines. GRPC_ENABLE_FORK_SUPPORT makes no
// difference to asynchronous calls.
[[nodiscard]] absl::Status CheckGrpcSurvivedFork();

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_FORK_H_
