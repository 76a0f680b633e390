#ifndef HAPAX_INTERCEPTORS_LIMITS_SCHEDULING_H_
#define HAPAX_INTERCEPTORS_LIMITS_SCHEDULING_H_

#include <cstdint>

#include "hapax/base/worker_pool.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/message_budget.h"

namespace hapax {

// Decides where and when a call goes on that has its request. What comes after costs more than all before, and as much
// more as there are bytes, so tenants take turns: with small requests by number, on the event thread; with large ones
// by bytes, on threads of this link's own. A large request is freed there, too. So a backlog, or a large request,
// delays another tenant's calls by at most one of its own at a time, and an event thread by no large one.
//
// Large replies are made by the same threads (call_reads.h). They have a budget, until they are sent.
class Scheduling final : public UnaryInterceptor {
 public:
  static constexpr MessageBudget::Options kReplies = {.bytes = int64_t{32} << 20};

  // As many as half of the cores, but one at the least: the others are for the event threads.
  [[nodiscard]] static int DefaultThreads();

  explicit Scheduling(const MessageBudget::Options& replies = kReplies, int threads = DefaultThreads());
  void Intercept(UnaryCall& call, Next next) override;

  [[nodiscard]] MessageBudget& reply_budget() { return reply_budget_; }
  [[nodiscard]] WorkerPool& workers() { return workers_; }

 private:
  MessageBudget reply_budget_;
  WorkerPool workers_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_LIMITS_SCHEDULING_H_
