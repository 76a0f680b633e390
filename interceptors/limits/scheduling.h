#ifndef HAPAX_INTERCEPTORS_LIMITS_SCHEDULING_H_
#define HAPAX_INTERCEPTORS_LIMITS_SCHEDULING_H_

#include <cstdint>

#include "hapax/base/worker_pool.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/message_budget.h"

namespace hapax {

// Decides on which thread, and when, a call with its request continues. The links after it cost more than all before
// it, in proportion to the bytes, so tenants take turns. Calls with small requests take turns by number, on the event
// thread. Calls with large requests take turns by bytes, on worker threads of this link, which also free the requests.
//
// A backlog or a large request of one tenant thus delays another tenant's calls by at most one call at a time. No
// event thread decodes or executes a large request.
//
// The same threads make large replies (call_reads.h). Replies have a budget of their own until they are sent.
class Scheduling final : public UnaryInterceptor {
 public:
  static constexpr MessageBudget::Options kReplies = {.bytes = int64_t{32} << 20};

  // Half of the cores, at least one; the others are for the event threads.
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
