#ifndef HAPAX_STORAGE_POSTGRES_REQUESTS_H_
#define HAPAX_STORAGE_POSTGRES_REQUESTS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hapax/storage/postgres/session.h"
#include "hapax/storage/remote/backend.h"

// The requests of RemoteBackend as calls of prepared statements (layout.h). `begin` is what begins their transaction
// (isolation.h). The results of those calls are not among the replies, see WithoutBegin.
namespace hapax {

// The results of what follows `begin`.
[[nodiscard]] PgReply WithoutBegin(size_t begin_size, PgReply reply);

// One statement, so one snapshot.
[[nodiscard]] std::vector<PgCall> FetchCalls(const RemoteFetch& fetch, std::vector<PgCall> begin);
// Begins a transaction that has the locks. Only a commit in the same session ends it.
[[nodiscard]] std::vector<PgCall> FetchAndHoldCalls(const RemoteFetch& fetch, std::vector<PgCall> begin);
// Requires: the reply is to this fetch, and OK.
[[nodiscard]] RemoteFetched FetchedOf(const RemoteFetch& fetch, const PgReply& reply);

[[nodiscard]] std::vector<PgCall> CompareCalls(const std::vector<RemoteRead>& reads, std::vector<PgCall> begin);
[[nodiscard]] bool ComparedOf(const PgReply& reply);

// Comparison and writes.
[[nodiscard]] PgCall ApplyCall(const RemoteGroup& group);
// Of the result of ApplyCall. Nullopt: it was applied.
[[nodiscard]] std::optional<RemoteCommitted> NotAppliedOf(const PgRows& applied);
// One transaction: `begin`; ApplyCall; commit.
[[nodiscard]] std::vector<PgCall> CommitCalls(const RemoteGroup& group, std::vector<PgCall> begin);
// Also of a reply that is not OK. `before` is the slot that the group compares.
[[nodiscard]] RemoteCommitted CommittedOf(const RemoteSlot& before, const PgReply& reply);

// The calls of a transaction, the first of which begins it, for a session where one has begun.
[[nodiscard]] std::vector<PgCall> InOpenTransaction(std::vector<PgCall> calls);
[[nodiscard]] std::vector<PgCall> RollBackCalls();

[[nodiscard]] std::vector<PgCall> ReadSlotCalls(const std::string& slot);
[[nodiscard]] RemoteSlotState SlotOf(const PgReply& reply);

[[nodiscard]] std::vector<PgCall> RaiseCalls(const std::string& slot, const RemoteSlotState& seen,
                                             const RemoteSlot& next, std::vector<PgCall> begin);
[[nodiscard]] absl::StatusOr<bool> RaisedOf(const PgReply& reply);

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_REQUESTS_H_
