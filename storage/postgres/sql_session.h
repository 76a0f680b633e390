#ifndef HAPAX_STORAGE_POSTGRES_SQL_SESSION_H_
#define HAPAX_STORAGE_POSTGRES_SQL_SESSION_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "hapax/storage/sql_connection.h"
#include "libpq-fe.h"

namespace hapax {

// A connection to PostgreSQL for a handler's own statements, with the search_path of the role. It blocks its thread.
//
//   session->Begin(deadline);  session->Execute(...);  session->Commit() or session->Rollback();
//
// The transaction is READ COMMITTED. An error of a statement is kept: Commit then returns it and leaves nothing, also
// when the caller of Execute passed over it.
//
// Thread-safety: for one thread. Lifetime: the destructor closes the connection, and so ends an open transaction.
class PgSqlSession final : public SqlConnection {
 public:
  // Connects to the first host that can be written. Blocks.
  // Errors: INVALID_ARGUMENT, it is no connection string; the message has nothing of it. UNAVAILABLE.
  static absl::StatusOr<std::unique_ptr<PgSqlSession>> Connect(const std::string& conninfo);

  // Begins a transaction, whose statements and end are awaited until monotonic time `deadline`.
  // Errors, as Rollback: UNAVAILABLE, the session is of no use any more.
  absl::Status Begin(absl::Duration deadline);

  using SqlConnection::Execute;
  absl::StatusOr<SqlResult> Execute(absl::string_view sql, absl::Span<const SqlValue> parameters) override;

  // Errors: that of the first statement that failed: nothing is left. UNAVAILABLE while is_broken(): the outcome is
  // unknown. Others: nothing is left.
  absl::Status Commit();
  absl::Status Rollback();

  // Whether the connection must be dropped.
  [[nodiscard]] bool is_broken() const { return broken_; }

 private:
  using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

  explicit PgSqlSession(PGconn* connection) : connection_(connection, PQfinish) {}

  // Runs any one statement. Its last result, or the error.
  absl::StatusOr<Result> Run(const std::string& sql, absl::Span<const SqlValue> parameters);
  absl::Status AwaitResult();
  static void OnNotice(void* session, const PGresult* notice);
  absl::Status Break(absl::string_view reason);

  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  absl::Duration deadline_;
  absl::Status failure_;      // Of the first statement of the transaction that failed.
  bool has_warning_ = false;  // The server said so since it was cleared.
  bool broken_ = false;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_SQL_SESSION_H_
