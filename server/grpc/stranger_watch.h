#ifndef HAPAX_SERVER_GRPC_STRANGER_WATCH_H_
#define HAPAX_SERVER_GRPC_STRANGER_WATCH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "grpc/grpc.h"
#include "hapax/server/grpc/listener.h"

namespace hapax {

// Ends calls of unknown callers, such as Health's, whose message is longer than a question can be.
//
// gRPC 1.51 stores an incomplete message, however long, and does not reveal how much it has stored. So while such
// messages are awaited, a thread checks every few milliseconds how many bytes their connections have received
// meanwhile. A call whose connection has received more than `kMaxBytes` is cancelled with RESOURCE_EXHAUSTED.
//
// Thread-safety: safe.
// Lifetime: the listener outlives it. Remove each call before it is destroyed.
class StrangerWatch {
 public:
  // More than any question, since other calls of the connection may have sent some of it, but little memory.
  static constexpr uint64_t kMaxBytes = 256 << 10;

  explicit StrangerWatch(const Listener& listener);
  ~StrangerWatch();
  StrangerWatch(const StrangerWatch&) = delete;
  StrangerWatch& operator=(const StrangerWatch&) = delete;

  // A message of the call is awaited from now on. Does nothing if its connection is not found.
  void Add(grpc_call* call);
  // The message is complete, or will never be.
  void Remove(grpc_call* call);

 private:
  struct Awaited {
    int connection = -1;
    uint64_t received_before = 0;
  };

  void Run();
  void EndTooLong() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Listener& listener_;
  absl::Mutex mu_;
  absl::flat_hash_map<grpc_call*, Awaited> awaited_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_STRANGER_WATCH_H_
