#ifndef HAPAX_STORAGE_POSTGRES_REQUESTS_H_
#define HAPAX_STORAGE_POSTGRES_REQUESTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hapax/storage/postgres/locks.h"
#include "hapax/storage/postgres/session.h"
#include "hapax/storage/remote/backend.h"

// The requests of RemoteBackend as calls of prepared statements (layout.h).
namespace hapax {

// One statement, so one snapshot.
[[nodiscard]] std::vector<PgCall> FetchCalls(const RemoteFetch& fetch);
// Begins a transaction that has the locks. Only a commit in the same session ends it.
[[nodiscard]] std::vector<PgCall> FetchAndHoldCalls(const RemoteFetch& fetch, const std::vector<PgLock>& locks);
// Requires: the reply is to this fetch, and OK.
[[nodiscard]] RemoteFetched FetchedOf(const RemoteFetch& fetch, const PgReply& reply);

[[nodiscard]] std::vector<PgCall> CompareCalls(const std::vector<RemoteRead>& reads);
[[nodiscard]] bool ComparedOf(const PgReply& reply);

// One transaction: locks; comparison and writes; commit.
[[nodiscard]] std::vector<PgCall> CommitCalls(const RemoteGroup& group, const std::vector<PgLock>& locks);
// Also of a reply that is not OK.
[[nodiscard]] RemoteCommitted CommittedOf(const PgReply& reply);

// The calls of a transaction, the first of which begins it, for a session where one has begun.
[[nodiscard]] std::vector<PgCall> WithoutBegin(std::vector<PgCall> calls);
[[nodiscard]] std::vector<PgCall> RollBackCalls();

[[nodiscard]] std::vector<PgCall> ReadSlotCalls(const std::string& slot);
[[nodiscard]] RemoteSlotState SlotOf(const PgReply& reply);

[[nodiscard]] std::vector<PgCall> RaiseCalls(const std::string& slot, const RemoteSlotState& seen,
                                             const RemoteSlot& next, const std::vector<PgLock>& locks);
[[nodiscard]] absl::StatusOr<bool> RaisedOf(const PgReply& reply);

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_REQUESTS_H_
