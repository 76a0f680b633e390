#ifndef HAPAX_INTERCEPTORS_CALL_READS_H_
#define HAPAX_INTERCEPTORS_CALL_READS_H_

#include "hapax/base/worker_pool.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/message_budget.h"
#include "hapax/storage/store.h"

namespace hapax {

// Queries of the store that end calls, where they keep no event thread: what is short is read at once, on the thread
// that asks; what is long on a worker, in turns of the tenants by bytes, once there is room for the reply.
//
// A body may be run twice; only the last run counts. `done` is called on either thread.
//
// Thread-safety: safe. Cheap to copy.
// Lifetime: what it is made of outlives it, and its calls.
class CallReads {
 public:
  CallReads(Store& store, MessageBudget& reply_budget, WorkerPool& workers)
      : store_(store), reply_budget_(reply_budget), workers_(workers) {}

  // As Store::Query.
  void Query(UnaryCall& call, Store::ReadBody body, Store::Done done) const;
  // The same for a body that may take long: never on the thread that asks. OVERLOADED when too many wait.
  void QueryLong(UnaryCall& call, Store::ReadBody body, Store::Done done) const;
  // The same for one message of many, which is short: no room is reserved for it.
  void QueryPart(UnaryCall& call, Store::ReadBody body, Store::Done done) const;

 private:
  using Way = void (CallReads::*)(UnaryCall& call, Store::ReadBody body, Store::Done done) const;

  void TryOnWorker(Way way, UnaryCall& call, Store::ReadBody body, Store::Done done) const;
  void QueryHere(UnaryCall& call, Store::ReadBody body, Store::Done done) const;
  void QueryIfShort(UnaryCall& call, Store::ReadBody body, Store::Done done) const;
  void QueryWithRoom(UnaryCall& call, Store::ReadBody body, Store::Done done) const;

  Store& store_;
  MessageBudget& reply_budget_;
  WorkerPool& workers_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_CALL_READS_H_
