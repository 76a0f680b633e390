#include "hapax/server/grpc/stranger_watch.h"

#include "absl/time/time.h"
#include "grpc/support/alloc.h"

namespace hapax {
namespace {

constexpr absl::Duration kInterval = absl::Milliseconds(2);

}  // namespace

StrangerWatch::StrangerWatch(const Listener& listener) : listener_(listener), thread_([this] { Run(); }) {}

StrangerWatch::~StrangerWatch() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  thread_.join();
}

void StrangerWatch::Add(grpc_call* call) {
  char* const peer = grpc_call_get_peer(call);
  const std::optional<int> connection = listener_.ConnectionOf(peer);
  gpr_free(peer);
  if (!connection.has_value()) return;
  const uint64_t received = BytesReceived(*connection);
  absl::MutexLock lock(&mu_);
  awaited_[call] = {.connection = *connection, .received_before = received};
}

void StrangerWatch::Remove(grpc_call* call) {
  absl::MutexLock lock(&mu_);
  awaited_.erase(call);
}

void StrangerWatch::Run() {
  const auto some = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stopping_ || !awaited_.empty(); };
  absl::MutexLock lock(&mu_);
  while (true) {
    mu_.Await(absl::Condition(&some));
    if (mu_.AwaitWithTimeout(absl::Condition(&stopping_), kInterval)) return;
    EndTooLong();
  }
}

// Requires the lock, so that no ended call is destroyed meanwhile.
void StrangerWatch::EndTooLong() {
  for (const auto& [call, awaited] : awaited_) {
    if (BytesReceived(awaited.connection) <= awaited.received_before + kMaxBytes) continue;
    grpc_call_cancel_with_status(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "the message is longer than any question",
                                 nullptr);
  }
}

}  // namespace hapax
