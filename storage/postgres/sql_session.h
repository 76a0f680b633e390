#ifndef HAPAX_STORAGE_POSTGRES_SQL_SESSION_H_
#define HAPAX_STORAGE_POSTGRES_SQL_SESSION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "hapax/storage/postgres/connector.h"
#include "hapax/storage/postgres/history.h"
#include "hapax/storage/postgres/isolation.h"
#include "hapax/storage/postgres/options.h"
#include "hapax/storage/postgres/session.h"
#include "hapax/storage/remote/backend.h"

namespace hapax {

// A connection to PostgreSQL for a handler's statements. They run with the settings that the role and the database have
// by default, such as its search_path; the engine's own statements before and after them run with the engine's.
//
// The transaction is READ COMMITTED, or SERIALIZABLE with PgIsolationKind::kSerializable.
//
// Thread-safety: for one thread at a time. Lifetime: the arguments outlive it. The destructor closes the connection,
// and so ends an open transaction.
class PgSqlSession final : public RemoteSqlSession {
 public:
  PgSqlSession(const PostgresOptions& options, PgConnector& connector, PgIsolation& isolation, PostgresHistory& history)
      : options_(options), connector_(connector), isolation_(isolation), history_(history) {}

  absl::StatusOr<RemoteFetched> Begin(const RemoteFetch& fetch, const RemoteGroup& foreseen,
                                      absl::Duration deadline) override;
  using SqlConnection::Execute;
  absl::StatusOr<SqlResult> Execute(absl::string_view sql, absl::Span<const SqlValue> parameters) override;
  [[nodiscard]] absl::Status failure() const override { return failure_; }
  RemoteCommitted Commit(const RemoteGroup& group) override;
  void Rollback() override;

 private:
  [[nodiscard]] absl::Status ConnectIfNeeded(absl::Duration deadline);
  // Runs the calls in the open transaction.
  PgReply RunInTransaction(const std::vector<PgCall>& calls, absl::Duration deadline);
  // Notes what is wrong with the reply to a handler's statement.
  absl::Status Fail(const PgReply& reply);
  void DropIfBroken(const PgReply& reply);

  const PostgresOptions& options_;
  PgConnector& connector_;
  PgIsolation& isolation_;
  PostgresHistory& history_;
  std::unique_ptr<PgSession> session_;  // Null: not connected.
  PgCall handlers_settings_;            // Until the transaction ends.
  absl::Duration deadline_;
  absl::Status failure_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_SQL_SESSION_H_
