#include "hapax/bench/peers/loop.h"

#include <utility>

namespace hapax::bench {

Loop::Loop() {
  uv_loop_init(&loop_);
  uv_async_init(&loop_, &wake_, [](uv_async_t* wake) { static_cast<Loop*>(wake->data)->RunPosted(); });
  wake_.data = this;
  thread_ = std::thread([this] { uv_run(&loop_, UV_RUN_DEFAULT); });
}

Loop::~Loop() {
  Post([this] {
    uv_walk(
        &loop_,
        [](uv_handle_t* handle, void*) {
          if (uv_is_closing(handle) == 0) uv_close(handle, nullptr);
        },
        nullptr);
  });
  thread_.join();
  uv_loop_close(&loop_);
}

void Loop::Post(absl::AnyInvocable<void()> task) {
  bool first = false;
  {
    absl::MutexLock lock(&mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (first) uv_async_send(&wake_);
}

void Loop::RunPosted() {
  std::vector<absl::AnyInvocable<void()>> tasks;
  {
    absl::MutexLock lock(&mutex_);
    tasks.swap(posted_);
  }
  for (auto& task : tasks) task();
}

}  // namespace hapax::bench
