// A libuv loop on a thread of its own.
#ifndef HAPAX_BENCH_PEERS_LOOP_H_
#define HAPAX_BENCH_PEERS_LOOP_H_

#include <uv.h>

#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace hapax::bench {

// Runs posted tasks, and the callbacks of the handles on uv(), on one thread.
// Thread-safety: Post() is safe; uv() is only for code on the loop.
class Loop {
 public:
  Loop();
  // Closes every open handle, and ends the thread.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs `task` soon, after earlier ones. Tasks posted while the loop is busy cost one wake-up.
  void Post(absl::AnyInvocable<void()> task);

  uv_loop_t* uv() { return &loop_; }

 private:
  void RunPosted();

  uv_loop_t loop_{};
  uv_async_t wake_{};
  absl::Mutex mutex_;
  std::vector<absl::AnyInvocable<void()>> posted_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_PEERS_LOOP_H_
