#ifndef HAPAX_SERVER_GRPC_EVENT_LOOP_H_
#define HAPAX_SERVER_GRPC_EVENT_LOOP_H_

#include <atomic>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/alarm.h"
#include "grpcpp/completion_queue.h"
#include "hapax/base/turn_queue.h"
#include "hapax/interceptors/turns.h"
#include "hapax/server/grpc/corks.h"

namespace hapax {

// A gRPC completion queue and the one thread that serves it: an event thread.
//
// Made for speed. One thread does everything for a connection, so nothing is handed over and no lock is contended.
// gRPC's callback API has at least two threads take turns on every connection: with it, a bare echo takes 14-18 us of
// the server's CPU time, with one event thread 10-12 (2 cores, 64 and 256 calls in flight).
//
// Thread-safety: Post is safe. Events happen on the loop's thread, one after another; they must not block.
// Lifetime: the destructor waits until everything on the queue has happened and all holders have released the loop.
// Nobody else may begin or post anything by then.
class EventLoop final : public Turns {
 public:
  // An event on the loop's thread; its tag is passed to gRPC's core library.
  class Event final : private grpc::internal::CompletionQueueTag {
   public:
    explicit Event(absl::AnyInvocable<void(bool ok)> happened) : happened_(std::move(happened)) {}
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    [[nodiscard]] void* tag() { return static_cast<grpc::internal::CompletionQueueTag*>(this); }
    void Happen(bool ok) { happened_(ok); }

   private:
    // grpc::CompletionQueue calls it for the tag.
    bool FinalizeResult(void** tag, bool* /*ok*/) override {
      *tag = this;
      return true;
    }

    absl::AnyInvocable<void(bool)> happened_;
  };

  explicit EventLoop(std::unique_ptr<grpc::ServerCompletionQueue> queue);
  ~EventLoop() override;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Starts the thread.
  void Start();

  [[nodiscard]] grpc::ServerCompletionQueue& queue() { return *queue_; }

  // The loop does not end between Hold and Release; both are for the loop's thread.
  void Hold() { holders_.fetch_add(1, std::memory_order_relaxed); }
  void Release();
  // The number of holders a moment ago; for any thread.
  [[nodiscard]] int holders() const { return holders_.load(std::memory_order_relaxed); }

  // Runs `task` at the party's turn (turn_queue.h), or at once while there are few calls and nothing waits. Call it on
  // the loop's thread.
  //
  // gRPC's own queue is first come, first served, and gRPC reads from connections only when that is empty. So the loop
  // empties it into the queue of turns, and polls it between turns.
  void InTurn(std::string_view party, absl::AnyInvocable<void()> task) override;

  // Whether the caller is the loop's thread.
  [[nodiscard]] bool IsThisThread() const;

  // What is sent on this TCP connection may wait for what else is sent before the loop waits (corks.h). For the loop's
  // thread.
  void HoldBack(int descriptor) {
    if (holders() > kFewCalls) corks_.Add(descriptor);
  }

  // Runs `task` on the loop's thread: soon, or before returning if this is that thread.
  void Post(absl::AnyInvocable<void()> task);

 private:
  // So few replies at a time cost less than their corks.
  static constexpr int kFewCalls = 8;

  void Run();
  [[nodiscard]] bool RunEvents();
  void RunTurns();
  void RunPosted();
  void ShutdownIfIdle();

  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;

  std::atomic<int> holders_ = 0;
  // For the loop's thread.
  bool ending_ = false;
  TurnQueue<absl::AnyInvocable<void()>> turns_;
  Corks corks_;

  absl::Mutex mu_;
  // An alarm is set whenever something is posted.
  std::vector<absl::AnyInvocable<void()>> posted_ ABSL_GUARDED_BY(mu_);
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mu_);
  Event rung_{[this](bool) { RunPosted(); }};

  std::thread thread_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_EVENT_LOOP_H_
