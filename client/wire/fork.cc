#include "hapax/client/wire/fork.h"

#include <pthread.h>

#include <atomic>

#include "absl/strings/str_cat.h"
#include "grpc/grpc.h"

namespace hapax::client {
namespace {

std::atomic<int> generation = 0;
// Whether gRPC was in use at the fork of this process or of an ancestor.
std::atomic<bool> grpc_was_in_use = false;
// Whether gRPC is in use at the current fork. Only the forking thread reads it.
thread_local bool grpc_is_in_use = false;

// Registered before main(), so that a fork before the first connection is detected, too.
[[maybe_unused]] const int registered = pthread_atfork(
    /*prepare=*/[] { grpc_is_in_use = grpc_is_initialized() != 0; },
    /*parent=*/nullptr,
    /*child=*/
    [] {
      ++generation;
      if (grpc_is_in_use) grpc_was_in_use = true;
    });

}  // namespace

OwningProcess::OwningProcess() : generation_(generation) {}

bool OwningProcess::IsThisOne() const { return generation.load(std::memory_order_relaxed) == generation_; }

absl::Status OwningProcess::Check(std::string_view object) const {
  if (IsThisOne()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("this ", absl::string_view(object.data(), object.size()),
                   " was opened before fork() and belongs to the parent process; a child opens its own"));
}

absl::Status CheckGrpcSurvivedFork() {
  if (!grpc_was_in_use) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "gRPC was in use when this process was forked off, and does not work in the child: fork before the first "
      "connection is opened, or start a new program (exec)");
}

}  // namespace hapax::client
