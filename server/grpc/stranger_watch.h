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

// Ends calls of callers that nobody knows, such as Health's, whose message is longer than a question can be.
//
// gRPC 1.51 keeps what comes of a message until it is whole, however long that is, and tells nobody how much it has. So
// while such messages are awaited, a thread looks every few milliseconds at how many bytes their connections have
// received meanwhile. A call whose connection has received more than `kMaxBytes` is cancelled with RESOURCE_EXHAUSTED.
//
// Thread-safety: safe.
// Lifetime: the listener outlives it; Forget each call before that is gone.
class StrangerWatch {
 public:
  // Other calls of the connection may have sent some of it: more than any question, and little memory.
  static constexpr uint64_t kMaxBytes = 256 << 10;

  explicit StrangerWatch(const Listener& listener);
  ~StrangerWatch();
  StrangerWatch(const StrangerWatch&) = delete;
  StrangerWatch& operator=(const StrangerWatch&) = delete;

  // From now on a message of the call is awaited. Nothing where its connection is not found.
  void Add(grpc_call* call);
  // It has come, or will not come.
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
