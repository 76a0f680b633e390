#include "hapax/server/event_loop.h"

#include <chrono>

namespace hapax {
namespace {

// gRPC rounds times up to milliseconds, but does not wait for one that is past.
constexpr std::chrono::system_clock::time_point kAtOnce;

thread_local const EventLoop* this_threads_loop = nullptr;

}  // namespace

EventLoop::EventLoop(std::unique_ptr<grpc::ServerCompletionQueue> queue) : queue_(std::move(queue)) {}

EventLoop::~EventLoop() {
  if (!thread_.joinable()) {
    queue_->Shutdown();
    Run();
    return;
  }
  Post([this] {
    ending_ = true;
    ShutdownIfIdle();
  });
  thread_.join();
}

void EventLoop::Start() {
  thread_ = std::thread([this] { Run(); });
}

void EventLoop::Release() {
  holders_.fetch_sub(1, std::memory_order_relaxed);
  ShutdownIfIdle();
}

void EventLoop::ShutdownIfIdle() {
  if (ending_ && holders() == 0) queue_->Shutdown();
}

void EventLoop::Post(absl::AnyInvocable<void()> task) {
  if (this_threads_loop == this) return task();
  absl::MutexLock lock(&mu_);
  posted_.push_back(std::move(task));
  if (posted_.size() == 1) alarm_.Set(queue_.get(), kAtOnce, &rung_);
}

void EventLoop::RunPosted() {
  std::vector<absl::AnyInvocable<void()>> tasks;
  {
    absl::MutexLock lock(&mu_);
    tasks.swap(posted_);
  }
  for (auto& task : tasks) task();
}

void EventLoop::Run() {
  this_threads_loop = this;
  void* event = nullptr;
  bool ok = false;
  while (queue_->Next(&event, &ok)) static_cast<Event*>(event)->Happen(ok);
  this_threads_loop = nullptr;
}

}  // namespace hapax
