#ifndef HAPAX_INTERCEPTORS_CALL_READS_H_
#define HAPAX_INTERCEPTORS_CALL_READS_H_

#include "hapax/base/worker_pool.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/message_budget.h"
#include "hapax/storage/store.h"

namespace hapax {

// Reads of the store that end calls, kept off the event threads when they are long. A short read runs at once, on the
// caller's thread. A long read runs on a worker once its reply has room; the tenants take turns there by bytes.
//
// A body may run twice; only the last run counts. `done` is called on either thread.
//
// Thread-safety: safe. Cheap to copy.
// Lifetime: the constructor's arguments outlive it and its calls.
class CallReads {
 public:
  CallReads(Store& store, MessageBudget& reply_budget, WorkerPool& workers)
      : store_(store), reply_budget_(reply_budget), workers_(workers) {}

  // Like Store::Query.
  void Query(UnaryCall& call, Store::ReadBody body, Store::Done done) const;
  // Like Query, for a body that may take long: it always runs on a worker. Errors: OVERLOADED when too many reads are
  // waiting.
  void QueryLong(UnaryCall& call, Store::ReadBody body, Store::Done done) const;
  // Like QueryLong, for one short message of a stream: no room is reserved for it.
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
