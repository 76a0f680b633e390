#include "hapax/server/grpc/event_loop.h"

#include <chrono>
#include <utility>

#include "hapax/base/check.h"

namespace hapax {
namespace {

// gRPC rounds times up to milliseconds, but does not wait for a time in the past.
constexpr std::chrono::system_clock::time_point kAtOnce;
constexpr std::chrono::system_clock::time_point kNever = std::chrono::system_clock::time_point::max();

// Up to this many calls on the loop, calls run as they come. Polling between turns cost a tenth to a fifth of the
// replays a second at 256 calls in flight (2 cores, the client on one of them), and so few calls delay nobody for long.
constexpr int kMaxUnqueuedCalls = 256;
// The loop runs this many turns, then the events that came meanwhile, and so on. A call has four events for a turn.
// With more events in a row, waiting calls wait for new calls that are refused: 4096 of those took 100 ms.
constexpr int kTurnsInARow = 32;
constexpr int kEventsInARow = 256;

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

bool EventLoop::IsThisThread() const { return this_threads_loop == this; }

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

void EventLoop::InTurn(std::string_view party, absl::AnyInvocable<void()> task) {
  HAPAX_CHECK(IsThisThread(), "turns are the loop's thread's");
  if (holders() <= kMaxUnqueuedCalls && turns_.empty()) return task();
  turns_.Push(party, std::move(task));
}

void EventLoop::Post(absl::AnyInvocable<void()> task) {
  if (IsThisThread()) return task();
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
  while (RunEvents()) RunTurns();
  this_threads_loop = nullptr;
}

// Handles the events that are ready, and returns false once the queue is shut down. Waits for an event if no turn is
// waiting, and first lets go what was held back.
//
// After handing out events, the queue times out once without polling the connections; it polls them at the next call.
bool EventLoop::RunEvents() {
  void* event = nullptr;
  bool ok = false;
  bool timed_out = false;
  for (int i = 0; i < kEventsInARow; ++i) {
    const bool may_wait = turns_.empty() && corks_.empty();
    switch (queue_->AsyncNext(&event, &ok, may_wait ? kNever : kAtOnce)) {
      case grpc::CompletionQueue::GOT_EVENT:
        static_cast<Event*>(event)->Happen(ok);
        timed_out = false;
        break;
      case grpc::CompletionQueue::TIMEOUT:
        if (!std::exchange(timed_out, true)) break;
        corks_.Release();
        if (!turns_.empty()) return true;
        break;
      case grpc::CompletionQueue::SHUTDOWN:
        corks_.Release();
        return false;
    }
  }
  corks_.Release();
  return true;
}

void EventLoop::RunTurns() {
  for (int i = 0; i < kTurnsInARow && !turns_.empty(); ++i) turns_.Pop()();
}

}  // namespace hapax
