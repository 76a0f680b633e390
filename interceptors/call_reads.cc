#include "hapax/interceptors/call_reads.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "hapax/interceptors/refusal.h"

namespace hapax {

void CallReads::Query(UnaryCall& call, Store::ReadBody body, Store::Done done) const {
  const std::string& tenant = call.principal.tenant;
  if (!reply_budget_.IsTaking(tenant)) return QueryIfShort(call, std::move(body), std::move(done));
  // A tenant with a large reply in flight is likely to ask for another one, and even measuring a reply takes time.
  workers_.Schedule([reads = *this, &call, body = std::move(body),
                     done = std::move(done)]() mutable { reads.QueryIfShort(call, std::move(body), std::move(done)); },
                    tenant);
}

void CallReads::QueryLong(UnaryCall& call, Store::ReadBody body, Store::Done done) const {
  TryOnWorker(&CallReads::QueryWithRoom, call, std::move(body), std::move(done));
}

void CallReads::QueryPart(UnaryCall& call, Store::ReadBody body, Store::Done done) const {
  TryOnWorker(&CallReads::QueryHere, call, std::move(body), std::move(done));
}

void CallReads::TryOnWorker(Way way, UnaryCall& call, Store::ReadBody body, Store::Done done) const {
  auto query = std::make_shared<std::pair<Store::ReadBody, Store::Done>>(std::move(body), std::move(done));
  WorkerPool::Work work = [reads = *this, way, &call, query] {
    (reads.*way)(call, std::move(query->first), std::move(query->second));
  };
  if (workers_.TrySchedule(work, call.principal.tenant)) return;
  std::move(query->second)(Refuse(Reason::kOverloaded, "too many reads are waiting"));
}

void CallReads::QueryHere(UnaryCall& /*call*/, Store::ReadBody body, Store::Done done) const {
  store_.Query(std::move(body), std::move(done));
}

void CallReads::QueryIfShort(UnaryCall& call, Store::ReadBody body, Store::Done done) const {
  if (store_.TryQuery(MessageBudget::kSmallBytes, body, done)) return;
  QueryWithRoom(call, std::move(body), std::move(done));
}

void CallReads::QueryWithRoom(UnaryCall& call, Store::ReadBody body, Store::Done done) const {
  call.OnFinish([&workers = workers_](UnaryCall& ended, const absl::StatusOr<std::string>& reply) {
    if (reply.ok()) workers.Charge(ended.principal.tenant, static_cast<int64_t>(reply->size()));
  });
  const std::string& tenant = call.principal.tenant;
  // Call, budget and all that outlives calls may be gone once `done` has been called. So the room is returned before,
  // and each reading thread may have one reply on top of the budget.
  Store::Done done_without_room = [reads = *this, tenant, done = std::move(done)](absl::Status status) mutable {
    reads.reply_budget_.Return(tenant, reads.reply_budget_.max_message_bytes());
    std::move(done)(std::move(status));
  };
  WorkerPool::Work read = [reads = *this, body = std::move(body), done = std::move(done_without_room)]() mutable {
    reads.store_.Query(std::move(body), std::move(done));
  };
  reply_budget_.Reserve(tenant, [&workers = workers_, tenant, read = std::move(read)]() mutable {
    workers.Schedule(std::move(read), tenant);
  });
}

}  // namespace hapax
